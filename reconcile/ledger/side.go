package ledger

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/wire"
)

// Side is what Redis or the ledger has for the subject of a finding.
type Side struct {
	Available      *int64 `json:"available,omitempty"`
	OnHand         *int64 `json:"on_hand,omitempty"`
	Held           *int64 `json:"held,omitempty"`
	Committed      *int64 `json:"committed,omitempty"`
	SafetyStock    *int64 `json:"safety_stock,omitempty"`
	BackorderLimit *int64 `json:"backorder_limit,omitempty"`
	Units          *int64 `json:"units,omitempty"` // of a purchase limit

	State         cache.State `json:"state,omitempty"`
	Version       int64       `json:"version,omitzero"`
	CreationNonce string      `json:"birth,omitempty"`
	Expires       int64       `json:"expires_ms,omitzero"`
	From          []string    `json:"from,omitempty"` // units, SKU and location of each part

	Text string `json:"text,omitempty"` // quoted: a stored value that can't be read
}

// LedgerSide returns a level as the ledger counts it.
func LedgerSide(l Level) *Side {
	side := sideOfCounts(CountsOf(&l))
	side.Held = &l.Held
	return side
}

// sideOfCounts returns a level as Redis counts it.
func sideOfCounts(c wire.LevelCounts) *Side {
	return &Side{
		Available: &c.Available, OnHand: &c.OnHand, Committed: &c.Committed, SafetyStock: &c.SafetyStock,
		BackorderLimit: &c.BackorderLimit,
	}
}

// sideOfTexts returns values of Redis that can't be read.
func sideOfTexts(texts ...wire.Text) *Side {
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

// sideOfRecord returns a reservation.
func sideOfRecord(r *wire.Record) *Side {
	side := &Side{State: r.State, Version: r.Version, CreationNonce: r.CreationNonce, Expires: r.Expires}
	for _, line := range r.Lines {
		for _, a := range line.From {
			side.From = append(side.From, fmt.Sprintf("%d %s %s", a.Quantity-a.Fulfilled, line.SKU, a.Location))
		}
	}
	return side
}

// isLevel reports whether a side has every count of a level.
func (s *Side) isLevel() bool {
	return s != nil && s.Available != nil && s.OnHand != nil && s.Committed != nil && s.SafetyStock != nil && s.BackorderLimit != nil
}

// below reports whether available is below zero.
func (s *Side) below() bool { return s != nil && s.Available != nil && *s.Available < 0 }

// unitsOf returns how many units a record draws.
func unitsOf(r *wire.Record) (units int64) {
	for _, line := range r.Lines {
		for _, a := range line.From {
			units = AddUnits(units, a.Quantity)
		}
	}
	return units
}

// AddUnits adds the absolute value of more to the units that a repair would change. The sum stops
// at the largest int64: a record that was edited by hand may hold any number, and a sum that
// overflowed would pass every limit.
func AddUnits(units, more int64) int64 {
	if more < 0 {
		more = -max(more, -math.MaxInt64)
	}
	return units + min(more, math.MaxInt64-units)
}

// EncodeSide returns a side as its column stores it, or "" for nil.
func EncodeSide(s *Side) string {
	if s == nil {
		return ""
	}
	return EncodeJSON(s)
}

// EncodeJSON returns v as JSON. It panics if v can't be encoded, which is a mistake in the program.
func EncodeJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("ledger: encode JSON: " + err.Error())
	}
	return string(text)
}

// DecodeSide reads what EncodeSide returned.
func DecodeSide(text string) (*Side, error) {
	if text == "" {
		return nil, nil
	}
	side := &Side{}
	return side, json.Unmarshal([]byte(text), side)
}

// SeenTexts are the values that Redis had: the field or member, and what was stored there.
type SeenTexts struct {
	Part  Part     `json:"part"`
	Name  []byte   `json:"name"`
	There []bool   `json:"there,omitempty"`
	Texts [][]byte `json:"texts,omitempty"`
}

// Part is a part of the state in Redis.
type Part string

// The parts.
const (
	PartLevel       Part = "level"
	PartReservation Part = "reservation"
	PartLimit       Part = "limit"
	PartDeadline    Part = "deadline"
)

// seenOf returns what Redis had for a name.
func seenOf(p Part, name string, texts ...wire.Text) SeenTexts {
	s := SeenTexts{Part: p, Name: []byte(name)}
	for _, t := range texts {
		s.There, s.Texts = append(s.There, t.There), append(s.Texts, []byte(t.Text))
	}
	return s
}

// Text returns the n-th value, or no text if there are fewer.
func (s *SeenTexts) Text(n int) wire.Text {
	if n >= len(s.Texts) || n >= len(s.There) {
		return wire.Text{}
	}
	return wire.Text{There: s.There[n], Text: string(s.Texts[n])}
}

// shownText returns any bytes as quoted text, at most 512 of them.
func shownText(text string) string {
	const most = 512
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strconv.QuoteToASCII(text)
}
