// Package bench compares Holdfast with the usual alternatives: in one run, on the same Redis and
// the same Postgres, in rounds that take turns.
//
// Four rules keep the comparison fair. Every contender gets the same orders. Accepted and refused
// calls are counted and timed separately; only latency over time includes both. With a rate, the
// latency of a call counts from when it was due, not from when it was sent: a stall then delays all
// later calls in the figures, as it would in a shop. And each row says what survives a crash at the
// moment of the answer, because a hold in Redis is not a row in Postgres.
package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

const stopTimeout = 30 * time.Second // to remove what a run has created

// Run compares contenders on a Redis and a Postgres. It uses keys and a schema of its own and
// removes them at the end. The client must not retry by itself. Run returns ErrInUse if another run
// is in progress and ErrDeployed if a reconciler uses the database.
func Run(ctx context.Context, client *redis.Client, postgresURL string, o Options) (report *Report, err error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	o.Logger = slog.New(warnings{cmp.Or(o.Logger, slog.Default()).Handler()})
	e := &env{options: o, redis: client, postgres: postgresURL}
	release, err := e.claim(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err = errors.Join(err, release(ctx))
	}()
	if e.servers, err = readServers(ctx, client, e.admin); err != nil {
		return nil, err
	}
	report, err = e.compare(ctx)
	if ctx.Err() != nil {
		return nil, errors.New("interrupted before all rounds were done: there is nothing to compare")
	}
	return report, err
}

// warnings drops log records below warning: every round starts a reconciler, which logs its start.
type warnings struct{ slog.Handler }

// Enabled reports whether a record is logged.
func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

// claim reserves both servers for this run until release.
func (e *env) claim(ctx context.Context) (release func(context.Context) error, err error) {
	releaseRedis, err := claimRedis(ctx, e.redis)
	if err != nil {
		return nil, err
	}
	conn, releasePostgres, err := claimPostgres(ctx, e.postgres)
	if err != nil {
		return nil, errors.Join(err, releaseRedis(context.WithoutCancel(ctx)))
	}
	e.admin = conn
	return func(ctx context.Context) error { return errors.Join(releaseRedis(ctx), releasePostgres(ctx)) }, nil
}

// entrant is a contender in one workload, with the row of its rounds.
type entrant struct {
	contender *contender
	workload  *workload
	row       *Row
}

// compare runs all workloads. In each round of a workload all entrants take a turn, in random
// order: whatever else the machine does then affects all of them alike.
func (e *env) compare(ctx context.Context) (*Report, error) {
	report := newReport(e)
	workloads := workloadsOf(&e.options)
	random := rand.New(rand.NewPCG(e.options.Seed, 0))
	entrants := make([][]entrant, len(workloads))
	total, done := 0, 0
	for i := range workloads {
		entrants[i] = e.entrants(&workloads[i])
		total += len(entrants[i]) * e.options.Rounds
	}
	for i := range workloads {
		for n := range e.options.Rounds {
			for _, k := range random.Perm(len(entrants[i])) {
				if err := e.takeTurn(ctx, &entrants[i][k], n, done, total); err != nil {
					return nil, err
				}
				done++
			}
		}
		report.Comparisons = append(report.Comparisons, newComparison(&workloads[i], entrants[i]))
	}
	return report, nil
}

// entrants lists the chosen contenders that can run a workload.
func (e *env) entrants(w *workload) (list []entrant) {
	for i := range contenders {
		c := &contenders[i]
		if slices.Contains(e.options.Contenders, c.key) && c.canRun(w) {
			list = append(list, entrant{c, w, &Row{
				Contender: c.key, Name: c.name, Survives: c.survives(w, &e.servers), Rate: e.options.Rate,
			}})
		}
	}
	return list
}

// takeTurn runs round n of an entrant and adds it to the row.
func (e *env) takeTurn(ctx context.Context, t *entrant, n, done, total int) error {
	if e.options.Watch != nil {
		e.options.Watch(done, total, fmt.Sprintf("%s: %s", t.workload.scenario, t.contender.key))
	}
	seed := e.options.Seed + uint64(n)
	if e.options.Load > 0 && t.row.Rate == 0 { // the rate depends on what the contender can do: measure that first
		most, err := e.round(ctx, t.contender, t.workload, 0, seed)
		if err != nil {
			return err
		}
		t.row.Rate = max(1, e.options.Load/100*most.answerRate())
	}
	round, err := e.round(ctx, t.contender, t.workload, t.row.Rate, seed)
	if err == nil {
		t.row.Rounds = append(t.row.Rounds, round)
	}
	return err
}

func newComparison(w *workload, entrants []entrant) Comparison {
	c := Comparison{Scenario: w.scenario, Title: w.title, Size: w.size, LatenciesOf: w.subject.String()}
	for _, t := range entrants {
		t.row.summarize()
		c.Rows = append(c.Rows, t.row)
	}
	c.Ratios = c.ratios(w)
	return c
}
