package acceptance

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// brieflyHeld reserves all three units of a new SKU for the shortest time that the API allows, and waits
// for the deadline.
func (p *program) brieflyHeld(t *testing.T, id, sku string) {
	t.Helper()
	p.do(t, "given", level(sku, "berlin", 3))
	p.do(t, "given", reserve(forASecond(id, sku)))
	await(t, "the deadline", func() bool { return p.says(t, read(id), `"state":"expired"`) })
}

func forASecond(id, sku string) string {
	return `{"id": "` + id + `", "ttl_seconds": 1, "lines": [{"line": "1", "sku": "` + sku + `", "quantity": 3}]}`
}

func (p *program) says(t *testing.T, s step, part string) bool {
	t.Helper()
	return strings.Contains(string(p.send(t, s).body), part)
}

// swept waits until the sweeper has put the units of a SKU back on sale.
func (p *program) swept(t *testing.T, sku string) {
	t.Helper()
	await(t, "the sweeper", func() bool { return p.says(t, get("/v1/stock/"+sku), `"available":3`) })
}

func TestDeadlines(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		for _, c := range []struct {
			name string
			test func(t *testing.T, p *program, id, sku string)
		}{
			{"is exact to the millisecond", deadlineIsExact},
			{"a replay takes nothing again", replayAfterDeadline},
			{"quantity and from stay, the units are given back", expiredIsWhole},
			{"other transitions do not apply", transitionsAfterDeadline},
			{"the units are there for the next customer at once", soldAfterDeadline},
			{"a late confirm takes the units again", confirmAfterDeadline},
			{"a late confirm is refused where the units are gone", refundAfterDeadline},
			{"an extended one lives on", extendedOutlives},
			{"a confirmed one has no deadline", confirmedOutlives},
		} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				id := strings.NewReplacer(" ", "-", ",", "").Replace(c.name)
				c.test(t, p, id, "sku-"+id)
			})
		}
	})
}

// expired returns the reservation of brieflyHeld. The sweeper may have raised its version meanwhile.
func expired(id, sku string) string {
	return strings.Replace(reservation(id, "expired", 1, line("1", sku, 3, 3, 0, "berlin"), ""),
		`"version": 1`, `"version": "<any>"`, 1)
}

// deadlineIsExact reads a hold until it expires: every answer says held before the deadline, and expired
// after it. Test and server share a clock.
func deadlineIsExact(t *testing.T, p *program, id, sku string) {
	p.do(t, "given", level(sku, "berlin", 3))
	expires := moment(t, decoded(t, p.do(t, "given", reserve(forASecond(id, sku))).body), "expires_at")
	await(t, "the deadline", func() bool {
		before := time.Now()
		state := decoded(t, p.send(t, read(id)).body)["state"]
		after := time.Now()
		if state == "held" && before.After(expires.Add(time.Millisecond)) || state == "expired" && after.Before(expires) {
			t.Fatalf("%s between %v and %v, the deadline is %v", state, before, after, expires)
		}
		return state == "expired"
	})
}

func replayAfterDeadline(t *testing.T, p *program, id, sku string) {
	p.brieflyHeld(t, id, sku)
	p.do(t, "when", reserve(forASecond(id, sku)).is(200, expired(id, sku)).replayed())
	p.swept(t, sku)
	p.do(t, "when", reserve(forASecond(id, sku)).is(200, expired(id, sku)).replayed())
	p.do(t, "then", stocked(sku, "berlin", [6]int{3, 0, 0, 0, 0, 3}))
}

func expiredIsWhole(t *testing.T, p *program, id, sku string) {
	p.brieflyHeld(t, id, sku)
	p.swept(t, sku)
	p.do(t, "then", stocked(sku, "berlin", [6]int{3, 0, 0, 0, 0, 3}))
	p.do(t, "then", read(id).is(200, expired(id, sku)))
}

func transitionsAfterDeadline(t *testing.T, p *program, id, sku string) {
	p.brieflyHeld(t, id, sku)
	for _, verb := range []string{"release", "extend", "fulfill"} {
		p.do(t, "when", wrongState(transition(verb, id, ""), "expired"))
	}
	p.swept(t, sku)
	for _, verb := range []string{"release", "extend", "fulfill"} {
		p.do(t, "when", wrongState(transition(verb, id, ""), "expired"))
	}
}

func soldAfterDeadline(t *testing.T, p *program, id, sku string) {
	p.brieflyHeld(t, id, sku)
	p.do(t, "when", hold(id+"-next", sku, 3))
	p.do(t, "then", stocked(sku, "berlin", [6]int{3, 3, 0, 0, 0, 0}))
}

func confirmAfterDeadline(t *testing.T, p *program, id, sku string) {
	p.brieflyHeld(t, id, sku)
	p.swept(t, sku)
	want := reservation(id, "confirmed", 3, line("1", sku, 3, 3, 0, "berlin"), durable)
	p.do(t, "when", transition("confirm", id, "").is(200, want))
	p.do(t, "then", stocked(sku, "berlin", [6]int{3, 0, 3, 0, 0, 0}))
	p.do(t, "then", transition("confirm", id, "").is(200, want).replayed())
}

func refundAfterDeadline(t *testing.T, p *program, id, sku string) {
	p.brieflyHeld(t, id, sku)
	p.do(t, "given", hold(id+"-next", sku, 2))
	p.do(t, "when", transition("confirm", id, "").refused(409, "insufficient_stock",
		`"shortages": [{"line": "1", "sku": "`+sku+`", "requested": 3, "available": 1}]`))
	p.do(t, "then", read(id).is(200, expired(id, sku)))
	p.do(t, "then", stocked(sku, "berlin", [6]int{3, 2, 0, 0, 0, 1}))
}

// outlives makes a reservation, changes it before its deadline and waits until the deadline has passed.
// The deadline leaves a busy machine time for the change.
func (p *program) outlives(t *testing.T, id, sku string, change step) {
	t.Helper()
	body := strings.Replace(forASecond(id, sku), `"ttl_seconds": 1,`, `"ttl_seconds": 8,`, 1)
	expires := moment(t, decoded(t, p.do(t, "given", reserve(body)).body), "expires_at")
	p.do(t, "given", change)
	await(t, "the deadline", func() bool { return time.Now().After(expires.Add(time.Millisecond)) })
}

func extendedOutlives(t *testing.T, p *program, id, sku string) {
	p.do(t, "given", level(sku, "berlin", 6))
	p.outlives(t, id, sku, transition("extend", id, `{"ttl_seconds": 600}`))
	p.do(t, "then", read(id).is(200, reservation(id, "held", 2, line("1", sku, 3, 3, 0, "berlin"), "")))
	p.do(t, "then", stocked(sku, "berlin", [6]int{6, 3, 0, 0, 0, 3}))
}

func confirmedOutlives(t *testing.T, p *program, id, sku string) {
	p.do(t, "given", level(sku, "berlin", 6))
	p.outlives(t, id, sku, transition("confirm", id, ""))
	p.do(t, "then", read(id).is(200, reservation(id, "confirmed", 2, line("1", sku, 3, 3, 0, "berlin"), "")))
	p.do(t, "then", stocked(sku, "berlin", [6]int{6, 0, 3, 0, 0, 3}))
}
