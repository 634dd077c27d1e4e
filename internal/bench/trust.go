package bench

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
)

// trust is how far the servers keep what they have answered.
type trust struct {
	Redis      string `json:"redis"`       // version
	AppendOnly string `json:"appendonly"`  // yes, no, or "" where Redis does not say
	AppendSync string `json:"appendfsync"` // always, everysec, no, or ""
	Postgres   string `json:"postgres"`    // version
	Commit     string `json:"synchronous_commit"`
	Sync       string `json:"fsync"`
}

func examine(ctx context.Context, client *redis.Client, conn *pgx.Conn) (trust, error) {
	var t trust
	const settings = `
select current_setting('server_version'), current_setting('synchronous_commit'), current_setting('fsync')`
	if err := conn.QueryRow(ctx, settings).Scan(&t.Postgres, &t.Commit, &t.Sync); err != nil {
		return t, fmt.Errorf("postgres: %w", err)
	}
	text, err := client.Info(ctx, "server").Result()
	if err != nil {
		return t, fmt.Errorf("redis: info: %w", err)
	}
	for part := range strings.Lines(text) {
		if version, found := strings.CutPrefix(part, "redis_version:"); found {
			t.Redis = strings.TrimSpace(version)
		}
	}
	// A hosted Redis may not allow this.
	if settings, err := client.ConfigGet(ctx, "append*").Result(); err == nil {
		t.AppendOnly, t.AppendSync = settings["appendonly"], settings["appendfsync"]
	}
	return t, nil
}

// redisKeeps says what Redis still has after a crash of what it has answered.
func (t *trust) redisKeeps(what string) string {
	switch {
	case t.AppendOnly == "no":
		return "nothing (Redis: appendonly no)"
	case t.AppendSync == "always":
		return "the " + what + " (Redis: appendfsync always)"
	case t.AppendSync == "everysec":
		return "the " + what + ", unless of the last second (Redis: appendfsync everysec)"
	case t.AppendSync == "no":
		return "the " + what + ", if the system had written it (Redis: appendfsync no)"
	}
	return "the " + what + ", as far as Redis had written it"
}

// postgresKeeps says what Postgres still has after a crash of what it has answered.
func (t *trust) postgresKeeps(what string) string {
	switch {
	case t.Sync == "off":
		return "nothing (Postgres: fsync off)"
	case t.Commit == "off":
		return "the " + what + ", unless of the last moments (Postgres: synchronous_commit off)"
	}
	return "the " + what + " (Postgres)"
}
