package contract

// Level is a SKU at a location, in units.
type Level struct {
	SKU            string `json:"sku" example:"TEE-M"`
	Location       string `json:"location" example:"berlin"`
	OnHand         int64  `json:"on_hand" example:"40" doc:"Units at the location."`
	Held           int64  `json:"held" example:"3" doc:"Units of held reservations."`
	Committed      int64  `json:"committed" example:"5" doc:"Units of confirmed reservations that have not left."`
	SafetyStock    int64  `json:"safety_stock" example:"2" doc:"Units kept back from sale."`
	BackorderLimit int64  `json:"backorder_limit" example:"0" doc:"Units that may be sold beyond on hand."`
	Available      int64  `json:"available" example:"30" doc:"on_hand - held - committed - safety_stock + backorder_limit. Only a line with backorder and a stock change can take it below 0."`
	Backordered    int64  `json:"backordered,omitzero" minimum:"1" example:"3" doc:"Units that are promised beyond those that may be sold: what available is below 0. Absent if there are none."`
}

// SKULevels is every level of one SKU.
type SKULevels struct {
	SKU    string  `json:"sku" example:"TEE-M"`
	Levels []Level `json:"levels" nullable:"false" doc:"In order of location. At least one."`
}

// LevelPage is one page of levels.
type LevelPage struct {
	Levels     []Level `json:"levels" nullable:"false" doc:"In order of SKU and location."`
	NextCursor string  `json:"next_cursor,omitempty" doc:"The cursor of the next page. Absent on the last page."`
	Position   string  `json:"position,omitempty" example:"1-5512" doc:"A place in the event stream, epoch-sequence: the counts have every change up to it. It only goes up. Absent before the first change."`
}

// StockQuery is the body of a query of levels.
type StockQuery struct {
	SKUs      []string `json:"skus,omitempty" maxItems:"200" example:"[\"TEE-M\"]" doc:"Only these SKUs. Default: all."`
	Locations []string `json:"locations,omitempty" maxItems:"100" example:"[\"berlin\"]" doc:"Only these locations. Default: all."`
	Limit     *Whole   `json:"limit,omitempty" minimum:"1" maximum:"500" example:"50" doc:"The most levels on the page. Default: 50."`
	Cursor    string   `json:"cursor,omitempty" doc:"The next_cursor of the previous page of the same query. Leave it out for the first page."`
}

// PutLevelRequest is the body of a count or a change of policy. A new level starts at 0.
type PutLevelRequest struct {
	ID             string  `json:"id,omitempty" minLength:"1" maxLength:"128" example:"count-2026-11-20-berlin" doc:"Your id for the operation, and its idempotency key. Required, unless the header Idempotency-Key has it. It may equal a reservation id, but not the id of another operation."`
	OnHand         *Whole  `json:"on_hand,omitempty" minimum:"0" maximum:"2147483647" example:"40" doc:"A count: the units at the location. Required without a policy field."`
	IfOnHand       *Whole  `json:"if_on_hand,omitempty" minimum:"0" maximum:"2147483647" example:"38" doc:"Refuse with version_conflict unless on hand is this number. The problem's on_hand is the current number."`
	AsOf           *string `json:"as_of,omitempty" format:"date-time" example:"2026-11-20T06:00:00Z" doc:"The time of the count. Units that left or arrived since then are taken into account. Default: now."`
	SafetyStock    *Whole  `json:"safety_stock,omitempty" minimum:"0" maximum:"2147483647" example:"2" doc:"Units to keep back from sale. Default: unchanged."`
	BackorderLimit *Whole  `json:"backorder_limit,omitempty" minimum:"0" maximum:"2147483647" example:"0" doc:"Units that may be sold beyond on hand. Default: unchanged."`
	Reason         string  `json:"reason,omitempty" maxLength:"512" example:"yearly count" doc:"Why. Kept with the event."`
	Actor          string  `json:"actor,omitempty" maxLength:"512" example:"anna" doc:"Who. Kept with the event. If the call has a key, the actor is the name of the key, and this counts as on_behalf_of."`
	OnBehalfOf     string  `json:"on_behalf_of,omitempty" maxLength:"512" example:"anna" doc:"The person for whom the actor makes the change. Kept beside the actor."`
	NotAfter       *string `json:"not_after,omitempty" format:"date-time" example:"2026-11-27T08:00:05.000Z" doc:"Refuse with expired_request after this moment, by the clock of the server. Default: no bound."`
}

// AdjustmentRequest is the body of an adjustment.
type AdjustmentRequest struct {
	ID         string  `json:"id,omitempty" minLength:"1" maxLength:"128" example:"delivery-881" doc:"Your id for the operation, and its idempotency key. Required, unless the header Idempotency-Key has it. It may equal a reservation id, but not the id of another operation."`
	SKU        string  `json:"sku" minLength:"1" maxLength:"128" example:"TEE-M"`
	Location   string  `json:"location" minLength:"1" maxLength:"128" example:"berlin"`
	Delta      Whole   `json:"delta" minimum:"-2147483647" maximum:"2147483647" example:"12" doc:"Units to add to on hand, or to subtract if negative. Not 0. It may take available below 0, but never on hand."`
	Reason     string  `json:"reason,omitempty" maxLength:"512" example:"delivery" doc:"Why. Kept with the event."`
	Actor      string  `json:"actor,omitempty" maxLength:"512" example:"anna" doc:"Who. Kept with the event. If the call has a key, the actor is the name of the key, and this counts as on_behalf_of."`
	OnBehalfOf string  `json:"on_behalf_of,omitempty" maxLength:"512" example:"anna" doc:"The person for whom the actor makes the change. Kept beside the actor."`
	NotAfter   *string `json:"not_after,omitempty" format:"date-time" example:"2026-11-27T08:00:05.000Z" doc:"Refuse with expired_request after this moment, by the clock of the server. Default: no bound."`
}

// ChangedLevel is a level after a stock change.
type ChangedLevel struct {
	Level
	Durable bool `json:"durable" doc:"true if the ledger has the change, false only if the server has no ledger."`
	Short
	InForce *CountInForce `json:"in_force,omitempty" doc:"The count of a later moment that this count with as_of did not replace. Absent if this count was applied."`
}

// CountInForce is the last operation that said how many units of a level there are.
type CountInForce struct {
	ID   string `json:"id" example:"count-2026-11-20-noon" doc:"The id of the count, or of the removal of the level."`
	AsOf Time   `json:"as_of" format:"date-time" example:"2026-11-20T12:00:00.000Z" doc:"The moment that it was made for."`
}

// Short is what is sold from a level beyond what it can serve. The zero value is nothing.
type Short struct {
	Shortfall    int64              `json:"shortfall,omitzero" minimum:"1" example:"2" doc:"Committed units that exceed on hand and backorder_limit: the level can't fulfill all of its reservations. Absent if there are none."`
	Reservations []ShortReservation `json:"short_reservations,omitempty" doc:"The newest confirmed reservations that add up to shortfall, at most 20. If they add up to less, search for the confirmed reservations of this SKU and location. Absent without a shortfall, or if the ledger did not answer in time."`
}

// ShortReservation is a confirmed reservation that a level has too few units for.
type ShortReservation struct {
	ID       string `json:"id" example:"ord-1001"`
	Order    string `json:"order,omitempty" example:"5512"`
	Customer string `json:"customer,omitempty" example:"c-9"`
	Quantity int64  `json:"quantity" minimum:"1" example:"2" doc:"Units of the reservation that are committed at this level."`
}

// CountsRequest is the body of many counts at once.
type CountsRequest struct {
	ID         string  `json:"id,omitempty" minLength:"1" maxLength:"128" example:"count-2026-11-20" doc:"Your id for the operation, and its idempotency key. Required, unless the header Idempotency-Key has it. It may equal a reservation id, but not the id of another operation."`
	AsOf       *string `json:"as_of,omitempty" format:"date-time" example:"2026-11-20T06:00:00Z" doc:"The time of all counts. Units that left or arrived since then are taken into account. Default: now."`
	Reason     string  `json:"reason,omitempty" maxLength:"512" example:"yearly count" doc:"Why. Kept with the event."`
	Actor      string  `json:"actor,omitempty" maxLength:"512" example:"anna" doc:"Who. Kept with the event. If the call has a key, the actor is the name of the key, and this counts as on_behalf_of."`
	OnBehalfOf string  `json:"on_behalf_of,omitempty" maxLength:"512" example:"anna" doc:"The person for whom the actor makes the change. Kept beside the actor."`
	NotAfter   *string `json:"not_after,omitempty" format:"date-time" example:"2026-11-27T08:00:05.000Z" doc:"Refuse with expired_request after this moment, by the clock of the server. Default: no bound."`
	Counts     []Count `json:"counts" minItems:"1" maxItems:"500" nullable:"false"`

	AllowUnknownLocations bool `json:"allow_unknown_locations,omitempty" doc:"Also set units at locations that the routing directory does not have. They can't be sold until it has them."`
}

// Count is one level of a CountsRequest.
type Count struct {
	SKU            string `json:"sku" minLength:"1" maxLength:"128" example:"TEE-M"`
	Location       string `json:"location" minLength:"1" maxLength:"128" example:"berlin"`
	OnHand         *Whole `json:"on_hand,omitempty" minimum:"0" maximum:"2147483647" example:"40" doc:"The units at the location. Required without a policy field."`
	IfOnHand       *Whole `json:"if_on_hand,omitempty" minimum:"0" maximum:"2147483647" example:"38" doc:"Refuse all counts with version_conflict unless on hand is this number. The problem's on_hand, sku and location say which level it is and its current number."`
	SafetyStock    *Whole `json:"safety_stock,omitempty" minimum:"0" maximum:"2147483647" example:"2" doc:"Units to keep back from sale. Default: unchanged."`
	BackorderLimit *Whole `json:"backorder_limit,omitempty" minimum:"0" maximum:"2147483647" example:"0" doc:"Units that may be sold beyond on hand. Default: unchanged."`
}

// CountsAnswer is the levels after many counts at once.
type CountsAnswer struct {
	ID        string         `json:"id" example:"count-2026-11-20"`
	Levels    []CountedLevel `json:"levels" nullable:"false" doc:"The current levels, in the order of counts."`
	AppliedAt Time           `json:"applied_at" format:"date-time" example:"2026-11-20T18:00:00.000Z" doc:"When the counts were applied. In a replay: when they were applied first."`
	Durable   bool           `json:"durable" doc:"true if the ledger has the change, false only if the server has no ledger."`
}

// CountedLevel is a level after a count.
type CountedLevel struct {
	Level
	Short
	InForce *CountInForce `json:"in_force,omitempty" doc:"The count of a later moment that this count with as_of did not replace. Absent if this count was applied."`
}

// TransferRequest is the body of a transfer.
type TransferRequest struct {
	ID         string  `json:"id,omitempty" minLength:"1" maxLength:"128" example:"van-7" doc:"Your id for the operation, and its idempotency key. Required, unless the header Idempotency-Key has it. It may equal a reservation id, but not the id of another operation."`
	SKU        string  `json:"sku" minLength:"1" maxLength:"128" example:"TEE-M"`
	From       string  `json:"from" minLength:"1" maxLength:"128" example:"berlin" doc:"The location that gives the units. The SKU must have a level there."`
	To         string  `json:"to" minLength:"1" maxLength:"128" example:"lyon" doc:"The location that receives the units. If the SKU has no level there, one is created."`
	Quantity   Whole   `json:"quantity" minimum:"1" maximum:"2147483647" example:"6" doc:"Units, at most what is on hand and available at from."`
	Reason     string  `json:"reason,omitempty" maxLength:"512" example:"closer to the customers" doc:"Why. Kept with the event."`
	Actor      string  `json:"actor,omitempty" maxLength:"512" example:"anna" doc:"Who. Kept with the event. If the call has a key, the actor is the name of the key, and this counts as on_behalf_of."`
	OnBehalfOf string  `json:"on_behalf_of,omitempty" maxLength:"512" example:"anna" doc:"The person for whom the actor makes the change. Kept beside the actor."`
	NotAfter   *string `json:"not_after,omitempty" format:"date-time" example:"2026-11-27T08:00:05.000Z" doc:"Refuse with expired_request after this moment, by the clock of the server. Default: no bound."`
}

// TransferAnswer is the two levels after a transfer.
type TransferAnswer struct {
	ID        string  `json:"id" example:"van-7"`
	Levels    []Level `json:"levels" nullable:"false" minItems:"2" maxItems:"2" doc:"The two current levels: from, then to."`
	AppliedAt Time    `json:"applied_at" format:"date-time" example:"2026-11-20T18:00:00.000Z" doc:"When the units were moved. In a replay: when they were moved first."`
	Durable   bool    `json:"durable" doc:"true if the ledger has the change, false only if the server has no ledger."`
}
