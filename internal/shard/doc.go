// Package shard speaks to one shard in Redis: the keys of one hash slot, and the scripts that
// change them. It has two ways in.
//
// A [Shard] is the hot path. Many goroutines share it. It gathers their requests into batches,
// sends each batch to the primary as one script call, and sends it again if that is safe. A Store
// in package cache has one Shard.
//
// A [Conn] is the way of the reconciler and the audit. It is one connection to the primary for one
// goroutine, so the server that was checked is the server that is changed. It runs the scripts that
// only they need: to read the stream, to undo refused steps, to rebuild, compare and repair. It
// never sends a script twice. Its caller opens a new Conn after a failure.
//
// The two share one way to load scripts (scripts.go), one check of which Redis this is
// (identity.go), and one table that says for each error whether the script ran (outcome.go). The
// formats are in package wire.
package shard
