// Package bench measures Holdfast beside what one would otherwise use: in one run, on the same Redis
// and the same Postgres, in rounds that take turns.
//
// What keeps it fair. Every contender is asked the same orders. Accepted and refused calls are counted
// and timed apart and never added up, but for latency over time. With a rate, a call's latency counts
// from when it was due, not from when it was sent, so that a stall delays everybody behind it in the
// figures as it would in a shop. And each row says what survives a crash at the moment it answers: a hold
// in Redis is no row in Postgres.
package bench
