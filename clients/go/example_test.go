package holdfast_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	holdfast "github.com/holdfast/holdfast/clients/go"
)

// A checkout against a server on this machine.
func Example() {
	ctx := context.Background()
	client, err := holdfast.New("http://localhost:8080", holdfast.Options{Key: os.Getenv("HOLDFAST_KEY")})
	if err != nil {
		fmt.Println(err)
		return
	}
	held, _, err := client.Reserve(ctx, holdfast.ReserveRequest{
		ID:    "ord-1001",
		Lines: []holdfast.LineRequest{{Line: "1", SKU: "TEE-M", Quantity: 2}},
	})
	var p *holdfast.Problem
	switch {
	case errors.As(err, &p) && p.Code == holdfast.CodeInsufficientStock:
		fmt.Println("only", p.Shortages[0].Available, "left")
		return
	case err != nil:
		fmt.Println(err) // the outcome may be unknown: repeat with the same ID
		return
	}
	sold, _, err := client.Confirm(ctx, held.ID, holdfast.ConfirmRequest{})
	fmt.Println(sold.State, err)
}
