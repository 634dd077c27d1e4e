//go:build race

package cache

import "flag"

// The race detector makes random histories ten times as long: there are fewer with it, unless -rapid.checks says
// how many. .ci/campaign plays 2,000 without it.
func init() {
	if err := flag.Set("rapid.checks", "40"); err != nil {
		panic(err)
	}
}
