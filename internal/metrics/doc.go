// Package metrics tells Prometheus what the program does: every call and batch of the hot path, its
// queues, and every HTTP request. It has a registry of its own, with the collectors of Go and of
// the process beside ours.
package metrics
