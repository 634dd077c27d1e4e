// Package reconcile persists what Redis decides. Checkouts reserve and confirm in Redis, and each
// change is an entry of an event stream there. A Reconciler applies that stream to the ledger,
// which has the last word.
//
// # The loop
//
// Any number of processes may run a Reconciler; one works. It takes the ledger's lock and starts a
// lease term, which lasts until something fails or the process stops. In a lease term it
//
//  1. checks that Redis is the one in the ledger's position, and rebuilds it if it is not;
//  2. reads the entries after the last applied one, in batches of about 1,000 events or 1 MiB;
//  3. applies each batch to the ledger in one transaction, which also moves the position;
//  4. undoes in Redis the steps that the ledger refused;
//  5. does housekeeping.
//
// The lock saves work; safety comes from the ledger, which compares the position before it moves
// it. When a term fails, Run logs the reason once, waits and starts another.
//
// # Terms
//
//   - Epoch: a number that goes up with each rebuild. Redis and the ledger store it, and Redis
//     refuses a script of another epoch. So a paused process cannot write to a Redis that was
//     rebuilt meanwhile.
//   - Gate: a field in Redis that tells the scripts what to refuse. It is closed while Redis is
//     rebuilt and while the ledger is older than Redis. If too many entries wait, it is closed for
//     reserve only.
//   - Rebuild: drops everything in Redis and loads it from the ledger, under the next epoch.
//     Entries that continue the ledger's history are applied first. Entries of another history go
//     to quarantine.
//   - Undoing: the step that takes a refused step back in Redis. The refusal stays open, and the
//     undoing is sent again, until the ledger has applied it.
//   - Housekeeping: trims the applied part of the stream, moves the moment up to which holds may
//     expire, closes the gate if the backlog is too large, and lets Redis forget old records.
//
// # The other loops
//
// A Sweeper returns the units of overdue holds. Package audit compares Redis with the ledger and
// repairs Redis. Package directory puts new versions of the routing directory into use.
package reconcile
