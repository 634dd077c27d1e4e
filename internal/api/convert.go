package api

import (
	"math"
	"time"

	"github.com/holdfast/holdfast/internal/contract"
)

// positive returns w for a store that reads 0 as absent: nil becomes 0, and 0 becomes -1, which the
// store refuses.
func positive(w *contract.Whole) int64 {
	switch {
	case w == nil:
		return 0
	case *w == 0:
		return -1
	}
	return int64(*w)
}

// seconds returns w as a duration by the same rule. A number that a duration can't hold becomes the
// nearest duration.
func seconds(w *contract.Whole) time.Duration {
	const most = int64(math.MaxInt64 / time.Second)
	return time.Duration(min(max(positive(w), -most), most)) * time.Second
}

// convert returns each element of in as to returns it. The result is never nil, so that it is
// encoded as a list.
func convert[In, Out any](in []In, to func(*In) Out) []Out {
	out := make([]Out, len(in))
	for i := range in {
		out[i] = to(&in[i])
	}
	return out
}
