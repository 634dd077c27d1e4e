package cache

import (
	"strconv"
	"sync"
)

// textBuilder builds several strings in one allocation: they are slices of one.
type textBuilder struct {
	buffer []byte
	ends   []int
}

// builders keeps the buffers of unused builders.
var builders = sync.Pool{New: func() any { return &textBuilder{} }}

func (t *textBuilder) reset() { t.buffer, t.ends = t.buffer[:0], t.ends[:0] }

// add appends to the current string.
func (t *textBuilder) add(parts ...string) {
	for _, part := range parts {
		t.buffer = append(t.buffer, part...)
	}
}

func (t *textBuilder) addInt(n int64) { t.buffer = strconv.AppendInt(t.buffer, n, 10) }

// end ends the current string.
func (t *textBuilder) end() { t.ends = append(t.ends, len(t.buffer)) }

// texts returns the strings. Read them before t is used again.
func (t *textBuilder) texts() textReader { return textReader{all: string(t.buffer), ends: t.ends} }

// textReader returns the strings of a textBuilder in order.
type textReader struct {
	all  string
	ends []int
	from int
	i    int
}

func (r *textReader) next() string {
	part := r.all[r.from:r.ends[r.i]]
	r.from = r.ends[r.i]
	r.i++
	return part
}
