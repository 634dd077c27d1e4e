// Package testserver is what the servers of tests have in common: a process that ends with the test binary, a port
// of its own, and a user to run as.
package testserver
