package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/api"
	"github.com/holdfast/holdfast/internal/contract"
)

type object = map[string]any

func document(t *testing.T) object {
	t.Helper()
	handler := api.New(&fakeStore{}, api.Options{Version: "1.2.3", TTL: 5 * time.Minute, TTLMax: time.Hour})
	w := send(handler, http.MethodGet, "/openapi.json", "")
	var d object
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil || w.Code != 200 {
		t.Fatalf("%d %v", w.Code, err)
	}
	return d
}

// dig follows keys into nested objects.
func dig(t *testing.T, value any, keys ...string) any {
	t.Helper()
	for _, key := range keys {
		inner, ok := value.(object)[key]
		if !ok {
			t.Fatalf("no %s of %v", key, keys)
		}
		value = inner
	}
	return value
}

func TestDocument(t *testing.T) {
	d := document(t)
	if got := dig(t, d, "openapi"); got != "3.1.0" {
		t.Errorf("openapi %v", got)
	}
	if got := dig(t, d, "info", "version"); got != "1.2.3" {
		t.Errorf("version %v", got)
	}
	var operations []string
	for path, item := range dig(t, d, "paths").(object) {
		for method, operation := range item.(object) {
			operations = append(operations, strings.ToUpper(method)+" "+path)
			checkOperation(t, method+" "+path, operation.(object))
		}
	}
	slices.Sort(operations)
	want := []string{
		"DELETE /v1/stock/{sku}/{location}", "GET /livez", "GET /readyz", "GET /v1/audits/{id}", "GET /v1/changes", "GET /v1/directory", "GET /v1/reservations", "GET /v1/reservations/{id}", "GET /v1/stock", "GET /v1/stock/{sku}",
		"PATCH /v1/reservations/{id}",
		"POST /v1/audits", "POST /v1/availability", "POST /v1/reservations", "POST /v1/reservations/{id}/amend", "POST /v1/reservations/{id}/confirm", "POST /v1/reservations/{id}/extend",
		"POST /v1/reservations/{id}/fulfill", "POST /v1/reservations/{id}/move", "POST /v1/reservations/{id}/release", "POST /v1/reservations/{id}/return", "POST /v1/reservations/{id}/unfulfill", "POST /v1/route",
		"POST /v1/stock/adjustments", "POST /v1/stock/counts", "POST /v1/stock/query", "POST /v1/stock/transfers", "PUT /v1/directory", "PUT /v1/stock/{sku}/{location}",
	}
	if !slices.Equal(operations, want) {
		t.Errorf("operations %v, want %v", operations, want)
	}
	checkReferences(t, d, d)
}

// checkOperation checks that an operation has a summary and a description of each answer, and that
// its refusals are problems.
func checkOperation(t *testing.T, name string, operation object) {
	t.Helper()
	if operation["summary"] == "" || operation["operationId"] == "" {
		t.Errorf("%s is not described", name)
	}
	for status, response := range dig(t, operation, "responses").(object) {
		if dig(t, response, "description") == "" {
			t.Errorf("%s %s is not described", name, status)
		}
		if status == "204" {
			continue // it has no body
		}
		media := "application/json"
		if status >= "4" {
			media = contract.ProblemType
		}
		dig(t, response, "content", media, "schema")
	}
}

func checkReferences(t *testing.T, d, value any) {
	t.Helper()
	switch v := value.(type) {
	case object:
		if reference, ok := v["$ref"].(string); ok {
			dig(t, d, strings.Split(strings.TrimPrefix(reference, "#/"), "/")...)
		}
		for _, inner := range v {
			checkReferences(t, d, inner)
		}
	case []any:
		for _, inner := range v {
			checkReferences(t, d, inner)
		}
	}
}

// Struct tags can't use constants, so this test compares their limits with the constants.
func TestDocumentLimits(t *testing.T) {
	d := document(t)
	for path, want := range map[string]float64{
		"ReserveRequest id maxLength":              cache.IdentifierBytesMax,
		"LineRequest sku maxLength":                cache.IdentifierBytesMax,
		"ReserveRequest lines maxItems":            cache.LinesMax,
		"UnitsRequest lines maxItems":              cache.LinesMax,
		"AmendRequest lines maxItems":              cache.AmendLinesMax,
		"ReserveRequest metadata maxProperties":    cache.MetadataKeysMax,
		"ReserveRequest identities maxItems":       cache.IdentitiesMax,
		"DescribeRequest customer maxLength":       cache.IdentifierBytesMax,
		"DescribeRequest order maxLength":          cache.IdentifierBytesMax,
		"DescribeRequest identities maxItems":      cache.IdentitiesMax,
		"DescribeRequest metadata maxProperties":   cache.MetadataKeysMax,
		"ReserveRequest ttl_seconds maximum":       3600,
		"ReserveRequest ttl_seconds minimum":       cache.TTLMin.Seconds(),
		"ExtendRequest ttl_seconds maximum":        3600,
		"LineRequest quantity minimum":             1,
		"LineRequest locations maxItems":           cache.PreferredMax,
		"ReserveRequest prefer maxItems":           cache.PreferredMax,
		"RouteRequest prefer maxItems":             cache.PreferredMax,
		"StockQuery skus maxItems":                 cache.QuerySKUsMax,
		"StockQuery locations maxItems":            cache.QueryLocationsMax,
		"StockQuery limit maximum":                 cache.LevelPageMax,
		"LineRequest quantity maximum":             cache.QuantityMax,
		"LineQuantity quantity maximum":            cache.QuantityMax,
		"PutLevelRequest on_hand minimum":          0,
		"PutLevelRequest on_hand maximum":          cache.QuantityMax,
		"PutLevelRequest if_on_hand minimum":       0,
		"Count if_on_hand maximum":                 cache.QuantityMax,
		"PutLevelRequest safety_stock maximum":     cache.QuantityMax,
		"PutLevelRequest reason maxLength":         cache.TextBytesMax,
		"AdjustmentRequest delta maximum":          cache.QuantityMax,
		"AdjustmentRequest delta minimum":          -cache.QuantityMax,
		"Count backorder_limit maximum":            cache.QuantityMax,
		"CountsRequest counts maxItems":            cache.ChangesMax,
		"ReserveRequest customer maxLength":        cache.IdentifierBytesMax,
		"AdjustmentRequest location maxLength":     cache.IdentifierBytesMax,
		"TransferRequest to maxLength":             cache.IdentifierBytesMax,
		"ReturnRequest lines maxItems":             cache.LinesMax,
		"TransferRequest quantity maximum":         cache.QuantityMax,
		"LineQuantity line maxLength":              cache.IdentifierBytesMax,
		"CountsRequest actor maxLength":            cache.TextBytesMax,
		"LineRequest location maxLength":           cache.IdentifierBytesMax,
		"PutLevelRequest backorder_limit minimum":  0,
		"ReserveRequest ship_to/latitude minimum":  -90,
		"ReserveRequest ship_to/longitude maximum": 180,
	} {
		part := strings.Fields(path)
		schema, field := part[0], part[1]
		if _, inner, nested := strings.Cut(field, "/"); nested {
			schema, field = "Address", inner
		}
		if got := dig(t, d, "components", "schemas", schema, "properties", field, part[2]); got != want {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
	ttl := dig(t, d, "components", "schemas", "ReserveRequest", "properties", "ttl_seconds").(object)
	if text := ttl["description"].(string); !strings.HasSuffix(text, " Default: 300.") || ttl["default"] != nil {
		t.Errorf("ttl_seconds: %v, want its default only in the text", ttl)
	}
	limit := dig(t, d, "paths", "/v1/stock", "get", "parameters").([]any)[2].(object)
	if limit["name"] != "limit" || dig(t, limit, "schema", "maximum") != float64(cache.LevelPageMax) {
		t.Errorf("limit: %v", limit)
	}
}

// TestDocumentProblems checks that each problem has the fields that the schema of its code describes.
func TestDocumentProblems(t *testing.T) {
	d := document(t)
	codes := dig(t, d, "components", "schemas", "Problem", "properties", "code", "enum").([]any)
	mapping := dig(t, d, "components", "schemas", "Problem", "discriminator", "mapping").(object)
	if len(codes) != len(mapping) {
		t.Errorf("%d codes, and schemas of %d", len(codes), len(mapping))
	}
	for _, c := range refusals {
		var problem object
		if err := json.Unmarshal([]byte(`{"type":"","title":"","status":0,`+c.rest), &problem); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(codes, any(c.code)) {
			t.Errorf("%s is not among the codes %v", c.code, codes)
		}
		name := strings.TrimPrefix(dig(t, mapping, c.code).(string), "#/components/schemas/")
		schema := dig(t, d, "components", "schemas", name).(object)
		if got := dig(t, schema, "properties", "code", "enum"); !slices.Equal(got.([]any), []any{c.code}) {
			t.Errorf("the code of %s is %v", name, got)
		}
		for field := range problem {
			dig(t, schema, "properties", field)
		}
		for _, field := range schema["required"].([]any) {
			dig(t, problem, field.(string))
		}
	}
}

// An answer may gain fields, so its schema is open. A request refuses unknown fields.
func TestDocumentAnswersAreOpen(t *testing.T) {
	d := document(t)
	for name, want := range map[string]any{"Reservation": nil, "InsufficientStockProblem": nil, "ReserveRequest": false, "LineRequest": false} {
		if got := dig(t, d, "components", "schemas", name).(object)["additionalProperties"]; got != want {
			t.Errorf("additionalProperties of %s: %v, want %v", name, got, want)
		}
	}
}

// The pages must load nothing from another host.
func TestDocs(t *testing.T) {
	handler := api.New(&fakeStore{}, api.Options{})
	page := send(handler, "GET", "/docs", "").Body.String()
	for _, asset := range []string{"swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js"} {
		if !strings.Contains(page, `"/docs/`+asset+`"`) {
			t.Errorf("the page does not take %s from here: %s", asset, page)
		}
		if w := send(handler, "GET", "/docs/"+asset, ""); w.Code != 200 || w.Body.Len() < 1000 {
			t.Errorf("%s: %d, %d bytes", asset, w.Code, w.Body.Len())
		}
	}
	if strings.Contains(page, `src="http`) || strings.Contains(page, `href="http`) || !strings.Contains(page, "openapi.json") {
		t.Errorf("the page: %s", page)
	}
	for _, path := range []string{"/docs/problems", "/docs/problems/"} {
		problems := send(handler, "GET", path, "")
		if got := problems.Header().Get("Content-Type"); got != "text/html; charset=utf-8" || problems.Code != 200 {
			t.Errorf("%s: %d %s", path, problems.Code, got)
		}
		for _, code := range []string{"malformed", "insufficient_stock", "backlog_full", "method_not_allowed"} {
			if !strings.Contains(problems.Body.String(), `<section id="`+code+`">`) {
				t.Errorf("%s: %s is not explained", path, code)
			}
		}
		if !strings.Contains(problems.Body.String(), "<p>Fields: <code>shortages</code> </p>") || !strings.HasSuffix(problems.Body.String(), "</body></html>\n") {
			t.Errorf("%s is not whole: %s", path, problems.Body)
		}
	}
}
