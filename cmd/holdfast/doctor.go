package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/dial"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile"
	"github.com/holdfast/holdfast/reconcile/setup"
)

// doctorTimeout bounds the whole examination.
const doctorTimeout = 20 * time.Second

// redisTries is how often doctor asks a Redis that does not answer in time. A connection has half a
// second, which a busy machine may need for a TLS handshake.
const redisTries = 4

// errUnsafe means that doctor has printed a failed check.
var errUnsafe = errors.New("the set-up is not safe: correct what has failed above")

// report is the JSON output of doctor.
type report struct {
	Findings []setup.Finding `json:"findings"`
}

func (m *Main) doctorCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check whether the set-up is safe",
		Long: "Check Redis, Postgres and what `holdfast serve` needs on this machine, and print what to do about each\n" +
			"fault. The command changes nothing.\n\n" +
			"Exit status: 0 no check failed, but there may be warnings; 1 a check failed: `holdfast serve` would\n" +
			"not start, or could not sell now; 2 the command could not run.",
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

// examine checks both servers, and what serve needs on this machine. A server that does not answer is
// a finding too.
func examine(ctx context.Context, c config.Config) (all []setup.Finding, err error) {
	b, err := openBackends(c)
	if err != nil {
		return nil, err
	}
	defer b.closeInto(&err)

	all = examineRedis(ctx, c, b.redis.Client)
	findings, postgresErr := b.postgres.Examine(ctx, c.Redis.Prefix, c.Redis.Shards)
	if postgresErr != nil {
		findings = []setup.Finding{setup.NoAnswer("postgres", "postgres.url", postgresErr)}
	}
	all = append(append(all, findings...), examineHere(ctx, c)...)
	if setup.Unsafe(all) != nil {
		return all, nil
	}
	both, err := examineBoth(ctx, c, b)
	return append(all, both...), err
}

// examineRedis checks Redis. It asks again if Redis does not answer in time.
func examineRedis(ctx context.Context, c config.Config, client redis.UniversalClient) []setup.Finding {
	var all, access []setup.Finding
	var err error
	for range redisTries {
		// A Redis that is set up badly may refuse writes for that reason.
		if all, err = setup.ExamineRedis(ctx, client, c.Redis.Prefix); err == nil && setup.Unsafe(all) == nil {
			access, err = setup.ExamineAccess(ctx, client, c.Redis.Prefix)
		}
		if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
	}
	if err != nil {
		secure, _ := dial.TLS(c.Redis.Endpoint) // the client has it, so its files can be used
		err = setup.CheckTLS(ctx, c.Redis.Endpoint.Hosts[0], secure, err)
		return []setup.Finding{setup.NoAnswer("redis", c.Redis.Endpoint.String(), err)}
	}
	return append(all, access...)
}

// examineBoth checks what Redis and Postgres are to each other. Both answer, and are set up well.
func examineBoth(ctx context.Context, c config.Config, b *backends) ([]setup.Finding, error) {
	together := reconcile.CheckTogether(ctx, b.redis.Client, c.Redis.Prefix, b.postgres)
	if together != nil && !errors.Is(together, reconcile.ErrNotTogether) {
		return nil, together
	}
	clocks, err := b.postgres.ExamineClocks(ctx, func() (time.Time, error) { return b.redis.Client.Time(ctx).Result() })
	if err != nil {
		return nil, err
	}
	seen := "redis has the last entry that the ledger applied"
	if together != nil {
		seen = together.Error()
	}
	return []setup.Finding{setup.NewFinding("redis and ledger", seen, together == nil, setup.Fail,
		"set redis.url and postgres.url to those of one deployment; if they are, start `holdfast serve`, which rebuilds Redis"), clocks}, nil
}

// examineHere checks the files and the address that serve needs on this machine.
func examineHere(ctx context.Context, c config.Config) (all []setup.Finding) {
	options, err := routingOptions(c.Directory.Centroids)
	if c.Directory.Centroids != "" {
		all = append(all, usable("directory.centroids", c.Directory.Centroids, err))
	}
	if c.Directory.File != "" {
		d, _, err := onlyFile{c.Directory.File}.Directory(ctx, 0)
		if err == nil {
			_, err = location.Compile(d.Directory, options...)
		}
		all = append(all, usable("directory.file", c.Directory.File, err))
	}
	listener, err := net.Listen("tcp", c.HTTP.Listen)
	if err == nil {
		err = listener.Close()
	}
	free := setup.NewFinding("http.listen", c.HTTP.Listen+" is free", err == nil, setup.Warn,
		"if that is not `holdfast serve` itself, free the address, or set http.listen to another")
	if err != nil {
		free.Seen = err.Error()
	}
	return append(all, free)
}

// usable returns the finding about the file of a setting.
func usable(name, path string, err error) setup.Finding {
	if err != nil {
		return setup.Finding{Name: name, Status: setup.Fail, Seen: strings.Join(strings.Fields(err.Error()), " "),
			Do: "correct the file, or set " + name + " to the right one: `holdfast serve` does not start without it"}
	}
	return setup.Finding{Name: name, Status: setup.OK, Seen: path}
}
