package bench

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holdfast/holdfast/internal/pgtest"
)

// TestRun runs every contender in every scenario once and checks that the numbers add up.
func TestRun(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.options.Sizes = []Size{{Levels: 30, Held: 20}}
	total := 0
	e.options.Watch = func(_, n int, _ string) { total = n }
	report, err := Run(t.Context(), e.redis, e.postgres, e.options)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Err(); err != nil {
		t.Error(err)
	}
	rows, sliced := 0, 0
	for i := range report.Comparisons {
		c := &report.Comparisons[i]
		for _, row := range c.Rows {
			rows++
			sliced += len(row.Rounds[0].OverTime)
			checkRow(t, c, row)
		}
	}
	if want := len(Scenarios)*len(contenders) - 1; rows != want || total != want { // the tutorial script has no sale
		t.Errorf("%d rows of %d turns, want %d", rows, total, want)
	}
	if sliced < rows/2 {
		t.Errorf("%d of %d rounds have a slice", sliced, rows)
	}
	checkNothingLeft(t, e)
	checkPrinted(t, report)
}

func checkRow(t *testing.T, c *Comparison, row *Row) {
	t.Helper()
	name := c.Scenario + ", " + row.Contender
	n := row.Rounds[0]
	if len(row.Rounds) != 1 || n.Accepted == 0 || n.Failed != 0 || n.Unsent != 0 || n.Missing != 0 || row.Survives == "" {
		t.Errorf("%s: %+v", name, n)
	}
	if n.P50 <= 0 || n.P99 < n.P50 || n.P999 < n.P99 || n.Max < n.P999 || n.ProcessCPU <= 0 {
		t.Errorf("%s: no order in %+v", name, n)
	}
	// On a busy machine, all answers of such a short round may come after its end, and so in no
	// slice.
	if n.Slice != 20 || len(n.OverTime) > 1 || len(n.OverTime) == 1 && n.OverTime[0].AnsweredRate <= 0 {
		t.Errorf("%s: over time %+v", name, n.OverTime)
	}
	if c.Scenario != "sold-out" && n.Refused > 0 || c.Scenario != "retries" && n.Replayed+n.Again > 0 {
		t.Errorf("%s: %d refused, %d replayed, %d again", name, n.Refused, n.Replayed, n.Again)
	}
	if c.Scenario == "sold-out" && (n.Accepted > soldOutUnits || n.Refused > 0 && n.Accepted != soldOutUnits) {
		t.Errorf("%s: %d accepted of %d, %d refused", name, n.Accepted, soldOutUnits, n.Refused)
	}
	usesRedis := row.Contender == keyLibrary || row.Contender == keyHTTP || row.Contender == keyTutorial || row.Contender == keyUsual
	if usesRedis != (n.RedisCPU > 0) {
		t.Errorf("%s: Redis used %v us", name, n.RedisCPU)
	}
	weighs := slices.Contains([]string{"hot", "skus", "carts", "scale"}, c.Scenario) && usesRedis && row.Contender != keyTutorial
	const few = 200 // so few take less memory than other things that come and go
	if weighs && n.Accepted > few && n.HoldBytes <= 0 || !weighs && n.HoldBytes != 0 {
		t.Errorf("%s: %v bytes for each of %d holds", name, n.HoldBytes, n.Accepted)
	}
}

func checkNothingLeft(t *testing.T, e *env) {
	t.Helper()
	if keys, err := e.redis.Keys(t.Context(), "*").Result(); err != nil || len(keys) > 0 {
		t.Errorf("keys are left behind: %v, %v", keys, err)
	}
	if n := schemas(t, e); n != 0 {
		t.Error("the schema is left behind")
	}
}

func schemas(t *testing.T, e *env) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), e.postgres)
	if err == nil {
		defer func() { _ = conn.Close(context.Background()) }()
		err = conn.QueryRow(t.Context(), `select count(*) from pg_namespace where nspname = $1`, schemaName).Scan(&n)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// checkPrinted checks the report as text, JSON and HTML.
func checkPrinted(t *testing.T, report *Report) {
	t.Helper()
	var text, page strings.Builder
	report.WriteText(&text)
	for _, want := range []string{"hot: every caller", "Holdfast, library", "accepted/s", "refused/s", "survives a crash", "library / usual"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
	if document, err := json.Marshal(report); err != nil || !strings.Contains(string(document), `"accepted_per_second"`) {
		t.Errorf("as JSON: %v", err)
	}
	if err := report.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	checkPage(t, page.String())
}

// checkPage checks that a page is well-formed and loads nothing.
func checkPage(t *testing.T, page string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(page))
	decoder.Entity = xml.HTMLEntity
	seen := map[string]int{}
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the page is not well-formed: %v\n%s", err, page)
		}
		if start, ok := token.(xml.StartElement); ok {
			seen[start.Name.Local]++
		}
	}
	if seen["svg"] < 2*len(Scenarios) || seen["polyline"] == 0 || seen["rect"] == 0 || seen["table"] != len(Scenarios) {
		t.Errorf("the page has %v", seen)
	}
	if found := regexp.MustCompile(`(?i:https?://|src=|href=|url\(|@import|<script)|NaN|Inf|ZgotmplZ`).FindString(page); found != "" {
		t.Errorf("%q is in the page", found)
	}
}

// TestRate checks that as many calls are due as the rate says.
func TestRate(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.options.Rate, e.options.Duration = 200, 100*time.Millisecond
	e.options.Scenarios, e.options.Contenders = []string{"hot", "confirm"}, []string{keyUsual, keyFloor}
	report, err := Run(t.Context(), e.redis, e.postgres, e.options)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range report.Comparisons {
		for _, row := range c.Rows {
			if n := row.Rounds[0]; n.Accepted+n.Unsent != 20 || n.Missing != 0 {
				t.Errorf("%s, %s: %d accepted and %d unsent of 20", c.Scenario, row.Contender, n.Accepted, n.Unsent)
			}
		}
	}
}

// TestLoad checks that as many calls are due as the share of the measured rate says.
func TestLoad(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.options.Load, e.options.Scenarios, e.options.Contenders = 10, []string{"sold-out"}, []string{keyTutorial}
	report, err := Run(t.Context(), e.redis, e.postgres, e.options)
	if err != nil {
		t.Fatal(err)
	}
	row := report.Comparisons[0].Rows[0]
	if n := row.Rounds[0]; row.Rate < 1 || math.Abs(float64(n.Accepted+n.Refused+n.Unsent)-row.Rate*0.02) > 1 {
		t.Errorf("%v calls were due a second, and %+v", row.Rate, n)
	}
	var text strings.Builder
	if report.WriteText(&text); !strings.Contains(text.String(), "due/s") || !strings.Contains(text.String(), "at 10.0 %") {
		t.Error(text.String())
	}
}

// TestReconcile runs a reconciler beside the calls.
func TestReconcile(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.options.Reconcile, e.options.Scenarios, e.options.Contenders = true, []string{"hot"}, []string{keyLibrary}
	report, err := Run(t.Context(), e.redis, e.postgres, e.options)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Err(); err != nil {
		t.Error(err)
	}
}

// TestClaim checks that a run is refused while another run or a deployment is active, and that a
// claim removes what a killed run has left, but not a schema that something else has created.
func TestClaim(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	if err := e.redis.Set(t.Context(), tag+"usual:stock", "left", 0).Err(); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, e.postgres, `create schema `+schemaName+`; comment on schema `+schemaName+` is '`+schemaMark+`'`)
	release, err := e.claim(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.clean(t.Context()); err != nil || schemas(t, e) != 0 {
		t.Errorf("what was left is still there: %v", err)
	}
	if _, err := Run(t.Context(), e.redis, e.postgres, e.options); !errors.Is(err, ErrInUse) {
		t.Errorf("a second run: %v", err)
	}
	if _, _, err := claimPostgres(t.Context(), e.postgres); !errors.Is(err, ErrInUse) {
		t.Errorf("a second run in the same database: %v", err)
	}
	if err := release(t.Context()); err != nil {
		t.Error(err)
	}
	checkNothingLeft(t, e)

	pgtest.Exec(t, e.postgres, `create schema `+schemaName)
	if _, err := Run(t.Context(), e.redis, e.postgres, e.options); err == nil || !strings.Contains(err.Error(), "did not create the schema") {
		t.Errorf("a schema of somebody else: %v", err)
	}
	if schemas(t, e) != 1 {
		t.Error("somebody else's schema is gone")
	}

	deployed, err := pgx.Connect(t.Context(), e.postgres)
	if err == nil {
		_, err = deployed.Exec(t.Context(), `set application_name = 'holdfast reconciler'`)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), e.redis, e.postgres, e.options); !errors.Is(err, ErrDeployed) {
		t.Errorf("where a deployment works: %v", err)
	}
	if err := deployed.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestMissing checks that units lost or sold twice are an error.
func TestMissing(t *testing.T) {
	p := &play{workload: &workload{skus: 2, units: 10, lines: 2}}
	for _, test := range []struct {
		accepted, failed, held, left, want int64
	}{
		{accepted: 4, left: 12},
		{accepted: 4, left: 13, want: -1},          // a unit was sold twice
		{accepted: 4, left: 11, want: 1},           // a unit is lost
		{accepted: 4, left: 10, failed: 1},         // taken by the call without an answer
		{accepted: 4, left: 9, failed: 1, want: 1}, // and one more
		{accepted: 3, held: 2, left: 10},
		{accepted: 12, left: -4, want: -4}, // of 20 units 24 were sold
	} {
		p.held = test.held
		round := &Round{Accepted: test.accepted, Failed: test.failed}
		round.Missing = p.missing(round, test.left)
		if round.Missing != test.want {
			t.Errorf("%+v: got %d", test, round.Missing)
		}
		report := &Report{Comparisons: []Comparison{{Scenario: "hot", Rows: []*Row{{Name: "x", Rounds: []*Round{round}}}}}}
		if failed := report.Err() != nil; failed != (test.want != 0) {
			t.Errorf("%+v: %v", test, report.Err())
		}
	}
}

func TestOptions(t *testing.T) {
	good := Options{Scenarios: []string{"hot"}, Contenders: []string{"library"}, Callers: 1, Connections: 1, Rounds: 1, Duration: time.Second}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Options){
		"callers is 0":                func(o *Options) { o.Callers = 0 },
		"rounds is 101":               func(o *Options) { o.Rounds = 101 },
		"connections is -1":           func(o *Options) { o.Connections = -1 },
		"duration is 1ms":             func(o *Options) { o.Duration = time.Millisecond },
		"load is 1001":                func(o *Options) { o.Load = 1001 },
		"set only one":                func(o *Options) { o.Load, o.Rate = 1, 1 },
		"rate is -1":                  func(o *Options) { o.Rate = -1 },
		`there is no scenario "ho"`:   func(o *Options) { o.Scenarios = []string{"ho"} },
		"name at least one contender": func(o *Options) { o.Contenders = nil },
		"levels of a size is 0":       func(o *Options) { o.Sizes = []Size{{}} },
	} {
		o := good
		change(&o)
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
