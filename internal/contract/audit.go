package contract

// AuditRequest is the optional body of the start of an audit.
type AuditRequest struct {
	Repair     bool   `json:"repair,omitempty" doc:"Repair the findings. Default: only report them."`
	SKU        string `json:"sku,omitempty" doc:"Audit only this SKU."`
	Location   string `json:"location,omitempty" doc:"Audit only this location."`
	Actor      string `json:"actor,omitempty" maxLength:"512" doc:"Who repairs. Kept with each repair. If the call has a key, the actor is the name of the key, and this counts as on_behalf_of."`
	OnBehalfOf string `json:"on_behalf_of,omitempty" maxLength:"512" example:"anna" doc:"The person for whom the actor makes the change. Kept beside the actor."`
	MaxUnits   *Whole `json:"max_units,omitempty" minimum:"1" doc:"Units that a repair may change in total. If it would change more, nothing is repaired. Default: 1000."`
}

// Audit is a comparison of Redis with the ledger.
type Audit struct {
	ID           string         `json:"id" example:"audit-20261125-031500-k2f7qa"`
	State        string         `json:"state" enum:"running,done,failed" doc:"failed: the audit broke off, or repaired nothing because it would have changed too much. failure says why."`
	Repair       bool           `json:"repair"`
	SKU          string         `json:"sku,omitempty"`
	Location     string         `json:"location,omitempty"`
	Actor        string         `json:"actor,omitempty"`
	StartedAt    Time           `json:"started_at" format:"date-time"`
	FinishedAt   Time           `json:"finished_at,omitzero" format:"date-time"`
	Failure      string         `json:"failure,omitempty"`
	Levels       int64          `json:"levels" doc:"Levels compared."`
	Reservations int64          `json:"reservations" doc:"Reservations compared."`
	Limits       int64          `json:"limits" doc:"Purchase limits compared."`
	Deadlines    int64          `json:"deadlines" doc:"Deadlines compared."`
	Drift        int            `json:"drift" doc:"Findings that are drift and still open."`
	Repaired     int            `json:"repaired" doc:"Findings that were repaired."`
	Findings     []AuditFinding `json:"findings" nullable:"false" doc:"One page of findings, in order of id."`
	NextCursor   string         `json:"next_cursor,omitempty" doc:"The cursor of the next page of findings. Absent on the last page."`
}

// AuditFinding is one difference that an audit found.
type AuditFinding struct {
	ID          string `json:"id" example:"9f86d081884c7d65" doc:"Identifies the kind and the subject of the finding: it is the same in every audit that finds it."`
	Kind        string `json:"kind" example:"counter_drift"`
	State       string `json:"state" enum:"open,repaired,gone"`
	SKU         string `json:"sku,omitempty" example:"TEE-M"`
	Location    string `json:"location,omitempty" example:"berlin"`
	Reservation string `json:"reservation,omitempty" example:"ord-1001"`
	Limit       string `json:"limit,omitempty"`
	Customer    string `json:"customer,omitempty"`
	Name        string `json:"name,omitempty" doc:"The name in Redis, if the finding is about none of these."`
	Position    string `json:"position,omitempty" example:"1-4711" doc:"The position of the stream at which both sides were read."`
	Redis       any    `json:"redis" doc:"The value in Redis. null if there is none."`
	Ledger      any    `json:"ledger" doc:"The value that the ledger expects. null if there is none."`
	Units       int64  `json:"units" doc:"The most units that a repair would change."`
	Frozen      bool   `json:"frozen,omitempty,omitzero" doc:"true if the level is below 0, now or after a repair. Nothing is sold from it without backorder meanwhile. note says until when."`
	Means       string `json:"means" doc:"What the finding means, for people."`
	Do          string `json:"do,omitempty" doc:"What to do, for people."`
	Note        string `json:"note,omitempty"`
}
