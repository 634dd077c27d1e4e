package acceptance

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
)

// stop stops the program, and returns once it stands still.
func (p *program) stop() {
	p.t.Helper()
	p.signal(syscall.SIGSTOP)
	await(p.t, "the program to stop", func() bool {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.process.Cmd.Process.Pid))
		if err != nil {
			p.t.Fatal(err)
		}
		_, state, _ := strings.Cut(string(text), ") ")
		return strings.HasPrefix(state, "T")
	})
}

// notAfter adds the last moment of a call to its body.
func (s step) notAfter(at time.Time) step {
	more := `"not_after": "` + at.UTC().Format("2006-01-02T15:04:05.000Z07:00") + `"`
	if s.body != "{}" {
		more += ", "
	}
	s.body = strings.Replace(s.body, "{", "{"+more, 1)
	return s
}

// A server that hung takes nothing for a caller who gave up. A call without not_after, or with a later one,
// is still served.
func TestNotAfterOfAStoppedServer(t *testing.T) {
	t.Parallel()
	p := startOn(t, redistest.Start(t))
	p.do(t, "given", level("A", "berlin", 9))
	p.do(t, "given", level("A", "lyon", 9))
	p.do(t, "given", hold("held", "A", 2))
	p.do(t, "given", reserve(`{"id": "lapsed", "ttl_seconds": 1, "lines": [{"line": "1", "sku": "A", "quantity": 1}]}`))
	given := get("/v1/stock/A").is(200, `{"sku": "A", "levels": [{`+
		units("A", "berlin", [6]int{9, 2, 0, 0, 0, 7})+`}, {`+units("A", "lyon", [6]int{9, 0, 0, 0, 0, 9})+`}]}`)
	p.do(t, "given", given) // the hold lapsed has given its unit back

	p.stop()
	late, bound := time.Now().Add(20*time.Millisecond), time.Now().Add(time.Hour)
	calls := []step{
		hold("late", "A", 3),
		transition("extend", "held", `{}`),
		transition("move", "held", `{"version": 1, "line": "1", "to": "lyon"}`),
		transition("confirm", "lapsed", `{}`),
		post("/v1/stock/transfers", `{"id": "van", "sku": "A", "from": "berlin", "to": "lyon", "quantity": 1}`),
		post("/v1/stock/adjustments", `{"id": "delta", "sku": "A", "location": "berlin", "delta": -1}`),
		put("/v1/stock/A/berlin", `{"id": "count", "on_hand": 1}`),
		counts("counts", `{"sku": "A", "location": "berlin", "on_hand": 1}`),
	}
	sent := make([]chan answered, len(calls))
	for i, s := range calls {
		calls[i], sent[i] = s.notAfter(late).refused(409, "expired_request", ""), make(chan answered, 1)
		go func() { sent[i] <- p.send(t, calls[i]) }()
	}
	inTime := make(chan answered, 1)
	go func() { inTime <- p.send(t, hold("in-time", "A", 1).notAfter(bound)) }()
	await(t, "the time to pass", func() bool { return time.Now().After(late.Add(time.Millisecond)) })
	p.signal(syscall.SIGCONT)
	for i, s := range calls {
		if err := p.judge(t, s, <-sent[i]); err != nil {
			t.Errorf("%s %s: %v", s.path, s.body, err)
		}
	}
	if got := <-inTime; got.status != 201 && got.status != 503 {
		t.Errorf("in time: %d %s", got.status, got.body)
	}

	p.do(t, "then", read("late").refused(404, "not_found", ""))
	p.do(t, "then", read("held").is(200, reservation("held", "held", 1, line("1", "A", 2, 2, 0, "berlin"), "")))
	// A repeat is answered as usual if it is in time.
	again := hold("in-time", "A", 1).notAfter(bound.Add(time.Hour))
	await(t, "a hold in time", func() bool { return p.send(t, again).status == 200 })
	p.do(t, "then", again.is(200, reservation("in-time", "held", 1, line("1", "A", 1, 1, 0, "berlin"), "")).replayed())
	p.do(t, "then", hold("in-time", "A", 1).notAfter(late).refused(409, "expired_request", ""))
	given.answer = strings.Replace(given.answer, units("A", "berlin", [6]int{9, 2, 0, 0, 0, 7}), units("A", "berlin", [6]int{9, 3, 0, 0, 0, 6}), 1)
	p.do(t, "then", given)
}

// The moment is a time of RFC 3339. What else is wrong with a call comes first, and a conflict later.
func TestNotAfter(t *testing.T) {
	past, future := time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	eachEngine(t, func(t *testing.T, p *program) {
		p.check(t, []scenario{
			{name: "in time", given: []step{level("$A", "berlin", 5)}, when: hold("$o", "$A", 2).notAfter(future)},
			{name: "too late", given: made(), when: transition("extend", "$o", `{}`).notAfter(past).refused(409, "expired_request", "")},
			{name: "no time", given: made(), when: invalid(reserve(`{"id": "$p", "not_after": "tomorrow", "lines": []}`), "/not_after")},
			{name: "a time before 1970", given: made(), when: invalid(transition("confirm", "$o", `{"not_after": "1969-12-31T23:59:59Z"}`), "/not_after")},
			{name: "invalid first", given: made(), when: invalid(reserve(`{"id": "$p", "lines": []}`).notAfter(past), "/lines")},
			{
				name: "before a conflict", given: made(), when: hold("$o", "$A", 9).notAfter(past).refused(409, "expired_request", ""),
				then: []step{stocked("$A", "berlin", [6]int{5, 3, 0, 0, 0, 2})},
			},
			{
				name: "a release takes no units", given: made(),
				when: transition("release", "$o", `{}`).notAfter(future).refused(400, "malformed", `"errors": [{"path": "/not_after", "message": "<text>"}]`),
			},
		})
	})
}
