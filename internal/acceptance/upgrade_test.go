package acceptance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/internal/redistest"
)

// recorded has the data of an older program and its last answers. See testdata/upgrade/README.md.
type recorded struct {
	answers map[string]map[string]any // path -> body
	calls   []struct {
		Method, Path string
		Body         json.RawMessage
	}
	last time.Time // when the last reservation was made
}

func readRecorded(t *testing.T) recorded {
	t.Helper()
	var r recorded
	for name, into := range map[string]any{"answers.json": &r.answers, "calls.json": &r.calls} {
		if err := json.Unmarshal([]byte(upgradeFile(t, name)), into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	if len(r.answers) < 20 || len(r.calls) < 20 {
		t.Fatalf("%d answers and %d calls are not all", len(r.answers), len(r.calls))
	}
	r.last = moment(t, r.answers["/v1/reservations/late-confirmed"], "created_at")
	sent := map[any]map[string]any{}
	for _, call := range r.calls {
		body := map[string]any{}
		if call.Path == "/v1/reservations" && json.Unmarshal(call.Body, &body) == nil {
			sent[body["id"]] = body
		}
	}
	r.answers["/v1/stock"]["position"] = "<text>" // the older program answered none
	r.eachReservation(func(reservation map[string]any) {
		if state := reservation["state"]; state != "held" && state != "expired" {
			delete(reservation, "expires_at") // the older program answered it in every state
		}
		for _, field := range []string{"ship_to", "pickup", "metadata"} { // the older program kept them, and answered none
			if value, was := sent[reservation["id"]][field]; was {
				reservation[field] = value
			}
		}
	})
	return r
}

func upgradeFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "upgrade", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// eachReservation calls change with every reservation of the answers.
func (r recorded) eachReservation(change func(reservation map[string]any)) {
	for _, answer := range r.answers {
		list, isList := answer["reservations"].([]any)
		if !isList {
			list = []any{answer}
		}
		for _, entry := range list {
			if reservation := entry.(map[string]any); reservation["state"] != nil {
				change(reservation)
			}
		}
	}
}

// level returns a level from the answers.
func (r recorded) level(sku, at string) map[string]any {
	for _, entry := range r.answers["/v1/stock"]["levels"].([]any) {
		if l := entry.(map[string]any); l["sku"] == sku && l["location"] == at {
			return l
		}
	}
	return nil
}

// TestUpgrade gives today's program the Redis and the ledger of an older one. The older one was killed
// while Postgres was down, so the last entries of the stream are not in the ledger.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	// The ledger is told that this Redis is the one it knows. So Redis is not rebuilt: the program reads
	// the records that the older scripts wrote. No hold is extended, because Redis was never away.
	t.Run("redis kept running", func(t *testing.T) {
		t.Parallel()
		was := readRecorded(t)
		redis, url := restored(t)
		id := fieldsOf(redis.Client(t).Info(t.Context(), "server", "replication").Val())
		pgtest.Exec(t, url, fmt.Sprintf(`update positions set run_id = '%s', replication_id = '%s'`, id["run_id"], id["master_replid"]))
		p := startUpgraded(t, redis)

		// One deadline passed since, so that hold is swept.
		near := was.answers["/v1/reservations/held-near"]
		if time.Now().Before(moment(t, near, "expires_at")) {
			t.Fatal("held-near is not overdue yet: the data was recorded less than 10 minutes ago")
		}
		near["state"], near["version"] = "expired", near["version"].(float64)+1
		berlin := was.level("TEE-M", "berlin")
		berlin["held"], berlin["available"] = berlin["held"].(float64)-1, berlin["available"].(float64)+1
		await(t, "held-near to be swept", func() bool {
			return p.says(t, read("held-near"), fmt.Sprintf(`"state":"expired","version":%v`, near["version"]))
		})
		checkUpgraded(t, p, was, redis.URL(), url)
		if strings.Contains(p.log(), "rebuilding redis") {
			t.Error("it has rebuilt Redis")
		}
	})
	// The ledger knows another Redis, so this one is rebuilt. No deadline had passed when Redis was seen
	// last, so the rebuild extends all holds by the time that Redis was away.
	t.Run("redis was restarted", func(t *testing.T) {
		t.Parallel()
		was := readRecorded(t)
		redis, url := restored(t)
		began := time.Now()
		p := startUpgraded(t, redis)

		const path = "/v1/reservations/held-near"
		away := moment(t, decoded(t, p.do(t, "when", get(path)).body), "expires_at").Sub(moment(t, was.answers[path], "expires_at"))
		// The older program saw Redis last within the ten seconds before the last hold.
		if least, most := began.Sub(was.last), time.Since(was.last)+10*time.Second; away < least || away > most {
			t.Fatalf("held-near is extended by %v, want %v to %v", away, least, most)
		}
		was.eachReservation(func(reservation map[string]any) {
			if reservation["state"] == "held" {
				reservation["expires_at"] = moment(t, reservation, "expires_at").Add(away).Format(timeLayout)
			}
		})
		checkUpgraded(t, p, was, redis.URL(), url)
		if !strings.Contains(p.log(), "redis is rebuilt and open") {
			t.Error("it has not rebuilt Redis")
		}
	})
}

// restored starts a Redis and makes a database, both with the recorded data.
func restored(t *testing.T) (redis *redistest.Server, url string) {
	t.Helper()
	redis = redistest.Start(t)
	redis.Kill()
	if err := os.WriteFile(filepath.Join(redis.Dir, "dump.rdb"), []byte(upgradeFile(t, "redis.rdb")), 0o644); err != nil {
		t.Fatal(err)
	}
	redis.Restart()
	url = pgtest.Database(t)
	pgtest.Exec(t, url, upgradeFile(t, "ledger.sql"))
	if code, _, stderr := run(t, "", "migrate", "--postgres-url="+url); code != 0 {
		t.Fatalf("migrate: exit %d: %s", code, stderr)
	}
	ledgers.Store(redis, url)
	return redis, url
}

// startUpgraded starts the program with the recorded settings.
func startUpgraded(t *testing.T, redis *redistest.Server) *program {
	t.Helper()
	return startOn(t, redis, "--reservation-ttl-max=438000h")
}

// fieldsOf reads the lines name:value of an answer to INFO.
func fieldsOf(info string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// checkUpgraded checks that everything reads as it was, that a repeat of each recorded call changes
// nothing, and that the recorded reservations take their next steps.
func checkUpgraded(t *testing.T, p *program, was recorded, redisURL, postgresURL string) {
	t.Helper()
	everything := func(phase string) {
		t.Helper()
		for path, answer := range was.answers {
			want, err := json.Marshal(answer)
			if err != nil {
				t.Fatal(err)
			}
			p.do(t, phase, get(path).is(200, string(want)))
		}
	}
	consistent := func() {
		t.Helper()
		code, a := audit(t, "--redis-url="+redisURL, "--postgres-url="+postgresURL)
		if code != 0 || a.State != "done" || a.Drift != 0 || len(a.Findings) != 0 || a.Levels != 6 {
			t.Errorf("audit: exit %d: %+v", code, a)
		}
	}
	everything("taken over")
	consistent()
	for _, call := range was.calls {
		p.do(t, "repeated", step{method: call.Method, path: call.Path, body: string(call.Body)}.is(200, "").replayed())
	}
	everything("after the repeats")

	becomes := func(id, verb, body, state string) step {
		version := was.answers["/v1/reservations/"+id]["version"].(float64) + 1
		s := transition(verb, id, body)
		s.check = func(body []byte) error {
			var got struct {
				State   string
				Version float64
			}
			if err := json.Unmarshal(body, &got); err != nil || got.State != state || got.Version != version {
				return fmt.Errorf("state %s, version %v, want %s, %v (%v)", got.State, got.Version, state, version, err)
			}
			return nil
		}
		return s
	}
	for _, s := range []step{
		becomes("held", "confirm", `{"version": 1}`, "confirmed"),
		becomes("held-kit", "confirm", "", "confirmed"),
		becomes("held-extended", "extend", `{"version": 2, "ttl_seconds": 60}`, "held"),
		becomes("held-part", "release", "", "released"),
		becomes("held-moved", "move", `{"version": 2, "line": "1", "to": "berlin"}`, "held"),
		becomes("late", "confirm", "", "confirmed"),
		becomes("sold", "fulfill", "", "fulfilled"),
		becomes("sold-kit", "fulfill", "", "fulfilled"),
		becomes("sold-limit", "release", "", "released"),
		becomes("part", "fulfill", `{"version": 3, "lines": [{"line": "a", "quantity": 1}]}`, "confirmed"),
		becomes("left", "return", `{"id": "return-2", "lines": [{"line": "1", "quantity": 1}], "to": "lyon"}`, "fulfilled"),
		becomes("expired", "confirm", "", "confirmed"), // takes its unit again
		transition("confirm", "late-confirmed", "").replayed(),
		transition("confirm", "expired-lost", "").refused(409, "insufficient_stock", `"shortages": "<any>"`),
		transition("confirm", "released", "").refused(409, "wrong_state", `"state": "released"`),
		reserve(`{"id": "limited", "customer": "c-1", "lines": [{"line": "1", "sku": "DROP", "quantity": 2}]}`).
			refused(409, "purchase_limit", `"campaign": "drop-1", "limit": 3, "taken": 2, "identity": "c-1"`),
		hold("sold", "TEE-M", 1).refused(409, "id_conflict", ""),
		get("/v1/stock/OLD").refused(404, "not_found", ""), // its level was removed
	} {
		p.do(t, "then", s)
	}
	consistent()
}
