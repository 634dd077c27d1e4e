// Package cache is Holdfast's hot path: the Go API over the atomic scripts in Redis.
//
// A Store is one plain call per verb: Reserve, Confirm, Release, Extend, Fulfill, Adjust. Behind
// each call, requests that arrive while a batch is in flight are gathered into the next one, so
// that a batch of 64 costs Redis about as many calls as a single request. Every verb is safe to
// repeat with the same id.
package cache
