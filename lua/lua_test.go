package lua

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// source returns the text of one file, without the prelude and the parts that it includes.
func source(t *testing.T, name string) string {
	t.Helper()
	text, err := files.ReadFile(name + ".lua")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// parts lists the files that scripts include, in the order in which they are included.
var parts = []string{
	"prelude", "records", "limits", "attributes", "plain", "expiry", "campaigns", "candidates", "allocation", "backorder", "attempt",
	"retake", "counts", "transitions", "partial", "operations", "levels", "shipped", "requests", "auditing",
}

// answering names the function of a part that returns refusals to the script that calls it.
var answering = map[string]string{"partial": "read_parts(", "shipped": "read_back(", "attempt": "attempt(", "transitions": "of_reservation("}

// TestFiles checks that each file is a script, a part or the list of status words.
func TestFiles(t *testing.T) {
	entries, err := files.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, entry := range entries {
		got = append(got, strings.TrimSuffix(entry.Name(), ".lua"))
	}
	want := slices.Sorted(slices.Values(slices.Concat(Names(), parts, []string{"status"})))
	if !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
}

// header splits a text into the comment at its beginning and the rest.
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
	sections  = regexp.MustCompile(`^-- (\w+) \w[^\n]*\n(?:--[^\n]*\n)*--\n-- Input\n--   KEYS(?:[^\n]*\n)*-- Output(?::|\n)`)
	boundKey  = regexp.MustCompile(`--   KEYS\[(\d)\]\s+(\w+)\s+(hash|zset|stream)`)
	boundArg  = regexp.MustCompile(`--   ARGV\[(\d)\]\s+\S`)
	statusRow = regexp.MustCompile(`(?m)^--   \{"(\w+)"`)
	callWord  = regexp.MustCompile(`\{"(fenced|loading|stopped|backlog|refused)"\}`)
	answer    = regexp.MustCompile(`return (?:\w+ and |\{ )?'(\w+)'|return nil, nil, '(\w+)'|= confirmed and '(\w+)'|or '(repeat)'|status, payload = '(\w+)'`)
)

// TestHeaders checks each script's header against its code: the sections, the keys and arguments in
// order, and the status words, which must be those that the code answers.
func TestHeaders(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			head, body := header(source(t, name))
			if found := sections.FindStringSubmatch(head); found == nil || found[1] != name {
				t.Errorf("the header does not name the script, then Input and Output:\n%s", head)
			}
			keys := boundKey.FindAllStringSubmatch(head, -1)
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
			for i, a := range boundArg.FindAllStringSubmatch(head, -1) {
				if a[1] != string(rune('1'+i)) {
					t.Errorf("ARGV[%s] is documented at place %d", a[1], i+1)
				}
			}
			documented, gates := words(statusRow, head), words(callWord, head)
			answered := words(answer, body)
			for part, call := range answering {
				if strings.Contains(body, call) {
					answered = append(answered, words(answer, source(t, part))...)
				}
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
			if reserves := name == "reserve" || name == "probe"; reserves != slices.Contains(gates, "backlog") {
				t.Errorf("gate words %v: only reserve, and probe in its place, answer backlog", gates)
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

var (
	quoted   = regexp.MustCompile(`'(\w+)'`)
	compared = regexp.MustCompile(`(?:refusal|status|statuses\[i\]) [=~]= '(\w+)'|closed = '(\w+)'|closed or '(\w+)'|reply = \{ '(\w+)'`)
)

// TestStatus checks that scripts and headers have only the status words of status.lua, and all of them.
func TestStatus(t *testing.T) {
	_, list := header(source(t, "status"))
	known := words(quoted, list)
	if len(quoted.FindAllString(list, -1)) != len(known) {
		t.Error("status.lua has a word twice")
	}
	var documented []string
	for _, name := range append(Names(), parts...) {
		head, body := header(source(t, name))
		has := slices.Concat(words(answer, body), words(compared, body))
		if slices.Contains(Names(), name) {
			documented = slices.Concat(documented, words(statusRow, head), words(callWord, head))
		}
		for _, word := range has {
			if !slices.Contains(known, word) {
				t.Errorf("%s answers %q, which is not in status.lua", name, word)
			}
		}
	}
	for _, word := range documented {
		if !slices.Contains(known, word) {
			t.Errorf("a header has %q, which is not in status.lua", word)
		}
	}
	for _, word := range known {
		if !slices.Contains(documented, word) {
			t.Errorf("%q is in status.lua, and in no header", word)
		}
	}
}

var function = regexp.MustCompile(`^( *)(?:local function|function|return function)\b.*\)$`)

// TestLengths checks that no function is longer than 90 lines. A function ends at the next "end" with
// the same indentation.
func TestLengths(t *testing.T) {
	for _, name := range append(Names(), parts...) {
		lines := strings.Split(source(t, name), "\n")
		for i, line := range lines {
			found := function.FindStringSubmatch(line)
			if found == nil {
				continue
			}
			end := slices.Index(lines[i:], found[1]+"end")
			if end < 0 || end >= 90 {
				t.Errorf("%s.lua:%d: %d lines: %s", name, i+1, end+1, line)
			}
		}
	}
}

// TestOrder checks that each script has its sections in order, takes keys and arguments only in bind,
// and writes its event first.
func TestOrder(t *testing.T) {
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			_, body := header(source(t, name))
			at := -1
			for _, section := range []string{"-- bind", "-- read", "-- decide", "-- write", "-- return"} {
				next := strings.Index(body, "\n"+section+"\n")
				if strings.Count(body, "\n"+section+"\n") != 1 || next < at {
					t.Fatalf("%q does not stand once, after the section before it", section)
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
			for _, call := range []string{
				"write_stock(", "write_counts(", "write_levels(", "write_records(", "write_limits(", "write_operations(",
				"write_fields(",
			} {
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

// TestMiniredis checks that no script uses what miniredis lacks.
func TestMiniredis(t *testing.T) {
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

// TestIncludes checks that each script includes the parts that it and its parts use, each before its
// first use, and no other part.
func TestIncludes(t *testing.T) {
	owner := map[string]string{} // name -> the part that defines it
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
			for _, place := range include.FindAllStringSubmatchIndex(text, -1) {
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

// lastLines returns the end of a text, from its write section on.
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
		{"probe", true, "#!lua\nlocal EPOCH = '7'\n-- probe"},
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
