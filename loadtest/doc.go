// Package loadtest checks the load tests without k6, which takes minutes to build: it checks that the files
// agree with each other.
package loadtest
