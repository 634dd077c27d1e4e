package lua

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// source is a script's own text, without the prelude.
func source(t *testing.T, name string) string {
	t.Helper()
	text, err := files.ReadFile(name + ".lua")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// header is the comment a script begins with, and body what follows.
func header(text string) (head, body string) {
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "--") {
			break
		}
		head += line
	}
	return head, strings.TrimPrefix(text, head)
}

var (
	bindKey   = regexp.MustCompile(`--   KEYS\[(\d)\]\s+(\w+)\s+(hash|zset|stream)`)
	bindArg   = regexp.MustCompile(`--   ARGV\[(\d)\]\s+\S`)
	statusRow = regexp.MustCompile(`(?m)^--   \{"(\w+)"`)
	gateWord  = regexp.MustCompile(`"(fenced|loading|stopped|backlog|refused)"`)
	returned  = regexp.MustCompile(`return (?:durable and |\{ )?'(\w+)'|return nil, nil, '(\w+)'|or '(repeat)'`)
)

// TestHeaders ties each script's header to its code: keys and arguments, in order; every status in the
// header is one the code answers, and the other way round.
func TestHeaders(t *testing.T) {
	prelude := source(t, "prelude")
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			head, body := header(source(t, name))
			if !strings.HasPrefix(head, "-- "+name+" ") {
				t.Errorf("the header begins %q, not with the script's name", strings.SplitN(head, "\n", 2)[0])
			}
			keys := bindKey.FindAllStringSubmatch(head, -1)
			for i, k := range keys {
				if k[1] != string(rune('1'+i)) {
					t.Errorf("KEYS[%s] is documented at place %d", k[1], i+1)
				}
				if !strings.Contains(body, "KEYS["+k[1]+"]") {
					t.Errorf("KEYS[%s] is not bound", k[1])
				}
			}
			if used := strings.Count(body, "KEYS["); used != len(keys) {
				t.Errorf("%d keys are bound, %d documented", used, len(keys))
			}
			for i, a := range bindArg.FindAllStringSubmatch(head, -1) {
				if a[1] != string(rune('1'+i)) {
					t.Errorf("ARGV[%s] is documented at place %d", a[1], i+1)
				}
			}
			documented, gates := words(statusRow, head), words(gateWord, head)
			answered := words(returned, body)
			if strings.Contains(body, "parts_of(") { // its refusals are its callers'
				answered = append(answered, words(returned, prelude)...)
			}
			for _, word := range documented {
				if !slices.Contains(answered, word) {
					t.Errorf("%q is documented and never answered", word)
				}
			}
			for _, word := range answered {
				if !slices.Contains(documented, word) && !slices.Contains(gates, word) {
					t.Errorf("%q is answered and not documented", word)
				}
			}
			if name == "reserve" != slices.Contains(gates, "backlog") {
				t.Errorf("gate words %v: reserve, and it alone, answers backlog", gates)
			}
		})
	}
}

func words(pattern *regexp.Regexp, text string) (list []string) {
	for _, match := range pattern.FindAllStringSubmatch(text, -1) {
		for _, word := range match[1:] {
			if word != "" && !slices.Contains(list, word) {
				list = append(list, word)
			}
		}
	}
	return list
}

// TestOrder has each script's parts in order, and everything it takes from outside in bind.
func TestOrder(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			_, body := header(source(t, name))
			at := -1
			for _, part := range []string{"-- bind", "-- read", "-- decide", "-- write", "-- return"} {
				next := strings.Index(body, "\n"+part+"\n")
				if strings.Count(body, "\n"+part+"\n") != 1 || next < at {
					t.Fatalf("%q does not stand once, after the part before it", part)
				}
				at = next
			}
			bound, rest, _ := strings.Cut(body, "\n-- read\n")
			for _, outside := range []string{"KEYS", "ARGV"} {
				if strings.Contains(rest, outside) {
					t.Errorf("%s is used outside of bind", outside)
				}
			}
			if !strings.Contains(bound, "KEYS[1]") {
				t.Error("no key is bound")
			}
			_, written, _ := strings.Cut(body, "\n-- write\n")
			written, _, _ = strings.Cut(written, "\n-- return\n")
			first := strings.Index(written, "append(events_key")
			for _, call := range []string{"write_stock(", "write_counts(", "write_records(", "write_deadlines(", "pairs_in("} {
				if i := strings.Index(written, call); i >= 0 && i < first {
					t.Errorf("%s comes before the event", call)
				}
			}
			before, _, _ := strings.Cut(body, "\n-- write\n")
			for _, write := range []string{"'HSET'", "'HDEL'", "'ZADD'", "'ZREM'", "'XADD'"} {
				if strings.Contains(before, write) {
					t.Errorf("%s is called before write", write)
				}
			}
		})
	}
}

// TestLacking has no script use what miniredis lacks.
func TestLacking(t *testing.T) {
	for _, name := range append(Names(), "prelude", "operations", "auditing") {
		for _, lacking := range []string{"cmsgpack", "bit.", "struct.", "redis.setresp", "#!lua"} {
			if strings.Contains(source(t, name), lacking) {
				t.Errorf("%s uses %s", name, lacking)
			}
		}
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		name  string
		real  bool
		begin string
	}{
		{"reserve", true, "#!lua\nlocal EPOCH = '7'\n-- prelude"},
		{"release", true, "#!lua flags=allow-oom\nlocal EPOCH = '7'\n"},
		{"reserve", false, "local EPOCH = '7'\n-- prelude"},
	} {
		text, err := Text(c.name, 7, c.real)
		if err != nil || !strings.HasPrefix(text, c.begin) || !strings.HasSuffix(text, source(t, c.name)) {
			t.Errorf("%s: %v, begins %.40q", c.name, err, text)
		}
	}
	if _, err := Text("sell", 7, true); err == nil {
		t.Error("an unknown script has a text")
	}
	for _, name := range Names() {
		text, err := Text(name, 7, true)
		for part, use := range map[string]string{"operations": "take_operation", "auditing": "data_of("} {
			if uses := strings.Contains(source(t, name), use); err != nil || uses != strings.Contains(text, "-- "+part+" is put") {
				t.Errorf("%s has no use for %s.lua, or lacks it: %v", name, part, err)
			}
		}
	}
	a, _ := Text("reserve", 7, true)
	b, _ := Text("reserve", 8, true)
	if a == b {
		t.Error("two epochs share a text")
	}
}
