package cache

import (
	"strconv"
	"sync"
)

// texts builds several strings in one allocation: they are parts of one.
type texts struct {
	all  []byte
	ends []int
}

// scratch keeps the buffers of texts for the next to use.
var scratch = sync.Pool{New: func() any { return &texts{} }}

// add appends to the string under way.
func (t *texts) add(parts ...string) {
	for _, part := range parts {
		t.all = append(t.all, part...)
	}
}

func (t *texts) number(n int64) { t.all = strconv.AppendInt(t.all, n, 10) }

// next ends one string.
func (t *texts) next() { t.ends = append(t.ends, len(t.all)) }

// cut is the strings, to be taken in order, before t is used again.
func (t *texts) cut() cutTexts { return cutTexts{all: string(t.all), ends: t.ends} }

type cutTexts struct {
	all  string
	ends []int
	from int
	i    int
}

func (c *cutTexts) next() string {
	part := c.all[c.from:c.ends[c.i]]
	c.from = c.ends[c.i]
	c.i++
	return part
}
