// Package ledger holds the rules of the durable ledger, and the interfaces that its two
// implementations share: package postgres, and package memory for the embedded default.
//
// Redis sells and writes an event for each change to a stream. The ledger reads the stream in order
// and decides each event by its own rows. It applies the event, or it refuses it. A refused step is
// undone in Redis; the caller of a durable step is answered only after the decision.
//
// A [WorkingSet] decides. It is a copy of the rows that a batch of entries touches, as [RowKeys]
// names them. It knows no database: a ledger fills it, calls Apply, and writes each changed row
// once. A [Refusal] says which step was not applied and why, and holds what its undoing needs.
//
// A [Session] is the one process that applies, and holds the lock of the shard. Each batch moves
// the position in the same transaction that writes its rows, so no entry is applied twice.
//
// An audit writes checkpoints of Redis into the stream. The working set compares a checkpoint with
// the ledger at that place of the stream, inside the applying transaction, so both sides are read
// as of the same entry. A difference is a [Finding].
//
// [Waiters] are the calls that wait for a decision. The applier in this process answers them at
// once; a poll of the ledger answers them if another process applies.
package ledger
