package contract

// KeyHeader may have the id of a call in place of the field id of its body.
const KeyHeader = "Idempotency-Key"

// Keyed is a body with an id by which a repeat is recognised.
type Keyed interface{ Key() *string }

// Key returns where the body has its id.
func (r *ReserveRequest) Key() *string    { return &r.ID }
func (r *UnitsRequest) Key() *string      { return &r.ID }
func (r *MoveRequest) Key() *string       { return &r.ID }
func (r *AmendRequest) Key() *string      { return &r.ID }
func (r *ReturnRequest) Key() *string     { return &r.ID }
func (r *UnfulfillRequest) Key() *string  { return &r.ID }
func (r *PutLevelRequest) Key() *string   { return &r.ID }
func (r *AdjustmentRequest) Key() *string { return &r.ID }
func (r *CountsRequest) Key() *string     { return &r.ID }
func (r *TransferRequest) Key() *string   { return &r.ID }
