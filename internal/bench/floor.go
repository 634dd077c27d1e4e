package bench

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/location"
)

// floor is the least that HTTP costs. Its handler decodes the same JSON and answers the same bytes
// as Holdfast, but from a counter in memory: no Redis, no checks, no ids.
type floor struct {
	*httpServer
	units map[string]*atomic.Int64 // by SKU
	skus  []string                 // of the last call of stock
}

func openFloor(_ context.Context, e *env, _ *workload) (seller, error) {
	f := &floor{units: map[string]*atomic.Int64{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/reservations", f.serveReserve)
	mux.HandleFunc("POST /v1/reservations/{id}/confirm", f.serveConfirm)
	var err error
	f.httpServer, err = serve(mux, e.options.Callers)
	return f, err
}

func (f *floor) stock(_ context.Context, skus []string, units int64) error {
	f.skus = skus
	for _, sku := range skus {
		f.units[sku] = &atomic.Int64{}
		f.units[sku].Store(units)
	}
	return nil
}

// take takes the units of a line. If there are too few, it takes none and returns how many there
// are.
func (f *floor) take(sku string, quantity int64) (ok bool, available int64) {
	units := f.units[sku]
	if left := units.Add(-quantity); left < 0 {
		return false, units.Add(quantity)
	}
	return true, 0
}

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func (f *floor) serveReserve(w http.ResponseWriter, r *http.Request) {
	buffer := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(buffer)
	buffer.Reset()
	var in contract.ReserveRequest
	_, err := buffer.ReadFrom(r.Body)
	if err == nil {
		err = json.Unmarshal(buffer.Bytes(), &in, json.RejectUnknownMembers(true))
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out := reservation(in.ID, "held", 1, len(in.Lines))
	out.Order, out.ExpiresAt = in.Order, contract.Time{Time: out.CreatedAt.Add(holdTTL)}
	for i, l := range in.Lines {
		if ok, available := f.take(l.SKU, int64(l.Quantity)); !ok {
			f.refuse(w, in.Lines[:i], l, available)
			return
		}
		out.Lines[i] = reservationLine(l.Line, l.SKU, int64(l.Quantity))
	}
	w.Header()["Location"] = []string{"/v1/reservations/" + in.ID}
	write(w, http.StatusCreated, "application/json", out)
}

func (f *floor) serveConfirm(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // the body is empty
	id, durable := r.PathValue("id"), true
	out := reservation(id, "confirmed", 2, 1)
	out.Order, out.Durable = id, &durable
	out.Lines[0] = reservationLine(lineNames[0], f.skus[0], 1)
	write(w, http.StatusOK, "application/json", out)
}

func reservation(id, state string, version int64, lines int) *contract.Reservation {
	now := time.Now().UTC()
	return &contract.Reservation{
		ID: id, State: state, Version: version, CreatedAt: contract.Time{Time: now}, Lines: make([]contract.Line, lines),
	}
}

func reservationLine(name, sku string, quantity int64) contract.Line {
	return contract.Line{
		Line: name, SKU: sku, Quantity: quantity, Requested: quantity,
		From: []contract.Allocation{{Location: string(stockLocation), Quantity: quantity}},
	}
}

// refuse returns what earlier lines have taken, and answers with the same problem as Holdfast.
func (f *floor) refuse(w http.ResponseWriter, taken []contract.LineRequest, short contract.LineRequest, available int64) {
	for _, l := range taken {
		f.units[l.SKU].Add(int64(l.Quantity))
	}
	e := cache.InsufficientError{Shortages: []cache.Shortage{{
		Line: short.Line, SKU: location.SKU(short.SKU), Requested: int64(short.Quantity), Available: available,
	}}}
	write(w, http.StatusConflict, contract.ProblemType, &contract.Problem{
		Type: "/docs/problems#insufficient_stock", Title: "Insufficient stock", Status: http.StatusConflict,
		Detail: e.Error(), Code: "insufficient_stock",
		Shortages: []contract.Shortage{{Line: short.Line, SKU: short.SKU, Requested: int64(short.Quantity), Available: available}},
	})
}

func write(w http.ResponseWriter, status int, mediaType string, body any) {
	buffer := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(buffer)
	buffer.Reset()
	if err := json.MarshalWrite(buffer, body); err != nil {
		panic(err) // our own types always encode
	}
	buffer.WriteByte('\n')
	header := w.Header()
	header["Content-Type"] = []string{mediaType}
	header["Content-Length"] = []string{strconv.Itoa(buffer.Len())}
	header["Cache-Control"] = []string{"no-store"}
	w.WriteHeader(status)
	_, _ = w.Write(buffer.Bytes()) // fails only if the caller is gone
}

func (f *floor) holdMany(_ context.Context, from *orders, n int) error {
	var o order
	for i := range n {
		from.fill(&o, int64(i))
		for _, l := range o.lines {
			f.units[l.sku].Add(-l.quantity)
		}
	}
	return nil
}

func (f *floor) left(_ context.Context, skus []string) (total int64, err error) {
	for _, sku := range skus {
		total += f.units[sku].Load()
	}
	return total, nil
}

func (f *floor) trim(context.Context) error { return nil }
