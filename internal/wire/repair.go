package wire

// Repaired is what a repair changed.
type Repaired struct {
	Audit string
	Items []RepairedItem
}

// RepairedItem is one change of a repair.
type RepairedItem struct {
	Word    string // one of the words below
	Finding string
	Name    string      // of the level, limit or reservation
	Added   LevelCounts // WordAdd: what was added
}

// The words that tell the repair script what to do with an item.
const (
	WordAdd    = "add"    // add to the counts of a level
	WordSet    = "set"    // replace the values of a level
	WordRecord = "record" // replace the record of a reservation
	WordLimit  = "limit"  // add to the count of a purchase limit
	WordReset  = "reset"  // replace the count of a purchase limit
	WordWatch  = "watch"  // add the deadline of a held reservation
	WordForget = "forget" // drop an id without a record from a member of deadlines
)

func (r *Repaired) decode(from *textReader) {
	for from.rest != "" && !from.failed {
		item := RepairedItem{Word: from.text().Text, Finding: from.text().Text, Name: from.text().Text}
		if item.Word == WordAdd {
			item.Added = LevelCounts{from.number(), from.number(), from.number(), from.number(), from.number()}
		}
		r.Items = append(r.Items, item)
	}
}
