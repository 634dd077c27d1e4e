package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/reconcile/setup"
)

// doctorTimeout bounds the whole examination.
const doctorTimeout = 10 * time.Second

// errUnwell is found: the findings have been printed.
var errUnwell = errors.New("the set-up is not safe: see what has failed above")

func (m *Main) doctorCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Is the set-up safe, and what to do where it is not",
		Long: "Look at Redis and Postgres as they are set up, and say of each thing whether it is as it should be,\n" +
			"and what to do where it is not. Nothing is changed.\n\n" +
			"Exit status: 0 nothing failed (there may be warnings); 1 something failed: `serve` would refuse; 2 it\n" +
			"could not look.",
		Example: "  holdfast doctor\n  holdfast doctor --format json",
		Args:    noArgs,
	}
	config.AddFlags(c.Flags())
	format := addFormat(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		settings, err := m.configuration(c)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(c.Context(), doctorTimeout)
		defer cancel()
		findings, err := examine(ctx, settings)
		if err != nil {
			return err
		}
		if err := m.printFindings(*format, findings); err != nil {
			return err
		}
		if setup.Unsafe(findings) != nil {
			return errUnwell
		}
		return nil
	}
	return c
}

// examine looks at both servers. One that does not answer is a finding too.
func examine(ctx context.Context, c config.Config) (all []setup.Finding, err error) {
	b, err := openBackends(c)
	if err != nil {
		return nil, err
	}
	defer b.closeInto(&err)

	findings, redisErr := setup.ExamineRedis(ctx, b.redis.Client, c.Redis.Prefix)
	if redisErr != nil {
		findings = []setup.Finding{silent("redis", c.Redis.Endpoint.String(), redisErr)}
	}
	all = append(all, findings...)
	findings, postgresErr := b.postgres.Examine(ctx, c.Redis.Prefix, c.Redis.Shards)
	if postgresErr != nil {
		findings = []setup.Finding{silent("postgres", "postgres.url", postgresErr)}
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

func silent(name, where string, err error) setup.Finding {
	return setup.Finding{
		Name: name, Status: setup.Fail, Seen: fmt.Sprintf("%s does not answer: %v", where, err),
		Do: "start it, or correct the address and what lies between",
	}
}

// report is what doctor prints as JSON.
type report struct {
	Findings []setup.Finding `json:"findings"`
}

func (m *Main) printFindings(f format, findings []setup.Finding) error {
	return m.print(f, report{findings}, func(w io.Writer) {
		for _, f := range findings {
			fmt.Fprintf(w, "%s\t%s: %s\n", f.Status, f.Name, f.Seen)
			if f.Do != "" {
				fmt.Fprintf(w, "\t-> %s\n", f.Do)
			}
		}
	})
}
