package imports

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/holdfast/holdfast/"

// may lists the packages of this module that each package may import; tests may import more. A package
// without an entry may import none.
var may = map[string][]string{
	"lua":                         {},
	"location":                    {},
	"internal/wire":               {"location"},
	"internal/breaker":            {},
	"internal/shard":              {"internal/breaker", "internal/wire", "location", "lua"},
	"cache":                       {"internal/shard", "internal/wire", "location"},
	"reconcile/directory":         {"cache", "internal/wire", "location"},
	"reconcile/setup":             {"cache", "internal/shard"},
	"reconcile/ledger":            {"cache", "internal/breaker", "internal/wire", "location", "reconcile/directory"},
	"reconcile/ledger/memory":     {"cache", "internal/wire", "location", "reconcile/directory", "reconcile/ledger"},
	"reconcile/ledger/postgres":   {"cache", "internal/keys", "internal/wire", "location", "reconcile/directory", "reconcile/ledger", "reconcile/setup"},
	"reconcile/recovery":          {"cache", "internal/shard", "internal/wire", "location", "reconcile/ledger"},
	"reconcile":                   {"cache", "internal/shard", "internal/wire", "location", "reconcile/ledger", "reconcile/recovery", "reconcile/setup"},
	"reconcile/audit":             {"cache", "internal/shard", "internal/wire", "location", "reconcile/ledger"},
	"config":                      {"cache", "internal/inputfile"},
	"internal/inputfile":          {},
	"internal/certs":              {"internal/inputfile"},
	"internal/certs/certstest":    {},
	"internal/contract":           {"internal/decimal", "location"},
	"internal/decimal":            {},
	"internal/keys":               {"internal/inputfile"},
	"internal/keys/keystest":      {},
	"internal/api":                {"cache", "location", "internal/contract", "internal/directoryfile", "internal/keys"},
	"internal/directoryfile":      {"internal/decimal", "location"},
	"internal/metrics":            {"cache"},
	"internal/dial":               {"config", "internal/certs"},
	"clients/go":                  {"location", "internal/contract"},
	"internal/stockcsv":           {"cache"},
	"internal/demo":               {"cache", "location", "reconcile", "internal/texttable"},
	"internal/bench":              {"cache", "location", "reconcile", "reconcile/ledger/postgres", "internal/api", "internal/contract", "internal/texttable"},
	"internal/texttable":          {},
	"internal/testserver":         {},
	"internal/redistest":          {"internal/testserver"},
	"internal/pgtest":             {"internal/testserver"},
	"internal/faultproxy":         {"internal/redistest"},
	"reconcile/ledger/ledgertest": forTests,
	"reconcile/reconciletest":     forTests,
	"examples/checkout":           {"cache"},
}

// forTests lists what the packages that only tests use may import.
var forTests = []string{
	"cache", "location", "internal/pgtest", "internal/redistest", "internal/shard", "internal/wire", "reconcile",
	"reconcile/audit", "reconcile/directory", "reconcile/ledger", "reconcile/ledger/ledgertest",
	"reconcile/ledger/memory", "reconcile/ledger/postgres", "reconcile/recovery",
}

// only lists the packages that may import a package of another module.
var only = map[string][]string{
	"github.com/spf13/viper":     {"config"},
	"github.com/jackc/pgx":       {"reconcile/ledger/postgres", "internal/bench", "internal/pgtest", "reconcile/ledger/ledgertest", "reconcile/reconciletest"},
	"github.com/spf13/cobra":     {"cmd/holdfast"},
	"github.com/danielgtaylor":   {"internal/api"},
	"github.com/alicebob":        {"internal/dial", "internal/redistest", "examples/checkout"},
	"github.com/prometheus":      {"internal/metrics"},
	"github.com/coreos/go-oidc":  {"internal/keys"},
	"github.com/go-jose":         {"internal/keys/keystest"},
	"github.com/redis/go-redis/": {"cache", "internal/shard", "reconcile", "reconcile/audit", "reconcile/ledger", "reconcile/recovery", "reconcile/setup", "reconcile/reconciletest", "internal/dial", "internal/faultproxy", "internal/redistest", "internal/demo", "internal/bench", "cmd/holdfast", "examples/checkout"},
}

func TestDirection(t *testing.T) {
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		seen++
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, imported := range p.Imports {
			if ours, ok := strings.CutPrefix(imported, module); ok && !strings.HasPrefix(name, "cmd/") && !slices.Contains(may[name], ours) {
				t.Errorf("%s imports %s", name, ours)
			}
			for prefix, allowed := range only {
				if strings.HasPrefix(imported, prefix) && !slices.Contains(allowed, name) {
					t.Errorf("%s imports %s, which only %v may import", name, imported, allowed)
				}
			}
			if name == "location" && strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") {
				t.Errorf("location imports %s: it may import only the standard library", imported)
			}
		}
	}
	if seen < len(may)/2 {
		t.Fatalf("go list named %d packages", seen)
	}
}
