package lua

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// source is a file's own text, without the prelude and what it has put in.
func source(t *testing.T, name string) string {
	t.Helper()
	text, err := files.ReadFile(name + ".lua")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// parts lists the files that are no scripts, in the order in which they are put in.
var parts = []string{
	"prelude", "records", "limits", "tags", "plain", "expiry", "allocation", "counts", "transitions", "parts", "operations", "auditing",
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
	returned  = regexp.MustCompile(`return (?:durable and |\{ )?'(\w+)'|return nil, nil, '(\w+)'|or '(repeat)'|status, payload = '(\w+)'`)
)

// TestHeaders ties each script's header to its code: keys and arguments, in order; every status in the
// header is one the code answers, and the other way round.
func TestHeaders(t *testing.T) {
	refusals := words(returned, source(t, "parts"))
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
				answered = append(answered, refusals...)
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
			if reserves := name == "reserve" || name == "glance"; reserves != slices.Contains(gates, "backlog") {
				t.Errorf("gate words %v: reserve, and what asks in its place, alone answer backlog", gates)
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
	for _, name := range append(Names(), parts...) {
		for _, lacking := range []string{"cmsgpack", "bit.", "struct.", "redis.setresp", "#!lua"} {
			if strings.Contains(source(t, name), lacking) {
				t.Errorf("%s uses %s", name, lacking)
			}
		}
	}
}

var (
	comment = regexp.MustCompile(`--.*`)
	defined = regexp.MustCompile(`(?m)^local (?:function )?(\w+(?:, \w+)*)`)
	word    = regexp.MustCompile(`(?:^|[^.\w'])(\w+)`)
)

// TestPutIn has each script have in front of its use all that it uses of other files, and no file that it
// uses nothing of.
func TestPutIn(t *testing.T) {
	owner := map[string]string{} // name -> the file that defines it
	for _, part := range parts {
		for _, match := range defined.FindAllStringSubmatch(source(t, part), -1) {
			for name := range strings.SplitSeq(match[1], ", ") {
				owner[name] = part
			}
		}
	}
	for _, script := range Names() {
		t.Run(script, func(t *testing.T) {
			has, used := []string{"prelude"}, []string{"prelude"}
			look := func(file, text string) {
				for _, match := range word.FindAllStringSubmatch(comment.ReplaceAllString(text, ""), -1) {
					part := owner[match[1]]
					if part == "" || part == file || regexp.MustCompile(`local (function )?`+match[1]+`\b`).MatchString(text) {
						continue
					}
					if !slices.Contains(has, part) {
						t.Errorf("%s uses %s, and %s does not stand before it", file, match[1], part)
					}
					used = append(used, part)
				}
			}
			at, text := 0, source(t, script)
			for _, place := range put.FindAllStringSubmatchIndex(text, -1) {
				look(script, text[at:place[0]])
				at = place[1]
				for part := range strings.FieldsSeq(text[place[2]:place[3]]) {
					look(part, source(t, part))
					has = append(has, part)
				}
			}
			look(script, text[at:])
			for _, part := range has {
				if !slices.Contains(used, part) {
					t.Errorf("nothing of %s is used", part)
				}
			}
		})
	}
}

// lastLines is how a text ends.
func lastLines(text string) string { return text[strings.LastIndex(text, "\n-- write\n"):] }

func TestText(t *testing.T) {
	for _, c := range []struct {
		name  string
		real  bool
		begin string
	}{
		{"reserve", true, "#!lua\nlocal EPOCH = '7'\n-- prelude"},
		{"release", true, "#!lua flags=allow-oom\nlocal EPOCH = '7'\n"},
		{"reserve", false, "local EPOCH = '7'\n-- prelude"},
		{"glance", true, "#!lua\nlocal EPOCH = '7'\n-- glance"},
	} {
		text, err := Text(c.name, 7, c.real)
		if err != nil || !strings.HasPrefix(text, c.begin) || !strings.HasSuffix(text, lastLines(source(t, c.name))) {
			t.Errorf("%s: %v, begins %.40q", c.name, err, text)
		}
	}
	if _, err := Text("sell", 7, true); err == nil {
		t.Error("an unknown script has a text")
	}
	a, _ := Text("reserve", 7, true)
	b, _ := Text("reserve", 8, true)
	if a == b {
		t.Error("two epochs share a text")
	}
}
