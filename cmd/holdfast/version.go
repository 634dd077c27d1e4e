package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/dial"
	"github.com/holdfast/holdfast/reconcile/setup"
)

// version is set by the linker in a release.
var version = "dev"

// build identifies a binary.
type build struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
	Go      string `json:"go"`
	Redis   string `json:"redis,omitempty"` // name and version of the server of redis.url, if that is set
}

func thisBuild() build {
	b := build{Version: version, Go: runtime.Version()}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			b.Commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true" && b.Commit != "":
			b.Commit += "-modified"
		}
	}
	return b
}

func (b build) text() string {
	text := "holdfast " + b.Version + "\n"
	if b.Commit != "" {
		text += "commit " + b.Commit + "\n"
	}
	text += b.Go + "\n"
	if b.Redis != "" {
		text += b.Redis + "\n"
	}
	return text
}

// askRedis returns the name and the version of the Redis of c, or why it did not say so.
func askRedis(ctx context.Context, c config.Config) (string, error) {
	if c.Redis.Endpoint.Embedded() {
		return "", nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	redis, err := dial.Open(c.Redis.Endpoint)
	if err != nil {
		return "", err
	}
	server, err := setup.AskServer(ctx, redis.Client, c.Redis.Prefix)
	if err != nil {
		server = c.Hide("redis: " + setup.NoAnswer("redis", c.Redis.Endpoint.String(), err).Seen)
	}
	return server, redis.Close()
}

func (m *Main) versionCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the versions of this binary and of its Redis",
		Long:  "Print the version of this binary. If redis.url is set, also print the name and the version of that server.",
		Example: "  holdfast version\n" +
			"  holdfast version --redis-url redis://10.0.0.4:6379 --format json",
		Args: noArgs,
	}
	f := addFormat(c)
	return m.configured(c, func(c *cobra.Command, _ []string, settings config.Config) (err error) {
		b := thisBuild()
		if b.Redis, err = askRedis(c.Context(), settings); err != nil {
			return err
		}
		return m.print(*f, b, func(w io.Writer) { fmt.Fprint(w, b.text()) })
	})
}
