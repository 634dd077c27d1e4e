package redistest

import (
	"context"
	"log/slog"
	"strings"
	"testing"
)

// OddReplies are replies that no command expects, and some that Redis gives when it refuses one.
var OddReplies = []string{
	"", "+", "\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n", "*1\r\n$2\r\nok\r\n", "*1\r\n$-1\r\n", "*1\r\n:1\r\n", "*2\r\n$2\r\nok\r\n*0\r\n",
	"*3\r\n$2\r\nok\r\n$1\r\n1\r\n$1\r\n0\r\n", "*3\r\n$2\r\nok\r\n:1\r\n:0\r\n", "*3\r\n$2\r\nok\r\n$1\r\nx\r\n$21\r\n999999999999999999999\r\n",
	"*5\r\n$2\r\nok\r\n$1\r\n1\r\n$1\r\n0\r\n$4\r\nheld\r\n$-1\r\n", "*5\r\n$2\r\nok\r\n$1\r\n1\r\n$1\r\n0\r\n$4\r\ndone\r\n$3\r\n9\x1f9\r\n",
	"*2\r\n-ERR odd\r\n-WRONGTYPE odd\r\n", "*4\r\n$2\r\nok\r\n*1\r\n$-1\r\n*0\r\n*-1\r\n", "*1\r\n*2\r\n$3\r\n1-1\r\n*-1\r\n", "*1\r\n*1\r\n$3\r\n1-1\r\n",
	":9223372036854775807\r\n", ":-1\r\n", "$3\r\nfoo\r\n", "+OK\r\n", "*2\r\n$1\r\n1\r\n", "$100\r\nshort\r\n", "*2\r\n$20\r\n18446744073709551615\r\n$1\r\n0\r\n",
	"-ERR odd\r\n", "-WRONGTYPE Operation against a key\r\n", "-LOADING Redis is loading\r\n", "-NOAUTH Authentication required.\r\n",
	"-EXECABORT Transaction discarded\r\n", "-OOM command not allowed\r\n", "-READONLY You can't write\r\n", "-MISCONF no disk\r\n",
	"-NOREPLICAS Not enough\r\n", "-NOPERM no permissions\r\n", "-NOSCRIPT No matching script.\r\n", "-MOVED 1 127.0.0.1:1\r\n", "-BUSY Redis is busy\r\n",
}

// FailOnPanic fails the test if the service recovers from a panic of its own, which it logs by
// slog.Default. The Redis client may panic: it takes any number in place of a list for its length.
func FailOnPanic(tb testing.TB) {
	before := slog.Default()
	slog.SetDefault(slog.New(panics{before.Handler(), tb}))
	tb.Cleanup(func() { slog.SetDefault(before) })
}

type panics struct {
	slog.Handler
	tb testing.TB
}

func (p panics) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "stack" && !strings.Contains(a.Value.String(), "internal/proto.(*Reader)") {
			p.tb.Errorf("%s: %v", r.Message, r)
		}
		return true
	})
	return nil
}
