package holdfast

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/internal/api"
	"github.com/holdfast/holdfast/location"
)

// document is what these tests read of the OpenAPI document.
type document struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Schemas struct {
			Problem struct {
				Properties struct{ Code struct{ Enum []string } }
			}
		}
	}
}

func readDocument(t *testing.T) (d document) {
	t.Helper()
	w := httptest.NewRecorder()
	api.New(struct{ api.Store }{}, api.Options{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/openapi.json", nil))
	if err := json.Unmarshal(w.Body.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// recorder answers {} to every call, and records the operations.
type recorder map[string]bool

func (r recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	path := strings.NewReplacer("/ID", "/{id}", "/SKU", "/{sku}", "/LOC", "/{location}").Replace(request.URL.Path)
	r[request.Method+" "+path] = true
	status := http.StatusOK
	if request.Method == http.MethodDelete {
		status = http.StatusNoContent
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader("{}")),
	}, nil
}

// TestEveryOperationHasAMethod calls each method, and compares the calls with the document.
func TestEveryOperationHasAMethod(t *testing.T) {
	called := recorder{}
	c, err := New("http://localhost", Options{Transport: called})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	check := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	change := func(_ any, _ bool, err error) {
		t.Helper()
		check(nil, err)
	}
	change(c.Reserve(ctx, ReserveRequest{}))
	check(c.Reservation(ctx, "ID"))
	check(c.Reservations(ctx, nil))
	change(c.Describe(ctx, "ID", DescribeRequest{}))
	change(c.Confirm(ctx, "ID", ConfirmRequest{}))
	change(c.Release(ctx, "ID", UnitsRequest{}))
	change(c.Fulfill(ctx, "ID", UnitsRequest{}))
	change(c.Unfulfill(ctx, "ID", UnfulfillRequest{}))
	change(c.Return(ctx, "ID", ReturnRequest{}))
	change(c.Extend(ctx, "ID", ExtendRequest{}))
	change(c.Move(ctx, "ID", MoveRequest{}))
	change(c.Amend(ctx, "ID", AmendRequest{}))
	check(c.Stock(ctx, "SKU"))
	check(c.Levels(ctx, nil))
	check(c.QueryLevels(ctx, StockQuery{}))
	change(c.PutLevel(ctx, "SKU", "LOC", PutLevelRequest{}))
	change(c.Adjust(ctx, AdjustmentRequest{}))
	change(c.Count(ctx, CountsRequest{}))
	change(c.Transfer(ctx, TransferRequest{}))
	check(nil, c.RemoveLevel(ctx, "SKU", "LOC"))
	check(c.Route(ctx, RouteRequest{}))
	check(c.Availability(ctx, AvailabilityRequest{}))
	check(c.Directory(ctx))
	change(c.ApplyDirectory(ctx, location.Directory{}, AnyVersion, ""))
	check(c.StartAudit(ctx, AuditRequest{}))
	check(c.Audit(ctx, "ID", nil))
	check(c.Changes(ctx, nil))

	described := map[string]bool{}
	for path, methods := range readDocument(t).Paths {
		for method := range methods {
			if strings.HasPrefix(path, "/v1/") {
				described[strings.ToUpper(method)+" "+path] = true
			}
		}
	}
	if !maps.Equal(described, called) {
		t.Errorf("called\n%s\ndescribed\n%s", list(called), list(described))
	}
}

func list(set map[string]bool) string { return strings.Join(slices.Sorted(maps.Keys(set)), "\n") }

func TestCodes(t *testing.T) {
	source, err := os.ReadFile("types.go")
	if err != nil {
		t.Fatal(err)
	}
	var codes []string
	for _, match := range regexp.MustCompile(`\tCode\w+ += "(\w+)"`).FindAllStringSubmatch(string(source), -1) {
		codes = append(codes, match[1])
	}
	if described := readDocument(t).Components.Schemas.Problem.Properties.Code.Enum; !slices.Equal(codes, described) {
		t.Errorf("the constants are %v, the document has %v", codes, described)
	}
}
