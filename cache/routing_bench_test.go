package cache_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/location"
)

// routedBy is one way to route.
type routedBy struct {
	candidates int // 0: no directory, one location
	empty      int // candidates without units, the first ones
	skus       int
	rank       []location.Rank
}

func (r routedBy) String() string {
	text := fmt.Sprintf("%d SKUs, ", r.skus)
	switch {
	case r.candidates == 0:
		return text + "no directory, one location"
	case r.empty > 0:
		return text + fmt.Sprintf("%d candidates, the first %d empty", r.candidates, r.empty)
	case len(r.rank) > 0 && r.rank[len(r.rank)-1] == location.RankHighestStock:
		return text + fmt.Sprintf("%d candidates, highest_stock", r.candidates)
	default:
		return text + fmt.Sprintf("%d candidates", r.candidates)
	}
}

// BenchmarkRouting compares reservations that a directory routes, by four rules to an address, with
// reservations without a directory. It uses one real Redis and interleaved rounds. It prints the
// median Redis main-thread CPU of a reservation, and the cost of each further candidate.
//
//	go test -run '^$' -bench Routing -benchtime 7x ./cache
func BenchmarkRouting(b *testing.B) {
	server := redistest.Start(b)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1, PoolSize: 64, ReadTimeout: 5 * time.Second})
	defer func() { _ = client.Close() }()
	chain := []location.Rank{location.RankSameCountry, location.RankNearest, location.RankPriority, location.RankCost}
	var ways []routedBy
	for _, skus := range []int{1, 1000} {
		ways = append(ways, routedBy{0, 0, skus, nil}, routedBy{1, 0, skus, chain}, routedBy{2, 0, skus, chain}, routedBy{5, 0, skus, chain},
			routedBy{10, 0, skus, chain}, routedBy{20, 0, skus, chain}, routedBy{10, 9, skus, chain},
			routedBy{10, 0, skus, []location.Rank{location.RankHighestStock}})
	}
	rates, cpus := make([][]float64, len(ways)), make([][]float64, len(ways))
	for b.Loop() {
		for i, way := range ways {
			rate, cpu := measure(b, client, contender{way.String(), 512, 1, way.prepare})
			rates[i], cpus[i] = append(rates[i], rate), append(cpus[i], cpu)
		}
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(w, "\n%d rounds of %d\treservations/s\tRedis CPU us\tx bare\tus a further candidate\t\n", len(rates[0]), operationsPerRound)
	bare, one := 0.0, 0.0
	for i, way := range ways {
		cpu, further := median(cpus[i]), ""
		switch {
		case way.candidates == 0:
			bare = cpu
		case way.candidates == 1:
			one = cpu
		default:
			further = fmt.Sprintf("%.2f", (cpu-one)/float64(way.candidates-1))
		}
		_, _ = fmt.Fprintf(w, "%s\t%.0f\t%.2f\t%.3f\t%s\t\n", way, median(rates[i]), cpu, cpu/bare, further)
	}
	_ = w.Flush()
	b.ReportMetric(median(cpus[1])/median(cpus[0]), "x-bare")
	b.ReportMetric((median(cpus[4])-median(cpus[1]))/9, "us/candidate")
}

// prepare creates the levels and the directory.
func (r routedBy) prepare(b *testing.B, client *redis.Client) (do func(ctx context.Context, i int) error, end func()) {
	store, err := cache.New(client, cache.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for at := range max(1, r.candidates) {
		units := int64(cache.QuantityMax)
		if at < r.empty {
			units = 0
		}
		openLevels(b, store, place(at), r.skus, units)
	}
	if r.candidates > 0 {
		store.Direct(r.rules(b))
	}
	reserve := func(ctx context.Context, i int) error {
		id := "ord-" + strconv.Itoa(i)
		_, err := store.Reserve(ctx, cache.ReserveRequest{
			ID: id, Order: id, ShipTo: &location.Address{Country: "DE", PostalCode: "10115"},
			Lines: []cache.LineRequest{{Line: "0", SKU: sku(i * 7 % r.skus), Quantity: 1}},
		})
		return err
	}
	return reserve, func() { _ = store.Close(ctx) }
}

func place(i int) location.ID { return location.ID("place-" + strconv.Itoa(i)) }

// rules returns a directory in which every candidate ships to the address.
func (r routedBy) rules(b *testing.B) *location.Rules {
	d := location.Directory{Zones: []location.Zone{{ID: "dach", Countries: []string{"DE", "AT"}}}}
	web := location.SalesChannel{ID: "web", Default: true, Rank: r.rank}
	for i := range r.candidates {
		latitude, longitude, priority := 52.5-float64(i), 13.4, float64(i)
		d.Locations = append(d.Locations, location.Location{
			ID: place(i), Country: "DE", Latitude: &latitude, Longitude: &longitude, Priority: &priority, Cost: &priority, Zones: []string{"dach"},
		})
		web.Locations = append(web.Locations, place(i))
	}
	d.Channels = []location.SalesChannel{web}
	rules, err := location.Compile(d)
	if err != nil {
		b.Fatal(err)
	}
	return rules
}
