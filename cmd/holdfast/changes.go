package main

import (
	"context"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// changes serves the changes of a ledger to the API.
type changes struct{ ledger ledger.Changes }

// Changes implements api.Changes.
func (c changes) Changes(ctx context.Context, cursor string, limit int) (contract.ChangePage, error) {
	var after ledger.Change
	if cursor != "" {
		var ok bool
		if after, ok = ledger.ChangeAt(cursor); !ok {
			return contract.ChangePage{}, &cache.InvalidError{Faults: []cache.Fault{{Path: "/cursor", Message: "was not issued by this server"}}}
		}
	}
	list, err := c.ledger.Changes(ctx, after, limit+1)
	if err != nil {
		return contract.ChangePage{}, err
	}
	page := contract.ChangePage{Changes: []contract.Change{}}
	if len(list) > limit {
		list = list[:limit]
		page.NextCursor = list[limit-1].Cursor()
	}
	for _, one := range list {
		page.Changes = append(page.Changes, contract.Change{
			At: contract.Time{Time: one.At}, Kind: one.Kind, Verb: one.Verb, ID: one.ID, Actor: one.Actor,
			OnBehalfOf: one.OnBehalfOf, Reason: one.Reason, RequestID: one.RequestID,
		})
	}
	return page, nil
}
