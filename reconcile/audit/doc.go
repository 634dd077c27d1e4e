// Package audit compares Redis with the ledger and repairs Redis.
//
// An audit compares levels, reservations, purchase limits and deadlines, in steps of about
// Auditor.Page names. A step compares in two ways:
//
//   - A reading writes nothing. The auditor reads a page of the ledger, and then the same names
//     from Redis, with the stream entries that the ledger has not applied yet. A name that no such
//     entry touches must be the same on both sides.
//   - A checkpoint settles the rest. It is a stream event that carries what Redis has. When the
//     reconciler applies it, it compares both sides at exactly that position. Only a checkpoint
//     makes a finding.
//
// Nothing is paused, and a change in progress never looks like drift, because both sides are
// compared at one position of the stream. An audit needs a running reconciler, in any process.
//
// A repair makes Redis agree with the ledger, never the reverse. It repairs records and deadlines,
// then counters, and checks everything again. It refuses to change more than Options allow.
//
// Auditor.Plan lists what a repair would change, and a person may delete repairs from the list.
// Auditor.Apply checks the plan's findings again and makes only the repairs that still fit.
package audit
