// Package reconcile holds the loops beside the hot path. For now that is the Sweeper, which gives
// back what is overdue; the ledger in Postgres will be here too.
package reconcile
