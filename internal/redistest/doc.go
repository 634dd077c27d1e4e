// Package redistest starts private, real Redis servers for tests: each on a free loopback port, in
// a temporary directory of its own, stopped with the test that started it.
//
// A test that needs a server to itself (to kill, pause or restart it) uses Start or StartCluster.
// A table of many cases that must give the same answers everywhere uses EachEngine, whose servers
// are shared by the whole test binary.
package redistest
