package contract

// Change is one change of stock, of the routing directory or of keys, or a repair.
type Change struct {
	At         Time   `json:"at" format:"date-time"`
	Kind       string `json:"kind" enum:"stock,directory,key,audit"`
	Verb       string `json:"verb" example:"adjust" doc:"stock: adjust, transfer or remove. directory: apply. key: create or revoke. audit: repair."`
	ID         string `json:"id" example:"count-1" doc:"The id of the operation, the key or the audit, or the version of the directory."`
	Actor      string `json:"actor" example:"checkout-eu" doc:"Who: the name of the key. Without keys, what the caller said."`
	OnBehalfOf string `json:"on_behalf_of,omitempty" example:"anna" doc:"The person for whom the actor made the change, as the actor says."`
	Reason     string `json:"reason,omitempty" example:"stocktake" doc:"Why. Of a key: its name."`
	RequestID  string `json:"request_id,omitempty" doc:"The header X-Request-Id of the call."`
}

// ChangePage is one page of changes.
type ChangePage struct {
	Changes    []Change `json:"changes" nullable:"false"`
	NextCursor string   `json:"next_cursor,omitempty" doc:"The cursor of the next page. Absent on the last page."`
}

// The limits of a page of changes.
const (
	ChangesMax     = 500
	ChangesDefault = 50
)
