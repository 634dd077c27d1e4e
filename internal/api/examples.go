package api

// examples has a body for each operation with one, by operation id. Each works on a reservation of
// the example of reserve, in the state that the operation needs.
var examples = map[string]string{
	"put-level": `{"id": "count-1", "on_hand": 40, "safety_stock": 2, "reason": "yearly count", "actor": "anna"}`,
	"count": `{"id": "count-2", "counts": [{"sku": "TEE-M", "location": "lyon", "on_hand": 12},
		{"sku": "CAP", "location": "berlin", "on_hand": 8}]}`,
	"adjust":       `{"id": "delivery-881", "sku": "TEE-M", "location": "berlin", "delta": 12, "reason": "delivery"}`,
	"transfer":     `{"id": "van-7", "sku": "TEE-M", "from": "berlin", "to": "lyon", "quantity": 6}`,
	"query-levels": `{"skus": ["TEE-M"], "locations": ["berlin", "lyon"], "limit": 50}`,

	"put-directory": `{"locations": [{"id": "berlin", "country": "DE", "zones": ["eu"]}, {"id": "lyon", "country": "FR", "zones": ["eu"]}],
		"zones": [{"id": "eu", "countries": ["DE", "FR"]}],
		"channels": [{"id": "web", "default": true, "locations": ["berlin", "lyon"], "rank": ["same_country"], "split": "lines"}]}`,
	"route":        `{"channel": "web", "ship_to": {"country": "DE"}, "lines": [{"line": "1", "sku": "TEE-M", "quantity": 2}]}`,
	"availability": `{"channel": "web", "ship_to": {"country": "DE"}, "skus": ["TEE-M", "CAP"]}`,

	"reserve": `{"id": "ord-1001", "channel": "web", "customer": "c-9", "ship_to": {"country": "DE"}, "ttl_seconds": 600,
		"lines": [{"line": "1", "sku": "TEE-M", "quantity": 2}, {"line": "2", "sku": "CAP", "quantity": 1}]}`,
	"describe":  `{"order": "5512", "metadata": {"gift": "yes"}}`,
	"extend":    `{"ttl_seconds": 900}`,
	"confirm":   `{"version": 1}`,
	"amend":     `{"id": "chg-1", "lines": [{"line": "1", "quantity": 3}]}`,
	"move":      `{"id": "move-1", "line": "1", "to": "lyon"}`,
	"release":   `{"id": "cancel-1", "lines": [{"line": "1", "quantity": 1}]}`,
	"fulfill":   `{"id": "ship-1", "lines": [{"line": "1", "quantity": 2}]}`,
	"unfulfill": `{"id": "unship-1", "lines": [{"line": "1", "quantity": 1}]}`,
	"return":    `{"id": "ret-1", "to": "berlin", "lines": [{"line": "1", "quantity": 1}]}`,

	"start-audit": `{"sku": "TEE-M"}`,
}

// directoryYAML is the example of put-directory as people write it.
const directoryYAML = `locations:
  - {id: berlin, country: DE, zones: [eu]}
  - {id: lyon, country: FR, zones: [eu]}
zones:
  - {id: eu, countries: [DE, FR]}
channels:
  - {id: web, default: true, locations: [berlin, lyon], rank: [same_country], split: lines}
`
