package dial

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/testserver"
)

// runID returns the run id that a server has.
func runID(t *testing.T, s *redistest.Server) string {
	t.Helper()
	about, err := s.Client(t).Info(t.Context(), "server").Result()
	if err != nil {
		t.Fatal(err)
	}
	_, id, _ := strings.Cut(about, "run_id:")
	return strings.TrimSpace(strings.SplitN(id, "\n", 2)[0])
}

// TestPrimaryRunID asks who is the primary before and after a failover, and when too few are left to ask.
func TestPrimaryRunID(t *testing.T) {
	const key = "{holdfast:0}:stock"
	for name, start := range map[string]func(testing.TB) *redistest.Replicated{
		"cluster":   func(tb testing.TB) *redistest.Replicated { return redistest.StartReplicatedCluster(tb, key) },
		"sentinels": redistest.StartSentinels,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			servers := start(t)
			endpoint := config.Endpoint{}
			for _, judge := range servers.Judges {
				endpoint.Hosts = append(endpoint.Hosts, judge.Addr())
			}
			if name == "sentinels" {
				endpoint.Primary = redistest.SentinelName
			}
			r, err := Open(endpoint)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = r.Close() }()
			if !r.Judged() {
				t.Error("nobody can be asked")
			}
			expect := func(s *redistest.Server) {
				t.Helper()
				want := runID(t, s)
				var got string
				if !testserver.Await(func() bool {
					got, err = r.PrimaryRunID(context.Background(), key)
					return got == want
				}) {
					t.Fatalf("got %q, %v: want %q", got, err, want)
				}
			}
			expect(servers.Primary)
			servers.Primary.Kill()
			servers.AwaitPromotion(t)
			expect(servers.Replica)
			for _, judge := range servers.Judges[1:] {
				judge.Kill()
			}
			if name == "cluster" {
				servers.Replica.Kill()
			}
			if !testserver.Await(func() bool {
				_, err = r.PrimaryRunID(context.Background(), key)
				return errors.Is(err, errNoMajority)
			}) {
				t.Errorf("with one left to ask: %v", err)
			}
		})
	}
	one, err := Open(config.Endpoint{Hosts: []string{"127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = one.Close() }()
	if one.Judged() {
		t.Error("a single Redis has judges")
	}
}

func TestMajority(t *testing.T) {
	for _, c := range []struct {
		votes  []string
		judges int
		want   string
	}{
		{nil, 0, ""},
		{[]string{"a"}, 1, "a"},
		{[]string{"a"}, 2, ""},
		{[]string{"a", "b"}, 3, ""},
		{[]string{"a", "b", "b"}, 3, "b"},
		{[]string{"a", "a", "b", "b"}, 4, ""},
	} {
		got, err := majority(c.votes, c.judges)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q of %d: %q, %v", c.votes, c.judges, got, err)
		}
	}
}
