// Package reconcile is the ledger and the loops beside the hot path. A Ledger, in Postgres or in memory,
// has the last word; the Reconciler applies the event stream to it, undoes in Redis what it refuses, and
// rebuilds a Redis that lost data; the Sweeper gives back what is overdue; the Auditor compares both sides at
// one place of the stream, and repairs; Prune archives what is old; Follow has the routing directory used.
package reconcile
