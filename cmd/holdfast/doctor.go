package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/reconcile/setup"
)

// doctorTimeout bounds the whole examination.
const doctorTimeout = 20 * time.Second

// redisTries is how often doctor asks a Redis that does not answer in time. A connection has half a
// second, which a busy machine may need for a TLS handshake.
const redisTries = 4

// errUnsafe means that doctor has printed a failed check.
var errUnsafe = errors.New("the set-up is not safe: correct what has failed above")

// report is what doctor prints as JSON.
type report struct {
	Findings []setup.Finding `json:"findings"`
}

func (m *Main) doctorCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check whether the set-up is safe",
		Long: "Check the settings of Redis and Postgres, and whether Redis takes writes at the moment. Print what\n" +
			"to do about each fault. The command changes nothing.\n\n" +
			"Exit status: 0 no check failed, but there may be warnings; 1 a check failed, and `holdfast serve`\n" +
			"would refuse to start or would answer 503; 2 the command could not run.",
		Example: "  holdfast doctor\n" +
			"  holdfast doctor --format json",
		Args: noArgs,
	}
	f := addFormat(c)
	return m.configured(c, func(c *cobra.Command, _ []string, settings config.Config) error {
		ctx, cancel := context.WithTimeout(c.Context(), doctorTimeout)
		defer cancel()
		findings, err := examine(ctx, settings)
		if err != nil {
			return err
		}
		for i := range findings {
			findings[i].Seen = settings.Hide(findings[i].Seen)
		}
		err = m.print(*f, report{findings}, func(w io.Writer) {
			for _, f := range findings {
				fmt.Fprintf(w, "%s\t%s: %s\n", f.Status, f.Name, f.Seen)
				if f.Do != "" {
					fmt.Fprintf(w, "\t-> %s\n", f.Do)
				}
			}
		})
		if err == nil && setup.Unsafe(findings) != nil {
			err = errUnsafe
		}
		return err
	})
}

// examine checks both servers. A server that does not answer is a finding too.
func examine(ctx context.Context, c config.Config) (all []setup.Finding, err error) {
	b, err := openBackends(c)
	if err != nil {
		return nil, err
	}
	defer b.closeInto(&err)

	var redisErr error
	for range redisTries {
		all, redisErr = setup.ExamineRedis(ctx, b.redis.Client, c.Redis.Prefix)
		if !errors.Is(redisErr, context.DeadlineExceeded) && !errors.Is(redisErr, os.ErrDeadlineExceeded) {
			break
		}
	}
	if redisErr == nil {
		var access []setup.Finding
		access, redisErr = setup.ExamineAccess(ctx, b.redis.Client, c.Redis.Prefix)
		all = append(all, access...)
	}
	if redisErr != nil {
		redisErr = setup.CheckTLS(ctx, c.Redis.Endpoint.Hosts[0], c.Redis.Endpoint.TLS, redisErr)
		all = []setup.Finding{setup.NoAnswer("redis", c.Redis.Endpoint.String(), redisErr)}
	}
	findings, postgresErr := b.postgres.Examine(ctx, c.Redis.Prefix, c.Redis.Shards)
	if postgresErr != nil {
		findings = []setup.Finding{setup.NoAnswer("postgres", "postgres.url", postgresErr)}
	}
	all = append(all, findings...)
	if redisErr != nil || postgresErr != nil {
		return all, nil
	}
	clocks, err := b.postgres.ExamineClocks(ctx, func() (time.Time, error) { return b.redis.Client.Time(ctx).Result() })
	if err != nil {
		return nil, err
	}
	return append(all, clocks), nil
}
