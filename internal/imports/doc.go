// Package imports checks that dependencies point one way:
// cmd -> reconcile, reconcile/audit -> reconcile/ledger -> cache -> internal/shard -> lua, internal/wire -> location.
package imports
