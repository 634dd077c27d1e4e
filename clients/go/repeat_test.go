package holdfast

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A call whose answer is lost is sent again with the same body.
func TestCallRepeatsLostAnswers(t *testing.T) {
	for name, lose := range map[string]func(http.ResponseWriter, *http.Request){
		"a broken connection": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"half an answer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
		},
		"a time-out": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			bodies := make(chan string, AttemptsMax)
			c, waits := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				bodies <- string(body)
				if calls.Add(1) < 3 {
					lose(w, r)
					return
				}
				answer(w, 201, "application/json", `{"id":"ord-1001","state":"held"}`)
			})
			if name == "a time-out" {
				c.http.Timeout = time.Second // the third attempt is answered at once
			}
			got, _, err := c.Reserve(context.Background(), ReserveRequest{ID: "ord-1001"})
			if err != nil || got.State != "held" {
				t.Fatalf("got %+v, %v", got, err)
			}
			first := <-bodies
			for range 2 {
				if again := <-bodies; again != first {
					t.Errorf("sent %s, then %s", first, again)
				}
			}
			for i, wait := range *waits {
				if most := waitDefault << i; wait < most/2 || wait > most {
					t.Errorf("wait %d is %v, want %v to %v", i+1, wait, most/2, most)
				}
			}
		})
	}
}

func TestCallGivesUp(t *testing.T) {
	var calls atomic.Int32
	c, _ := serve(t, func(http.ResponseWriter, *http.Request) {
		calls.Add(1)
		panic(http.ErrAbortHandler)
	})
	c.attemptsMax = 1
	if _, err := c.Stock(context.Background(), "x"); !errors.Is(err, io.EOF) || calls.Load() != 1 {
		t.Errorf("%v after %d calls", err, calls.Load())
	}
}

// dialed fails to connect, and counts how often.
type dialed struct{ calls int }

func (d *dialed) RoundTrip(*http.Request) (*http.Response, error) {
	d.calls++
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

func TestCallDoesNotRepeatARefusedConnection(t *testing.T) {
	transport := &dialed{}
	c, err := New("http://localhost", Options{Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Stock(context.Background(), "x"); !errors.Is(err, syscall.ECONNREFUSED) || transport.calls != 1 {
		t.Errorf("%v after %d calls", err, transport.calls)
	}
}

func TestBackoffIsBounded(t *testing.T) {
	for attempt := 1; attempt < AttemptsMax+10; attempt++ {
		if wait := backoff(attempt); wait < waitDefault/2 || wait > waitMax {
			t.Errorf("backoff(%d) is %v", attempt, wait)
		}
	}
}

func TestKey(t *testing.T) {
	for key, want := range map[string]string{"": "", "hf_1": "Bearer hf_1"} {
		c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if got := r.Header.Get("Authorization"); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			answer(w, 200, "application/json", `{}`)
		})
		c.key = key
		if _, err := c.Stock(context.Background(), "x"); err != nil {
			t.Error(err)
		}
	}
}

func TestDescribeSendsWhatChanges(t *testing.T) {
	text := "x"
	for want, r := range map[string]DescribeRequest{
		`{}`: {},
		`{"customer":"<c>","order":null,"identities":[]}`: {Customer: "<c>", Order: Remove, Identities: IdentitiesPatch{}},
		`{"metadata":{"a":"x","b":null}}`:                 {Metadata: MetadataPatch{"a": &text, "b": nil}},
		`{"metadata":null}`:                               {Metadata: MetadataPatch{Remove: nil}},
	} {
		if got, err := encode(r); err != nil || string(got) != want+"\n" {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}

func TestCallRepeats429(t *testing.T) {
	var calls atomic.Int32
	c, waits := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 {
			w.Header().Set("Retry-After", "2")
			answer(w, 429, "application/problem+json", `{"code":"too_many_requests"}`)
			return
		}
		answer(w, 200, "application/json", `{"sku":"x"}`)
	})
	got, err := c.Stock(context.Background(), "x")
	if err != nil || got.SKU != "x" || len(*waits) != 1 || (*waits)[0] != 2*time.Second {
		t.Errorf("got %+v, %v, after waits of %v", got, err, *waits)
	}
}
