package main

import (
	"errors"
	"testing"

	holdfast "github.com/holdfast/holdfast/clients/go"
)

// TestServe_Client sells, refuses and describes through the Go client.
func TestServe_Client(t *testing.T) {
	c, err := holdfast.New(start(t).url, holdfast.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, onHand := t.Context(), holdfast.Whole(5)
	if _, _, err := c.PutLevel(ctx, "TEE-M", "berlin", holdfast.PutLevelRequest{ID: "count-1", OnHand: &onHand}); err != nil {
		t.Fatal(err)
	}
	order := func(id string, quantity holdfast.Whole) holdfast.ReserveRequest {
		return holdfast.ReserveRequest{ID: id, Order: "5512", Lines: []holdfast.LineRequest{{Line: "1", SKU: "TEE-M", Quantity: quantity}}}
	}
	for _, again := range []bool{false, true} {
		held, replay, err := c.Reserve(ctx, order("ord-1001", 2))
		if err != nil || replay != again || held.State != "held" {
			t.Fatalf("reserve: %+v, replay %v, %v", held, replay, err)
		}
	}
	sold, _, err := c.Confirm(ctx, "ord-1001", holdfast.ConfirmRequest{})
	if err != nil || sold.State != "confirmed" {
		t.Errorf("confirm: %+v, %v", sold, err)
	}
	_, _, err = c.Reserve(ctx, order("ord-1002", 4))
	p, ok := errors.AsType[*holdfast.Problem](err)
	if !ok || p.Code != holdfast.CodeInsufficientStock || len(p.Shortages) != 1 || p.Shortages[0].Available != 3 {
		t.Errorf("a shortage: %v", err)
	}
	gift := "yes"
	described, _, err := c.Describe(ctx, "ord-1001", holdfast.DescribeRequest{
		Customer: "c-9", Order: holdfast.Remove, Metadata: holdfast.MetadataPatch{"gift": &gift},
	})
	if err != nil || described.Customer != "c-9" || described.Order != "" || described.Metadata["gift"] != "yes" {
		t.Errorf("describe: %+v, %v", described, err)
	}
	page, err := c.QueryLevels(ctx, holdfast.StockQuery{SKUs: []string{"TEE-M"}})
	if err != nil || len(page.Levels) != 1 || page.Levels[0].Committed != 2 {
		t.Errorf("query: %+v, %v", page, err)
	}
	if err := c.RemoveLevel(ctx, "TEE-M", "berlin"); !errors.As(err, &p) || p.Code != holdfast.CodeInUse || *p.Committed != 2 {
		t.Errorf("remove: %v", err)
	}
}
