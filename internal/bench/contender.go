package bench

import "context"

// contender is one way to sell.
type contender struct {
	key       string // on the command line
	name      string
	open      func(ctx context.Context, e *env, w *workload) (seller, error)
	survives  func(w *workload, s *servers) string // what a crash leaves of an acknowledged call
	usesRedis bool                                 // the work of Redis is its own
	twoCalls  bool                                 // a hold and a sale are two calls, with a record of the hold
	sells     bool                                 // its only call is a sale
}

// canRun reports whether a contender has the calls that a workload times.
func (c *contender) canRun(w *workload) bool { return !w.confirms || c.twoCalls || c.sells }

// seller is an open contender. Its data is its own and empty at first. Callers run reserve and
// confirm concurrently, and nothing else.
type seller interface {
	// stock puts units of each SKU on sale.
	stock(ctx context.Context, skus []string, units int64) error
	// reserve takes the units of an order, all or none.
	reserve(ctx context.Context, caller int, o *order) (outcome, error)
	// left returns the total of the units of these SKUs that are still for sale.
	left(ctx context.Context, skus []string) (int64, error)
	// trim removes what a consumer of its stream would have removed by now.
	trim(ctx context.Context) error
	close(ctx context.Context) error
}

// confirmer is a seller whose sale is a second call, after the hold.
type confirmer interface {
	confirm(ctx context.Context, caller int, o *order) (outcome, error)
}

// bulkHolder is a seller that can make n holds faster than one by one.
type bulkHolder interface {
	holdMany(ctx context.Context, from *orders, n int) error
}

// The keys of contenders.
const (
	keyLibrary   = "library"
	keyHTTP      = "http"
	keyTutorial  = "tutorial"
	keyUsual     = "usual"
	keyUpdate    = "update"
	keyForUpdate = "for-update"
	keyFloor     = "floor"
)

// contenders are in the order of the rows.
var contenders = []contender{
	{key: keyLibrary, name: "Holdfast, library", open: openLibrary, survives: holdfastSurvives, usesRedis: true, twoCalls: true},
	{key: keyHTTP, name: "Holdfast over HTTP", open: openOverHTTP, survives: holdfastSurvives, usesRedis: true, twoCalls: true},
	{key: keyTutorial, name: "tutorial Lua script", open: openTutorial, survives: countSurvives, usesRedis: true},
	{key: keyUsual, name: "usual full-feature Lua script", open: openUsual, survives: recordSurvives, usesRedis: true, twoCalls: true},
	{key: keyUpdate, name: "Postgres: update … where qty >= n", open: openUpdate, survives: rowSurvives("count"), sells: true},
	{key: keyForUpdate, name: "Postgres: select for update, insert", open: openForUpdate, survives: rowSurvives("sale"), sells: true},
	{key: keyFloor, name: "HTTP handler without Redis", open: openFloor, survives: nothingSurvives, twoCalls: true},
}

func countSurvives(_ *workload, s *servers) string { return s.inRedis("count") }

func recordSurvives(w *workload, s *servers) string {
	if w.confirms {
		return s.inRedis("sale")
	}
	return s.inRedis("hold")
}

func holdfastSurvives(w *workload, s *servers) string {
	if w.confirms {
		return s.inPostgres("sale")
	}
	return s.inRedis("hold")
}

func rowSurvives(thing string) func(*workload, *servers) string {
	return func(_ *workload, s *servers) string { return s.inPostgres(thing) }
}

func nothingSurvives(*workload, *servers) string { return "nothing (it stores nothing)" }

// Contenders lists the contenders in the order of the rows.
func Contenders() []Keyed {
	list := make([]Keyed, len(contenders))
	for i, c := range contenders {
		list[i] = Keyed{c.key, c.name}
	}
	return list
}
