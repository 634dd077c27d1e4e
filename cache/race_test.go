//go:build race

package cache

import "flag"

// init lowers the number of random histories under the race detector, which makes each ten times
// slower.
// -rapid.checks overrides it. .ci/campaign plays 2,000 without the race detector.
func init() {
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
}
