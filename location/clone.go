package location

import "encoding/json"

// clone returns a deep copy of a valid directory.
func (d *Directory) clone() (c Directory) {
	text, err := json.Marshal(d)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		panic("location: copy a directory: " + err.Error()) // every valid directory survives JSON
	}
	return c
}
