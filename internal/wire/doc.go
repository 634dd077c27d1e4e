// Package wire holds what Go and the Lua scripts agree on: the names of keys, the formats of stored
// records and of events, and the words for verbs, states and statuses.
//
// The scripts write these formats, and Go reads them: DecodeRecord reads a reservation as Redis
// keeps it, and DecodeEntry reads an entry of the event stream. Go writes a record (Record.Encode)
// only to rebuild Redis from the ledger or to undo or repair a reservation. A change to a format
// needs a change in lua/ too, and a new version if stored data could not be read any more.
//
// The package also holds the types in which the cache, the shards and the ledger tell each other
// what a call changed: Step, Awaited, Position and the rows of a rebuild. It does no I/O.
package wire
