// Package reconcile holds the loops beside the hot path. For now that is the Sweeper, which gives
// back what is overdue. What the ledger in Postgres will stand on is here too, and not wired in yet:
// its schema (Migrate), and how it decides the events of the stream.
package reconcile
