package contract

// Reservation is units taken for one order.
type Reservation struct {
	ID        string   `json:"id" example:"ord-1001"`
	State     string   `json:"state" enum:"held,confirmed,fulfilled,released,expired" example:"held" doc:"A hold past its deadline is expired, even if its units have not been returned yet."`
	Version   int64    `json:"version" minimum:"1" example:"1" doc:"1 at first. Each transition adds 1."`
	ExpiresAt Time     `json:"expires_at,omitzero" format:"date-time" example:"2026-11-27T08:10:00.000Z" doc:"The deadline, to the millisecond. Present while the reservation is held, and if it expired."`
	CreatedAt Time     `json:"created_at" format:"date-time" example:"2026-11-27T08:00:00.000Z"`
	Channel   string   `json:"channel,omitempty" example:"web"`
	Customer  string   `json:"customer,omitempty" example:"c-9"`
	Order     string   `json:"order,omitempty" example:"5512"`
	ShipTo    *Address `json:"ship_to,omitempty" doc:"The address of the lines without a destination of their own. In the answer of a read or a search only."`
	Pickup    string   `json:"pickup,omitempty" doc:"Where the customer collects those lines. In the answer of a read or a search only."`
	Lines     []Line   `json:"lines" nullable:"false"`

	Identities []string `json:"identities,omitempty" example:"[\"card:ab12\"]" doc:"The identities that purchase limits count beside the customer. Absent if no limit counts the reservation."`

	Metadata map[string]string `json:"metadata,omitempty" doc:"Your own strings, in the answer of a read or a describe. Absent if there are none, if the ledger does not answer, and in the first moments of a reservation."`

	Durable *bool `json:"durable,omitempty" doc:"true if the ledger has the change, false only if the server has no ledger. Present after a confirm, a fulfill, and any other change of a confirmed reservation."`
}

// Line is one line of a Reservation.
type Line struct {
	Line      string       `json:"line" example:"1"`
	SKU       string       `json:"sku" example:"TEE-M"`
	Quantity  int64        `json:"quantity" example:"2" doc:"Units in the reservation. A partial release lowers it."`
	Requested int64        `json:"requested" example:"2" doc:"Units last asked for, by the reserve or by an amend of the line."`
	Fulfilled int64        `json:"fulfilled" example:"0" doc:"Units of quantity that have left."`
	Returned  int64        `json:"returned" example:"0" doc:"Units of fulfilled that came back into stock."`
	From      []Allocation `json:"from" nullable:"false" doc:"The locations that serve the line."`
	ShipTo    *Address     `json:"ship_to,omitempty" doc:"The line's own address. In the answer of a read or a search only."`
	Pickup    string       `json:"pickup,omitempty" doc:"The location where the customer collects this line. In the answer of a read or a search only."`

	Backorder   bool  `json:"backorder,omitempty,omitzero" doc:"true if the line was taken with backorder."`
	Backordered int64 `json:"backordered,omitzero" minimum:"1" example:"1" doc:"Of a line with backorder: units, or kits, that may have to wait for units to arrive. Absent if there are none, in a search, and unless the reservation is held or confirmed."`

	Components []LineComponent `json:"components,omitempty" nullable:"false" doc:"The SKUs of a kit. The quantities of the line then count kits."`
}

// LineComponent is one of the SKUs of a kit.
type LineComponent struct {
	SKU      string       `json:"sku" example:"CAP"`
	Quantity int64        `json:"quantity" example:"2" doc:"Units for all kits of the line."`
	From     []Allocation `json:"from" nullable:"false"`
}

// Allocation is the part of a line that one location serves.
type Allocation struct {
	Location string `json:"location" example:"berlin"`
	Quantity int64  `json:"quantity" example:"2" doc:"Units."`
}

// ReservationPage is one page of reservations.
type ReservationPage struct {
	Reservations []Reservation `json:"reservations" nullable:"false" doc:"The newest first."`
	NextCursor   string        `json:"next_cursor,omitempty" doc:"The cursor of the next page. Absent on the last page."`
}

// ReserveRequest is the body of a reserve.
type ReserveRequest struct {
	ID         string            `json:"id,omitempty" minLength:"1" maxLength:"128" example:"ord-1001" doc:"Your id for the reservation, and its idempotency key. Required, unless the header Idempotency-Key has it. An identifier is 1 to 128 bytes of UTF-8 without control characters or braces, and is not . or .."`
	Channel    string            `json:"channel,omitempty" maxLength:"128" example:"web" doc:"The sales channel. Optional if the directory has a default channel."`
	Customer   string            `json:"customer,omitempty" maxLength:"128" example:"c-9" doc:"The customer. Campaigns count by it, and you can search by it."`
	Order      string            `json:"order,omitempty" maxLength:"128" example:"5512" doc:"The order. You can search by it."`
	ShipTo     *Address          `json:"ship_to,omitempty" doc:"The address that the order ships to. Not allowed with pickup."`
	Pickup     string            `json:"pickup,omitempty" maxLength:"128" doc:"The location where the customer collects the order. Not allowed with ship_to."`
	Prefer     []string          `json:"prefer,omitempty" maxItems:"100" example:"[\"lyon\"]" doc:"Locations to try before the others, in this order. It makes no location a candidate."`
	TTLSeconds *Whole            `json:"ttl_seconds,omitempty" minimum:"1" example:"600" doc:"Seconds from now until the deadline."`
	Split      string            `json:"split,omitempty" enum:"never,lines,units" example:"lines" doc:"How far the reservation may be spread over locations. never: one location serves everything. lines: one location serves each line. units: several locations may serve a line. Default: the setting of the channel."`
	Lines      []LineRequest     `json:"lines" minItems:"1" maxItems:"500" nullable:"false"`
	NotAfter   *string           `json:"not_after,omitempty" format:"date-time" example:"2026-11-27T08:00:05.000Z" doc:"Refuse with expired_request after this moment, by the clock of the server. Default: no bound."`
	Metadata   map[string]string `json:"metadata,omitempty" maxProperties:"16" doc:"Your own strings, at most 512 bytes each. The ledger keeps them."`
	Identities []string          `json:"identities,omitempty" maxItems:"8" example:"[\"card:ab12\"]" doc:"Identities of the customer, such as a hashed card or a device. A purchase limit counts each of them as it counts the customer, and refuses if one of them would exceed it."`
}

// Address is where an order is shipped to.
type Address struct {
	Country    string   `json:"country,omitempty" example:"DE" doc:"ISO 3166-1, two letters."`
	Region     string   `json:"region,omitempty" example:"BE"`
	PostalCode string   `json:"postal_code,omitempty" example:"10115"`
	Latitude   *float64 `json:"latitude,omitempty" minimum:"-90" maximum:"90" example:"52.5" doc:"Degrees north."`
	Longitude  *float64 `json:"longitude,omitempty" minimum:"-180" maximum:"180" example:"13.4" doc:"Degrees east."`
}

// LineRequest is one line of a ReserveRequest.
type LineRequest struct {
	Line      string   `json:"line" minLength:"1" maxLength:"128" example:"1" doc:"The line id of the order, unique in the reservation."`
	SKU       string   `json:"sku" minLength:"1" maxLength:"128" example:"TEE-M"`
	Quantity  Whole    `json:"quantity" minimum:"1" maximum:"2147483647" example:"2" doc:"Units."`
	Location  string   `json:"location,omitempty" maxLength:"128" example:"berlin" doc:"Pins the line: only this location may serve it. Not allowed with locations."`
	Locations []string `json:"locations,omitempty" maxItems:"100" example:"[\"lyon\",\"berlin\"]" doc:"Only these locations may serve the line, tried in this order, as far as the channel and the address allow them."`
	ShipTo    *Address `json:"ship_to,omitempty" doc:"The address that this line ships to, in place of that of the request. Not allowed with pickup."`
	Pickup    string   `json:"pickup,omitempty" maxLength:"128" doc:"The location where the customer collects this line, in place of the destination of the request. Not allowed with ship_to."`

	Backorder bool `json:"backorder,omitempty,omitzero" doc:"Take the line even if its units are not available: those that are, and the rest from the first location in routed order. available falls below 0 by as much."`
}

// DescribeRequest is the body of a describe, a JSON Merge Patch (RFC 7396) of a reservation. A field
// that is absent stays, and null removes it.
type DescribeRequest struct {
	Version  *Whole        `json:"version,omitempty" minimum:"1" example:"1" doc:"Refuse unless the reservation has this version. Default: any version."`
	Customer Patch         `json:"customer,omitempty" nullable:"true" maxLength:"128" example:"c-9" doc:"The customer. Purchase limits count by it, and you can search by it."`
	Order    Patch         `json:"order,omitempty" nullable:"true" maxLength:"128" example:"5512" doc:"The order. You can search by it."`
	Metadata MetadataPatch `json:"metadata,omitempty" nullable:"true" maxProperties:"16" doc:"Your own strings. A key that is absent stays, and null removes it."`

	Identities IdentitiesPatch `json:"identities,omitzero" nullable:"true" maxItems:"8" doc:"Replaces the identities that purchase limits count beside the customer."`
}

// ConfirmRequest is the optional body of a confirm.
type ConfirmRequest struct {
	Version  *Whole  `json:"version,omitempty" minimum:"1" example:"1" doc:"Refuse unless the reservation has this version. Default: any version."`
	NotAfter *string `json:"not_after,omitempty" format:"date-time" example:"2026-11-27T08:00:05.000Z" doc:"Refuse with expired_request after this moment, by the clock of the server. Default: no bound."`
}

// UnitsRequest is the optional body of a release or a fulfill. Without it, all units are meant.
type UnitsRequest struct {
	ID      string         `json:"id,omitempty" maxLength:"128" example:"ship-1" doc:"Your id for this step as an operation, and its idempotency key: a repeat changes nothing, whatever happened since. Not the id of another operation."`
	Version *Whole         `json:"version,omitempty" minimum:"1" example:"1" doc:"Refuse unless the reservation has this version. Required with lines if there is no id, so that a repeated call changes nothing."`
	Lines   []LineQuantity `json:"lines,omitempty" minItems:"1" maxItems:"500" doc:"Only these units. Default: all units that are left."`
}

// LineQuantity is a number of units of one line.
type LineQuantity struct {
	Line     string `json:"line" minLength:"1" maxLength:"128" example:"1"`
	Quantity Whole  `json:"quantity" minimum:"1" maximum:"2147483647" example:"1" doc:"Units, at most what the line has left."`
}

// ExtendRequest is the optional body of an extend.
type ExtendRequest struct {
	TTLSeconds *Whole  `json:"ttl_seconds,omitempty" minimum:"1" example:"600" doc:"Seconds from now until the deadline."`
	Version    *Whole  `json:"version,omitempty" minimum:"1" example:"1" doc:"Refuse unless the reservation has this version. Default: any version."`
	NotAfter   *string `json:"not_after,omitempty" format:"date-time" example:"2026-11-27T08:00:05.000Z" doc:"Refuse with expired_request after this moment, by the clock of the server. Default: no bound."`
}

// MoveRequest is the body of a move.
type MoveRequest struct {
	ID       string  `json:"id,omitempty" maxLength:"128" example:"move-1" doc:"Your id for this step as an operation, and its idempotency key: a repeat changes nothing, whatever happened since. Not the id of another operation."`
	Version  *Whole  `json:"version,omitempty" minimum:"1" example:"1" doc:"Refuse unless the reservation has this version. Required if there is no id, so that a repeated call changes nothing."`
	Line     string  `json:"line" minLength:"1" maxLength:"128" example:"1"`
	To       string  `json:"to" minLength:"1" maxLength:"128" example:"lyon" doc:"The location to serve what is left of the line."`
	NotAfter *string `json:"not_after,omitempty" format:"date-time" example:"2026-11-27T08:00:05.000Z" doc:"Refuse with expired_request after this moment, by the clock of the server. Default: no bound."`
}

// AmendRequest is the body of an amend.
type AmendRequest struct {
	ID       string      `json:"id,omitempty" maxLength:"128" example:"chg-1" doc:"Your id for this step as an operation, and its idempotency key: a repeat changes nothing, whatever happened since. Not the id of another operation."`
	Version  *Whole      `json:"version,omitempty" minimum:"1" example:"1" doc:"Refuse unless the reservation has this version. Required if there is no id, so that a repeated call changes nothing."`
	Lines    []AmendLine `json:"lines" minItems:"1" maxItems:"100" nullable:"false" doc:"The lines to change, add or remove. Other lines stay as they are."`
	NotAfter *string     `json:"not_after,omitempty" format:"date-time" example:"2026-11-27T08:00:05.000Z" doc:"Refuse with expired_request after this moment, by the clock of the server. Default: no bound."`
}

// AmendLine is one line of an AmendRequest.
type AmendLine struct {
	Line     string `json:"line" minLength:"1" maxLength:"128" example:"1" doc:"A line of the reservation, or the name of a new one."`
	Quantity *Whole `json:"quantity" minimum:"0" maximum:"2147483647" example:"5" doc:"Units of the line from now on, with those that have left, or kits if the line is a kit. 0 removes the line."`
	SKU      string `json:"sku,omitempty" maxLength:"128" example:"CAP" doc:"Required for a new line. A line of the reservation keeps its SKU."`
	Location string `json:"location,omitempty" maxLength:"128" example:"berlin" doc:"Pins what is added: only this location may serve it."`

	Backorder bool `json:"backorder,omitempty,omitzero" doc:"Only for a new line: take it even if its units are not available. Other lines keep what they were taken with."`
}

// ReturnRequest is the body of a return.
type ReturnRequest struct {
	ID      string       `json:"id,omitempty" minLength:"1" maxLength:"128" example:"ret-1" doc:"Your id for the return, and its idempotency key. Required, unless the header Idempotency-Key has it. It may equal a reservation id, but not the id of another operation."`
	Version *Whole       `json:"version,omitempty" minimum:"1" example:"3" doc:"Refuse unless the reservation has this version. Default: any version."`
	Lines   []ReturnLine `json:"lines" minItems:"1" maxItems:"500" nullable:"false"`
	To      string       `json:"to" minLength:"1" maxLength:"128" example:"berlin" doc:"The location that receives the units. If the SKU has no level there, one is created."`
}

// UnfulfillRequest is the body of an unfulfill.
type UnfulfillRequest struct {
	ID      string       `json:"id,omitempty" minLength:"1" maxLength:"128" example:"unship-1" doc:"Your id for the unfulfill, and its idempotency key. Required, unless the header Idempotency-Key has it. It may equal a reservation id, but not the id of another operation."`
	Version *Whole       `json:"version,omitempty" minimum:"1" example:"3" doc:"Refuse unless the reservation has this version. Default: any version."`
	Lines   []ReturnLine `json:"lines" minItems:"1" maxItems:"100" nullable:"false"`
	To      string       `json:"to,omitempty" maxLength:"128" example:"lyon" doc:"The location that takes the units and serves them from now on. If the SKU has no level there, one is created. Default: the locations that they left from."`
}

// ReturnLine is a number of units of one line that come back.
type ReturnLine struct {
	Line     string `json:"line" minLength:"1" maxLength:"128" example:"1"`
	Quantity Whole  `json:"quantity" minimum:"1" maximum:"2147483647" example:"1" doc:"Units, or kits if the line is a kit. At most what has left and has not come back."`
}
