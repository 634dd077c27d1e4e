package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/location"
)

// LevelsOf lists the levels that a record has units of.
func LevelsOf(r cache.Record) (keys []LevelKey) {
	for _, line := range r.Lines {
		for _, a := range line.From {
			keys = append(keys, LevelKey{line.SKU, a.Location})
		}
	}
	return keys
}

// FindingKind says what an audit has found.
type FindingKind string

// The kinds. All but the last three are drift: somebody or something has changed a side by itself.
const (
	KindCounterDrift       FindingKind = "counter_drift"       // a level counts otherwise in Redis
	KindLevelMissing       FindingKind = "level_missing"       // Redis has no such level, or not all of it
	KindLevelUnknown       FindingKind = "level_unknown"       // the ledger has no such level
	KindReservationMissing FindingKind = "reservation_missing" // Redis has no record of a live one
	KindReservationExtra   FindingKind = "reservation_extra"   // the ledger has none of this id
	KindReservationState   FindingKind = "reservation_state"   // the record is another one
	KindLimitDrift         FindingKind = "limit_drift"         // a purchase limit counts otherwise in Redis
	KindDeadlineMissing    FindingKind = "deadline_missing"    // a held reservation would never expire
	KindDeadlineOrphaned   FindingKind = "deadline_orphaned"   // of an id that nobody knows
	KindLedgerInconsistent FindingKind = "ledger_inconsistent" // a level of the ledger is not the sum of its lines, or of its movements
	KindUndecided          FindingKind = "undecided"           // refusals came and went each time it was looked at

	KindOpenRefusal FindingKind = "open_refusal" // a refused step that is still being undone
	KindQuarantined FindingKind = "quarantined"  // an event or entry that is never applied
)

// FindingKinds lists them.
var FindingKinds = []FindingKind{
	KindCounterDrift, KindLevelMissing, KindLevelUnknown, KindReservationMissing, KindReservationExtra, KindReservationState,
	KindLimitDrift, KindDeadlineMissing, KindDeadlineOrphaned, KindLedgerInconsistent, KindUndecided, KindOpenRefusal, KindQuarantined,
}

// Drift says that a kind is drift, and not a part of how things go.
func (k FindingKind) Drift() bool { return k != KindOpenRefusal && k != KindQuarantined }

// The states of a finding.
const (
	FindingOpen     = "open"
	FindingRepaired = "repaired"
	FindingGone     = "gone" // another repaired it, or it was settled, before it was looked at again
)

// AuditFinding is one thing that an audit has found.
type Finding struct {
	ID          string       `json:"id"` // of the kind and the name: the same in each audit that finds it
	Kind        FindingKind  `json:"kind"`
	State       string       `json:"state"` // open, repaired or gone
	SKU         location.SKU `json:"sku,omitempty"`
	Location    location.ID  `json:"location,omitempty"`
	Reservation string       `json:"reservation,omitempty"`
	Limit       string       `json:"limit,omitempty"`
	Customer    string       `json:"customer,omitempty"`
	Name        string       `json:"name,omitempty"`     // what Redis calls it, quoted where it is none of the above
	Position    string       `json:"position,omitempty"` // of the stream, where both sides were read; "" within the ledger
	Redis       *Side        `json:"redis"`              // nil: nothing
	Ledger      *Side        `json:"ledger"`
	Units       int64        `json:"units"`            // that a repair would change at most
	Frozen      bool         `json:"frozen,omitempty"` // a level below zero: nothing is sold from it, see Note
	Note        string       `json:"note,omitempty"`
	RepairedAt  string       `json:"repaired_at_position,omitempty"`

	Entry EntryID   `json:"-"`
	Seen  seenTexts `json:"-"`
}

// AuditSide is what one side says of what a finding is about.
type Side struct {
	Available      *int64 `json:"available,omitempty"`
	OnHand         *int64 `json:"on_hand,omitempty"`
	Held           *int64 `json:"held,omitempty"`
	Committed      *int64 `json:"committed,omitempty"`
	SafetyStock    *int64 `json:"safety_stock,omitempty"`
	BackorderLimit *int64 `json:"backorder_limit,omitempty"`
	Units          *int64 `json:"units,omitempty"` // of a limit

	State   cache.State `json:"state,omitempty"`
	Version int64       `json:"version,omitzero"`
	Birth   string      `json:"birth,omitempty"`
	Expires int64       `json:"expires_ms,omitzero"`
	From    []string    `json:"from,omitempty"` // units, SKU and location of each part

	Text string `json:"text,omitempty"` // quoted: what is stored and can't be read
}

// seenTexts are the texts that Redis had: its field or member, and what stood there.
type seenTexts struct {
	Part  Part     `json:"part"`
	Name  []byte   `json:"name"`
	There []bool   `json:"there,omitempty"`
	Texts [][]byte `json:"texts,omitempty"`
}

// Part is what of Redis something belongs to.
type Part string

const (
	PartLevel       Part = "level"
	PartReservation Part = "reservation"
	PartLimit       Part = "limit"
	PartDeadline    Part = "deadline"
)

func seenOf(p Part, name string, texts ...cache.Text) seenTexts {
	s := seenTexts{Part: p, Name: []byte(name)}
	for _, t := range texts {
		s.There, s.Texts = append(s.There, t.There), append(s.Texts, []byte(t.Text))
	}
	return s
}

// Text is the n-th of what was seen.
func (s *seenTexts) Text(n int) cache.Text {
	if n >= len(s.Texts) || n >= len(s.There) {
		return cache.Text{}
	}
	return cache.Text{There: s.There[n], Text: string(s.Texts[n])}
}

// FindingID is the id of what is found of a kind and a name.
func FindingID(kind FindingKind, name string) string {
	sum := sha256.Sum256([]byte(string(kind) + "\x1f" + name))
	return hex.EncodeToString(sum[:8])
}

// FindingAt makes a finding of a name of Redis, at an entry.
func FindingAt(kind FindingKind, name string, at EntryID) Finding {
	return Finding{ID: FindingID(kind, name), Kind: kind, State: FindingOpen, Entry: at, Position: at.String()}
}

// ofLevel says which level a finding is about.
func (f *Finding) ofLevel(name string) {
	sku, at, ok := cache.SplitLevel(name)
	if !ok {
		f.Name = shownText(name)
		return
	}
	f.SKU, f.Location = sku, at
}

// ofReservation says which reservation a finding is about.
func (f *Finding) ofReservation(id string) {
	if !cache.IsIdentifier(id) {
		f.Name = shownText(id)
		return
	}
	f.Reservation = id
}

// shownText is a text of any bytes as people and databases take it.
func shownText(text string) string {
	const most = 512
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strconv.QuoteToASCII(text)
}

// sideOfCounts is a level as Redis counts it.
func sideOfCounts(c cache.LevelCounts) *Side {
	return &Side{
		Available: &c.Available, OnHand: &c.OnHand, Committed: &c.Committed, SafetyStock: &c.SafetyStock,
		BackorderLimit: &c.BackorderLimit,
	}
}

// sideOfTexts is what stands in Redis and can't be read.
func sideOfTexts(texts ...cache.Text) *Side {
	var parts []string
	for _, t := range texts {
		if t.There {
			parts = append(parts, shownText(t.Text))
		} else {
			parts = append(parts, "nothing")
		}
	}
	return &Side{Text: strings.Join(parts, ", ")}
}

// sideOfRecord is a reservation.
func sideOfRecord(r *cache.Record) *Side {
	side := &Side{State: r.State, Version: r.Version, Birth: r.Birth, Expires: r.Expires}
	for _, line := range r.Lines {
		for _, a := range line.From {
			side.From = append(side.From, fmt.Sprintf("%d %s %s", a.Quantity-a.Fulfilled, line.SKU, a.Location))
		}
	}
	return side
}

// unitsOf is how many units a record has.
func unitsOf(r *cache.Record) (units int64) {
	for _, line := range r.Lines {
		for _, a := range line.From {
			units = AddUnits(units, a.Quantity)
		}
	}
	return units
}

// AddUnits adds to units that a repair would change, without the sign of what is added. A record that was
// edited by hand may say anything: a sum that went round would be within every limit.
func AddUnits(units, more int64) int64 {
	if more < 0 {
		more = -max(more, -math.MaxInt64)
	}
	return units + min(more, math.MaxInt64-units)
}

// EncodeSide is a side as its column keeps it.
func EncodeSide(s *Side) string {
	if s == nil {
		return ""
	}
	return EncodeJSON(s)
}

func EncodeJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("reconcile: a finding is JSON: " + err.Error())
	}
	return string(text)
}

func DecodeSide(text string) (*Side, error) {
	if text == "" {
		return nil, nil
	}
	side := &Side{}
	return side, json.Unmarshal([]byte(text), side)
}

func NamesOf(keys []LevelKey) []string {
	return Column(keys, func(k LevelKey) string { return cache.LevelField(k.SKU, k.Location) })
}

// OfCounter says whether a finding is about a level's counters. Those of purchase limits draw on nothing.
func (f *Finding) OfCounter() bool {
	return f.Kind == KindCounterDrift || f.Kind == KindLevelMissing || f.Kind == KindLevelUnknown
}
