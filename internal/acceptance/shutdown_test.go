package acceptance

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
)

// refuses waits until the program takes no new connections.
func (p *program) refuses(t *testing.T) {
	t.Helper()
	await(t, "connections to be refused", func() bool {
		connection, err := net.Dial("tcp", p.address)
		if err == nil {
			_ = connection.Close()
		}
		return err != nil
	})
}

// A request whose header has arrived is answered, even if its body comes after SIGTERM.
func TestShutdownFinishesWhatIsComing(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		p.do(t, "given", level("A", "berlin", 1))
		body := `{"id": "o", "lines": [{"line": "1", "sku": "A", "quantity": 1}]}`
		connection, err := net.Dial("tcp", p.address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = connection.Close() }()
		// The server asks for the body once it has read the header. From then on the call is in flight.
		_, err = fmt.Fprintf(connection, "POST /v1/reservations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"+
			"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n", len(body))
		if err != nil {
			t.Fatal(err)
		}
		reader := bufio.NewReader(connection)
		if line, err := reader.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
			t.Fatalf("%q %v", line, err)
		}
		if _, err := reader.ReadString('\n'); err != nil { // the empty line after the header
			t.Fatal(err)
		}
		p.signal(syscall.SIGTERM)
		p.refuses(t)
		if _, err := io.WriteString(connection, body); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != 201 {
			t.Errorf("%d %s %v", response.StatusCode, text, err)
		}
		p.end()
	})
}

// A server that stops says so at /readyz, and still serves while load balancers have time to notice.
func TestShutdownNotice(t *testing.T) {
	t.Parallel()
	p := start(t, "--http-shutdown-notice=5m")
	p.do(t, "given", level("A", "berlin", 1))
	p.signal(syscall.SIGTERM)
	await(t, "/readyz to say that the server stops", func() bool {
		return p.send(t, step{method: "GET", path: "/readyz"}).status == 503
	})
	p.http.CloseIdleConnections()
	if got := p.send(t, hold("o", "A", 1)); got.status != 201 {
		t.Errorf("a new connection gets %d %s", got.status, got.body)
	}
	if p.process.Gone() {
		t.Error("the server has ended before the notice has")
	}
	p.signal(syscall.SIGKILL)
	<-p.process.Exited
}

// A call that waits for Redis is answered, and its effect survives a restart.
func TestShutdownFinishesWhatRedisHasNotAnswered(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	inTime(t, func() bool {
		p := startOn(t, redis)
		sku, began, answers := p.callsUnderWay(t, redis)
		p.signal(syscall.SIGTERM)
		p.refuses(t)
		redis.Resume()
		late := time.Since(began) > time.Second
		p.end()
		for got := range answers {
			if got.status != 201 && !late {
				t.Errorf("%d %s", got.status, brief(got.body))
			}
		}
		if late {
			return false
		}
		next := startOn(t, redis)
		next.do(t, "then", stocked(sku, "berlin", [6]int{50, 5, 0, 0, 0, 45}))
		next.do(t, "then", hold(sku+"-4", sku, 1).is(200, reservation(sku+"-4", "held", 1, line("1", sku, 1, 1, 0, "berlin"), "")).replayed())
		return true
	})
}

// callsUnderWay pauses Redis at began and sends it five holds of a SKU: three are in flight and two wait in
// the queue. On a busy machine the first can time out before the last is sent. Then callsUnderWay starts
// again with another SKU.
func (p *program) callsUnderWay(t *testing.T, redis *redistest.Server) (sku string, began time.Time, answers <-chan answered) {
	t.Helper()
	signs := []string{
		`holdfast_in_flight_batches{verb="reserve"} 1`, `holdfast_in_flight_batches{verb="reserve"} 2`,
		`holdfast_in_flight_batches{verb="reserve"} 3`,
		`holdfast_queued_requests{verb="reserve"} 1`, `holdfast_queued_requests{verb="reserve"} 2`,
	}
	inTime(t, func() bool {
		sku = fmt.Sprint("A", time.Now().UnixNano())
		p.do(t, "given", level(sku, "berlin", 50))
		p.do(t, "given", hold("first-"+sku, sku, 1)) // reads the list of locations
		p.do(t, "given", transition("release", "first-"+sku, ""))
		got := make(chan answered, len(signs))
		answers = got
		var all sync.WaitGroup
		began = time.Now()
		late := func() bool { return time.Since(began) > time.Second }
		redis.Pause()
		for n, sign := range signs {
			next := hold(fmt.Sprint(sku, "-", n), sku, 1)
			all.Go(func() { got <- p.send(t, next) })
			await(t, sign, func() bool { return late() || p.says(t, get("/metrics"), sign) })
			if late() {
				redis.Resume()
				all.Wait()
				return false
			}
		}
		go func() {
			all.Wait()
			close(got)
		}()
		return true
	})
	return sku, began, answers
}

// A confirm in flight is answered once the ledger has it, even if the program's own reconciler has to apply
// it after SIGTERM.
func TestShutdownFinishesWhatTheLedgerHasNotDecided(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	attempts := 0
	inTime(t, func() bool {
		attempts++
		id, sku := fmt.Sprint("o", attempts), fmt.Sprint("A", attempts)
		p := startOn(t, redis)
		p.do(t, "given", level(sku, "berlin", 1))
		p.do(t, "given", hold(id, sku, 1))
		began := time.Now()
		redis.Pause()
		answer := make(chan answered, 1)
		go func() { answer <- p.send(t, transition("confirm", id, "")) }()
		const sign = `holdfast_in_flight_batches{verb="confirm"} 1`
		await(t, sign, func() bool { return p.says(t, get("/metrics"), sign) || time.Since(began) > time.Second })
		p.signal(syscall.SIGTERM)
		p.refuses(t)
		redis.Resume()
		late := time.Since(began) > time.Second
		if got := <-answer; got.status != 200 && !late {
			t.Errorf("%d %s", got.status, brief(got.body))
		}
		p.end()
		return !late
	})
}

// Under load no answer is cut off half-way, and no answered call is lost.
func TestShutdownUnderLoad(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	p := startOn(t, redis)
	p.do(t, "given", level("A", "berlin", 1_000_000))
	const callers = 8
	var all sync.WaitGroup
	var mu sync.Mutex
	var kept []string
	enough := make(chan struct{})
	for caller := range callers {
		all.Go(func() {
			for i := 0; ; i++ {
				s := hold(fmt.Sprintf("o-%d-%d", caller, i), "A", 1)
				response, err := p.http.Post(p.url+s.path, "application/json", strings.NewReader(s.body))
				if err != nil {
					return // refused, or an idle connection was closed, without one byte of an answer
				}
				text, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if err != nil || response.StatusCode != 201 {
					t.Errorf("%d %s %v", response.StatusCode, text, err)
					return
				}
				mu.Lock()
				kept = append(kept, s.body)
				if len(kept) == 200 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(patience):
		t.Error("it is too slow")
	}
	p.signal(syscall.SIGTERM)
	all.Wait()
	p.end()
	next := startOn(t, redis)
	for _, body := range kept[len(kept)-50:] {
		next.do(t, "then", reserve(body).is(200, "").replayed())
	}
	// Each caller may have one more hold: the one whose call was cut off without an answer.
	await(t, fmt.Sprintf("%d and at most %d more to be held", len(kept), callers), func() bool {
		level := decoded(t, next.send(t, get("/v1/stock/A")).body)["levels"].([]any)[0].(map[string]any)
		held, gone := int(level["held"].(float64)), 1_000_000-int(level["available"].(float64))
		return held >= len(kept) && held <= len(kept)+callers && gone == held
	})
}

// A second signal ends the program at once. So does the first one if no call is under way.
func TestShutdownOfAnIdleProgram(t *testing.T) {
	eachEngine(t, func(t *testing.T, p *program) {
		p.do(t, "given", get("/livez")) // leaves an idle connection
		began := time.Now()
		p.signal(syscall.SIGINT)
		p.end()
		if took := time.Since(began); took > busy {
			t.Errorf("it took %v", took)
		}
	})
}
