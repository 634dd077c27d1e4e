package wire

import (
	"strconv"
	"strings"
)

// Text is a value in Redis of any bytes, or a missing one.
type Text struct {
	There bool
	Text  string
}

// textReader reads texts of any bytes. Each is packed as its length, a colon and its bytes; a
// missing one is a dash.
type textReader struct {
	rest   string
	failed bool
}

func (r *textReader) text() Text {
	if rest, missing := strings.CutPrefix(r.rest, "-"); missing {
		r.rest = rest
		return Text{}
	}
	length, rest, ok := strings.Cut(r.rest, ":")
	n, err := strconv.Atoi(length)
	if !ok || err != nil || n < 0 || n > len(rest) {
		r.failed, r.rest = true, ""
		return Text{}
	}
	r.rest = rest[n:]
	return Text{true, rest[:n]}
}

func (r *textReader) number() int64 {
	n, err := strconv.ParseInt(r.text().Text, 10, 64)
	if err != nil {
		r.failed = true
	}
	return n
}
