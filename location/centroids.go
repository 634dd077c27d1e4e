package location

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

//go:embed countries.csv
var countries string

// Centroids locates addresses without coordinates by country and postal code. The longest known
// prefix of the postal code applies.
type Centroids struct {
	at      map[centroidKey]vector
	longest map[string]int // country -> length of its longest prefix in bytes
	rest    *Centroids     // used if this table has no entry; may be nil
}

type centroidKey struct{ country, prefix string }

// Countries returns the built-in table: the centroid of each country's largest part. It is from
// Natural Earth's countries at 1:50 million, which are in the public domain.
func Countries() *Centroids { return builtIn() }

var builtIn = sync.OnceValue(func() *Centroids {
	c, err := readCentroids(strings.NewReader(countries), nil)
	if err != nil {
		panic("location: built-in countries: " + err.Error())
	}
	return c
})

// LoadCentroids reads positions that take precedence over the built-in ones. The format is CSV with
// the header country,postal_prefix,latitude,longitude. An empty prefix stands for the whole
// country. The error names every invalid line.
func LoadCentroids(r io.Reader) (*Centroids, error) { return readCentroids(r, Countries()) }

func readCentroids(r io.Reader, rest *Centroids) (*Centroids, error) {
	c := &Centroids{at: map[centroidKey]vector{}, longest: map[string]int{}, rest: rest}
	in := csv.NewReader(r)
	in.Comment = '#'
	header, err := in.Read()
	if err != nil || strings.Join(header, ",") != "country,postal_prefix,latitude,longitude" {
		return nil, fmt.Errorf("the first line must be country,postal_prefix,latitude,longitude: %w", errors.Join(err, errCentroids))
	}
	var wrong []error
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return c, errors.Join(wrong...)
		}
		if err != nil {
			return nil, err
		}
		if err := c.add(row); err != nil {
			line, _ := in.FieldPos(0)
			wrong = append(wrong, fmt.Errorf("line %d: %w", line, err))
		}
	}
}

var errCentroids = errors.New("invalid table of centroids")

func (c *Centroids) add(row []string) error {
	country, prefix := strings.ToUpper(strings.TrimSpace(row[0])), foldCode(row[1])
	latitude, err1 := strconv.ParseFloat(row[2], 64)
	longitude, err2 := strconv.ParseFloat(row[3], 64)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	_, twice := c.at[centroidKey{country, prefix}]
	switch {
	case c.rest != nil && !c.rest.has(country):
		return fmt.Errorf("%w: country is %q, must be two letters of ISO 3166-1, such as DE", errCentroids, row[0])
	case !isCode(prefix):
		return fmt.Errorf("%w: postal_prefix is %q, must be the beginning of a postal code, without *", errCentroids, row[1])
	case !(latitude >= -90 && latitude <= 90) || !(longitude >= -180 && longitude <= 180):
		return fmt.Errorf("%w: latitude must be from -90 to 90 degrees, longitude from -180 to 180", errCentroids)
	case twice:
		return fmt.Errorf("%w: %s %q has a line already", errCentroids, country, prefix)
	}
	c.at[centroidKey{country, prefix}] = vectorOf(latitude, longitude)
	c.longest[country] = max(c.longest[country], len(prefix))
	return nil
}

// has reports whether the table has a country.
func (c *Centroids) has(country string) bool {
	_, known := c.at[centroidKey{country, ""}]
	return known
}

// find returns the position of the longest known prefix of a postal code, or of the country.
func (c *Centroids) find(country, code string) (vector, bool) {
	for n := min(len(code), c.longest[country]); n >= 0; n-- {
		if v, known := c.at[centroidKey{country, code[:n]}]; known {
			return v, true
		}
	}
	if c.rest != nil {
		return c.rest.find(country, code)
	}
	return vector{}, false
}
