package bench

import "context"

// contender is one way of selling.
type contender struct {
	key  string // as the command line names it
	name string
	// keeps says what is there after a crash of the server it trusts, once it has answered.
	keeps func(s *scene, t *trust) string
	open  func(ctx context.Context, r *rig, s *scene) (seller, error)
	redis bool // it uses Redis, so that what Redis spends is its own
	holds bool // a sale is another call than the hold before it, of which there is a record
	sells bool // its one call is a sale
}

// plays says whether a contender can play a scene: where sales are timed, it must have a call that is one.
func (c *contender) plays(s *scene) bool { return !s.confirms || c.holds || c.sells }

// seller is a contender at work, on data of its own that is empty at first. reserve and confirm are
// called by many callers at once, the rest is not.
type seller interface {
	// stock puts up SKUs, so many units of each.
	stock(ctx context.Context, skus []string, units int64) error
	// reserve takes the units of an order, all or none.
	reserve(ctx context.Context, caller int, o *order) (outcome, error)
	// left is the units of these SKUs that are still for sale, in all.
	left(ctx context.Context, skus []string) (int64, error)
	// trim drops what a consumer of its stream would have taken away by now.
	trim(ctx context.Context) error
	close(ctx context.Context) error
}

// confirmer is a seller for which a sale is another call than the hold.
type confirmer interface {
	confirm(ctx context.Context, caller int, o *order) (outcome, error)
}

// holder is a seller that can make many held reservations at once, faster than by selling each.
type holder interface {
	hold(ctx context.Context, from *orders, n int) error
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

// contenders in the order of their rows.
var contenders = []contender{
	{key: keyLibrary, name: "Holdfast, library", keeps: keepsHoldfast, open: openLibrary, redis: true, holds: true},
	{key: keyHTTP, name: "Holdfast over HTTP", keeps: keepsHoldfast, open: openOverHTTP, redis: true, holds: true},
	{key: keyTutorial, name: "tutorial Lua script", keeps: keepsCount, open: openTutorial, redis: true},
	{key: keyUsual, name: "usual full-feature Lua script", keeps: keepsRecord, open: openUsual, redis: true, holds: true},
	{key: keyUpdate, name: "Postgres: update … where qty >= n", keeps: keepsRow("count"), open: openUpdate, sells: true},
	{key: keyForUpdate, name: "Postgres: select for update, insert", keeps: keepsRow("sale"), open: openForUpdate, sells: true},
	{key: keyFloor, name: "HTTP handler without Redis", keeps: keepsNothing, open: openFloor, holds: true},
}

// Contenders lists the keys in the order of their rows, with what each is.
func Contenders() []Keyed {
	list := make([]Keyed, len(contenders))
	for i, c := range contenders {
		list[i] = Keyed{c.key, c.name}
	}
	return list
}

// ContenderKeys are the keys of Contenders.
func ContenderKeys() []string { return keysOf(Contenders()) }

func keysOf(list []Keyed) []string {
	keys := make([]string, len(list))
	for i, k := range list {
		keys[i] = k.Key
	}
	return keys
}
