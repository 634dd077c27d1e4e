package shard

import (
	"context"
	"fmt"
	"strings"

	"github.com/holdfast/holdfast/internal/wire"
)

// rightsScript returns those of the commands in ARGV that the user may not run. Unit separators join
// the words of a command.
const rightsScript = `#!lua flags=no-writes
local missing = {}
for _, text in ipairs(ARGV) do
  local command = {}
  for word in string.gmatch(text, '[^\31]+') do command[#command + 1] = word end
  if not redis.acl_check_cmd(unpack(command)) then missing[#missing + 1] = command[1] .. ' ' .. (command[2] or '') end
end
return missing`

// The scripts that a Redis refuses if it takes no writes, with and without those of new holds.
const (
	writeScript   = "#!lua\nreturn 1"
	releaseScript = "#!lua flags=allow-oom\nreturn 1"
)

// CheckRights returns ErrRefused, with the commands and keys, if the user may not run a command that
// Holdfast needs. It does nothing on the embedded engine. Two round trips.
func (c *Conn) CheckRights(ctx context.Context, id Identity) error {
	k := c.keys
	var commands []any
	add := func(words ...string) { commands = append(commands, strings.Join(words, wire.UnitSeparator)) }
	for _, key := range []string{k.Stock, k.Levels, k.Reservations, k.Operations, k.Limits} {
		add("hget", key, "f")
		add("hmget", key, "f")
		add("hset", key, "f", "v")
		add("hdel", key, "f")
		add("hlen", key)
		add("hscan", key, "0")
		add("unlink", key)
	}
	add("zadd", k.Deadlines, "1", "m")
	add("zrem", k.Deadlines, "m")
	add("zscore", k.Deadlines, "m")
	add("zmscore", k.Deadlines, "m")
	add("zcard", k.Deadlines)
	add("zscan", k.Deadlines, "0")
	add("zrangebyscore", k.Deadlines, "0", "1")
	add("unlink", k.Deadlines)
	add("xadd", k.Events, "*", "f", "v")
	add("xtrim", k.Events, "minid", "1")
	add("xlen", k.Events)
	add("xrange", k.Events, "-", "+")
	add("xrevrange", k.Events, "+", "-")
	add("unlink", k.Events)
	add("time")
	add("info")
	add("multi")
	add("exec")
	if !id.real() {
		return nil
	}
	reply, err := c.runPlain(ctx, rightsScript, commands...)
	if err != nil {
		return err
	}
	list, _ := reply.([]any)
	missing := make([]string, len(list))
	for i, command := range list {
		missing[i] = fmt.Sprint(command)
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w: NOPERM the user may not run %s: allow them by ACL SETUSER", wire.ErrRefused, strings.Join(missing, ", "))
	}
	return nil
}

// CheckWrites returns ErrRefused, with the reason, if Redis takes no writes. holds says that the
// writes of new holds count, which Redis refuses first if its memory is full. It writes nothing, and
// does nothing on the embedded engine. Two round trips.
func (c *Conn) CheckWrites(ctx context.Context, id Identity, holds bool) error {
	if !id.real() {
		return nil
	}
	script := releaseScript
	if holds {
		script = writeScript
	}
	_, err := c.runPlain(ctx, script)
	return err
}

// runPlain loads a script that belongs to no epoch, and runs it without keys.
func (c *Conn) runPlain(ctx context.Context, script string, args ...any) (any, error) {
	sha, err := c.conn.ScriptLoad(ctx, script).Result()
	if err != nil {
		return nil, replyError(err)
	}
	reply, err := c.conn.EvalSha(ctx, sha, nil, args...).Result()
	if err != nil {
		return nil, replyError(err)
	}
	return reply, nil
}
