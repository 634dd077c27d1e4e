package location

import (
	"encoding/json"
	"fmt"
)

// clone returns a deep copy of a valid directory.
func (d *Directory) clone() (c Directory, err error) {
	text, err := json.Marshal(d)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return c, fmt.Errorf("copy the directory: %w", err)
	}
	return c, nil
}
