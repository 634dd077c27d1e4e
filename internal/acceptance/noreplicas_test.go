package acceptance

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/redistest"
)

// sentinelURL returns the URL of a primary as its sentinels know it.
func sentinelURL(servers *redistest.Replicated) string {
	var hosts []string
	for _, sentinel := range servers.Judges {
		hosts = append(hosts, sentinel.Addr())
	}
	return "redis+sentinel://" + strings.Join(hosts, ",") + "/" + redistest.SentinelName
}

// A replica is promoted that needs a replica of its own. Until it has one, calls are refused at once, the log
// says so once, the reconciler tries twice a second, and no epoch is used up.
func TestPromotedWithoutReplica(t *testing.T) {
	t.Parallel()
	servers, url := redistest.StartSentinels(t), ledger(t)
	for _, s := range []*redistest.Server{servers.Primary, servers.Replica} {
		if err := s.Client(t).ConfigSet(t.Context(), "min-replicas-to-write", "1").Err(); err != nil {
			t.Fatal(err)
		}
	}
	p := startAs(t, onRedis, "--redis-url="+sentinelURL(servers), "--postgres-url="+url)
	p.durable = true
	await(t, "the stock to open", func() bool { return p.send(t, get("/readyz")).status == http.StatusOK })
	p.do(t, "given", level("A", "berlin", 5))
	p.do(t, "given", hold("sold", "A", 1))
	p.do(t, "given", transition("confirm", "sold", ""))
	servers.Primary.Kill()
	servers.AwaitPromotion(t)
	await(t, "the promoted server to refuse", func() bool {
		return strings.Contains(string(p.send(t, get("/readyz")).body), "NOREPLICAS")
	})

	await(t, "the reconciler to try", func() bool { return reconcilerTries(t, servers.Replica) > 0 })

	promoted := servers.Replica.Client(t)
	before, began := reconcilerTries(t, servers.Replica), time.Now()
	for tries := 0; tries < 20 || time.Since(began) < 2*time.Second; tries++ {
		if got := p.send(t, hold("new", "A", 4)); got.status != 503 || !strings.Contains(string(got.body), "nothing was changed") {
			t.Fatalf("a hold: %d %s", got.status, got.body)
		}
	}
	tries, took := reconcilerTries(t, servers.Replica)-before, time.Since(began)
	if most := 5 + 2*int(took.Seconds()); tries > most { // five while the pause between them grows
		t.Errorf("the reconciler tried %d times in %v, at most %d are allowed", tries, took, most)
	}
	if n := strings.Count(p.log(), "NOREPLICAS"); n < 1 || n > 2 { // of the reconciler, and of the calls
		t.Errorf("%d lines in the log", n)
	}
	if strings.Contains(p.log(), "rebuilding redis") {
		t.Error("a rebuild was begun that cannot succeed")
	}
	if epoch := promoted.HGet(t.Context(), "{holdfast:0}:stock", "epoch").Val(); epoch != "1" {
		t.Errorf("epoch %s: an attempt without replicas used one up", epoch)
	}
	code, failed := doctor(t, "--redis-url="+sentinelURL(servers), "--postgres-url="+url)
	if code != 1 || len(failed) != 1 || !strings.Contains(failed[0].Seen, "NOREPLICAS") {
		t.Errorf("doctor: exit %d: %+v", code, failed)
	}

	if err := promoted.ConfigSet(t.Context(), "min-replicas-to-write", "0").Err(); err != nil {
		t.Fatal(err)
	}
	p.comesBack(t, hold("new", "A", 4).is(200, "").replayed())
	p.do(t, "then", transition("confirm", "sold", "").is(200, "").replayed())
	if epoch := promoted.HGet(t.Context(), "{holdfast:0}:stock", "epoch").Val(); epoch != "2" {
		t.Errorf("epoch %s after one failover", epoch)
	}
}

// typed finds the number of TYPE commands in INFO.
var typed = regexp.MustCompile(`cmdstat_type:calls=(\d+)`)

// reconcilerTries counts how often a reconciler has looked at the Redis that it is to open: each time it asks
// for the types of the seven keys.
func reconcilerTries(t *testing.T, s *redistest.Server) int {
	t.Helper()
	found := typed.FindStringSubmatch(s.Client(t).Info(context.Background(), "commandstats").Val())
	if found == nil {
		return 0
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	return n / 7
}
