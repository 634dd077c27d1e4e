package reconcile_test

import (
	"testing"
	"time"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/dial"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/reconcile/reconciletest"
)

// TestFailover kills the primary under a cluster and under sentinels. The next hold must come from the
// promoted replica soon after its promotion, sales must stand, and a hold must be held or unknown.
func TestFailover(t *testing.T) {
	for name, start := range map[string]func(testing.TB) (*redistest.Replicated, config.Endpoint){
		"cluster": func(tb testing.TB) (*redistest.Replicated, config.Endpoint) {
			servers := redistest.StartReplicatedCluster(tb, "{holdfast:0}")
			hosts := []string{servers.Primary.Addr(), servers.Replica.Addr()}
			for _, judge := range servers.Judges {
				hosts = append(hosts, judge.Addr())
			}
			return servers, config.Endpoint{Hosts: hosts}
		},
		"sentinels": func(tb testing.TB) (*redistest.Replicated, config.Endpoint) {
			servers := redistest.StartSentinels(tb)
			e := config.Endpoint{Primary: redistest.SentinelName}
			for _, judge := range servers.Judges {
				e.Hosts = append(e.Hosts, judge.Addr())
			}
			return servers, e
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			servers, endpoint := start(t)
			opened, err := dial.Open(endpoint)
			reconciletest.Must(t, err)
			t.Cleanup(func() { _ = opened.Close() })
			r := reconciletest.NewRigOver(t, servers.Primary)
			i := r.StartWith(opened.Client, nil)
			i.Open(5 * time.Second)
			i.Count("TEE", "berlin", 10)
			i.Count("PROBE", "berlin", 1000)
			i.Reserve("sold", "TEE", 3)
			i.Confirm("sold")
			i.Reserve("held", "TEE", 2)
			servers.Primary.Kill()
			servers.AwaitPromotion(t)
			took := i.Serves(time.Second)
			t.Logf("FIGURES %s: a hold is taken %v after the promotion", name, took.Round(time.Millisecond))
			r.Redis = servers.Replica
			i.Confirm("held")
			i.Reserve("rest", "TEE", 5)
			r.Check()
		})
	}
}
