package metrics_test

import (
	"bufio"
	"fmt"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/metrics"
)

func ExampleNew() {
	m := metrics.New("1.0.0", "")
	m.Call(cache.VerbReserve, "insufficient_stock", time.Millisecond) // as a cache.Observer is told

	answer := httptest.NewRecorder()
	m.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if strings.Contains(lines.Text(), "insufficient_stock") {
			fmt.Println(lines.Text())
		}
	}
	// Output: holdfast_calls_total{outcome="insufficient_stock",verb="reserve"} 1
}
