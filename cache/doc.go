// Package cache reserves stock in Redis without overselling. It is the package that a checkout
// imports.
//
// A [Store] has one method for each verb: [Store.Reserve] takes units out of sale until a deadline,
// [Store.Confirm] makes them a sale, [Store.Release] gives them back. One atomic Lua script makes
// each change, so two callers never get the same unit.
//
// Every method that changes something takes an id from the caller. Repeating a call with the same
// id does not move units twice. After an error that leaves the outcome unknown, repeat the call.
//
// A refusal is an error to compare with [errors.Is], such as [ErrInsufficient]. The doc comment of
// each method lists its refusals in order of precedence: if several apply, the caller gets the
// first. Any method that asks Redis can also return [ErrUnavailable], [ErrClosed], [ErrCorrupt] or
// the error of an ended context, and those lists leave them out.
//
// Costs are in round trips to Redis. Calls that arrive while a batch of their verb is in flight
// share the next batch, so a batch of 64 costs Redis about as many commands as a single call.
//
// With [Options.Ledger], calls that must survive a loss of Redis, such as Confirm, return once the
// ledger has applied them. Without it nothing is durable.
package cache
