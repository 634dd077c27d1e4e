package bench

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

const stopTimeout = 30 * time.Second // to remove what a run has made

// Run compares contenders on a Redis and a Postgres, under keys and in a schema of its own, which it
// removes again. The client must not retry by itself. It refuses with ErrInUse where another run is on.
func Run(ctx context.Context, client *redis.Client, postgresURL string, o Options) (report *Report, err error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Logger = slog.New(warnings{o.Logger.Handler()})
	r := &rig{options: o, redis: client, postgres: postgresURL}
	release, err := r.claim(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		err = errors.Join(err, release(ctx))
	}()
	if r.trust, err = examine(ctx, client, r.admin); err != nil {
		return nil, err
	}
	report, err = r.compare(ctx)
	if ctx.Err() != nil {
		return nil, errors.New("interrupted: the rounds were not over, so nothing is compared")
	}
	return report, err
}

// claim takes both servers until release.
func (r *rig) claim(ctx context.Context) (release func(context.Context) error, err error) {
	releaseRedis, err := claimRedis(ctx, r.redis)
	if err != nil {
		return nil, err
	}
	conn, releasePostgres, err := claimPostgres(ctx, r.postgres)
	if err != nil {
		return nil, errors.Join(err, releaseRedis(context.WithoutCancel(ctx)))
	}
	r.admin = conn
	return func(ctx context.Context) error { return errors.Join(releaseRedis(ctx), releasePostgres(ctx)) }, nil
}

// turn is a contender and the row of its rounds.
type turn struct {
	contender *contender
	scene     *scene
	row       *Row
}

// compare plays all scenes. All rounds of a scene follow each other, and in each the contenders take
// turns, in an order that is drawn anew: what the machine does beside meets all of them alike.
func (r *rig) compare(ctx context.Context) (*Report, error) {
	report := newReport(r)
	scenes := scenesOf(&r.options)
	random := rand.New(rand.NewPCG(r.options.Seed, 0))
	field := make([][]turn, len(scenes))
	total, done := 0, 0
	for i := range scenes {
		field[i] = r.field(&scenes[i])
		total += len(field[i]) * r.options.Rounds
	}
	for i := range scenes {
		for n := range r.options.Rounds {
			for _, k := range random.Perm(len(field[i])) {
				if err := r.play(ctx, &field[i][k], n, done, total); err != nil {
					return nil, err
				}
				done++
			}
		}
		report.Comparisons = append(report.Comparisons, compared(&scenes[i], field[i]))
	}
	return report, nil
}

// play plays one round of a turn, and says so before.
func (r *rig) play(ctx context.Context, t *turn, n, done, total int) error {
	if r.options.Watch != nil {
		r.options.Watch(done, total, fmt.Sprintf("%s: %s", t.scene.scenario, t.contender.key))
	}
	seed := r.options.Seed + uint64(n)
	if err := r.calibrate(ctx, t, seed); err != nil {
		return err
	}
	round, err := r.round(ctx, t.contender, t.scene, t.row.Rate, seed)
	if err == nil {
		t.row.Rounds = append(t.row.Rounds, round)
	}
	return err
}

// calibrate finds out how many calls are due a second, where that depends on what a contender can answer.
func (r *rig) calibrate(ctx context.Context, t *turn, seed uint64) error {
	if r.options.Load == 0 || t.row.Rate > 0 {
		return nil
	}
	most, err := r.round(ctx, t.contender, t.scene, 0, seed)
	if err != nil {
		return err
	}
	t.row.Rate = max(1, r.options.Load/100*most.answerRate())
	return nil
}

// field are the contenders that can play a scene.
func (r *rig) field(s *scene) (list []turn) {
	for i := range contenders {
		c := &contenders[i]
		if slices.Contains(r.options.Contenders, c.key) && c.plays(s) {
			list = append(list, turn{c, s, &Row{
				Contender: c.key, Name: c.name, Keeps: c.keeps(s, &r.trust), Rate: r.options.Rate,
			}})
		}
	}
	return list
}

func compared(s *scene, field []turn) Comparison {
	c := Comparison{Scenario: s.scenario, Title: s.title, Size: s.size, About: s.about.String()}
	for _, t := range field {
		t.row.sumUp()
		c.Rows = append(c.Rows, t.row)
	}
	c.Ratios = c.ratios(s)
	return c
}
