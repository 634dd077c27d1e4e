// Package pgtest starts private, real PostgreSQL servers for tests: each on a free loopback port, in
// a temporary directory of its own, ended with the test that started it.
//
// A test that needs a server to itself (to kill, pause or restart it) uses Start, about half a
// second. A test that only needs a database uses Database: a fresh, empty one on a server shared by
// the whole test binary, about a tenth of one. TestMain should call Main, which removes what all of
// them share.
package pgtest
