package contract

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Remove, as a Patch or as a key of a MetadataPatch, removes what is there. It is not UTF-8, so no text or key that JSON can hold is equal to it.
const Remove = "\xff"

// Patch is a text in a JSON Merge Patch. "" is an absent field.
type Patch string

// UnmarshalJSONFrom reads a text. null and "" remove it.
func (p *Patch) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	var text string
	if err := json.UnmarshalDecode(dec, &text); err != nil {
		return err
	}
	if *p = Patch(text); text == "" {
		*p = Remove
	}
	return nil
}

// MarshalJSON writes the text, or null to remove it.
func (p Patch) MarshalJSON() ([]byte, error) {
	if p == Remove {
		return []byte("null"), nil
	}
	return json.Marshal(string(p))
}

// Text returns the new text, "" if it is removed, or nil if it stays.
func (p Patch) Text() *string {
	text := string(p)
	switch p {
	case "":
		return nil
	case Remove:
		text = ""
	}
	return &text
}

// IdentitiesPatch is a list of identities in a JSON Merge Patch. nil is an absent field.
type IdentitiesPatch []string

// UnmarshalJSONFrom reads a list. null removes all.
func (p *IdentitiesPatch) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	list := []string{}
	if err := json.UnmarshalDecode(dec, &list); err != nil {
		return err
	}
	if *p = list; list == nil {
		*p = IdentitiesPatch{}
	}
	return nil
}

// MetadataPatch is metadata in a JSON Merge Patch: nil removes a key.
type MetadataPatch map[string]*string

// UnmarshalJSONFrom reads an object. null removes all keys.
func (p *MetadataPatch) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	keys := map[string]*string{}
	if err := json.UnmarshalDecode(dec, &keys); err != nil {
		return err
	}
	if *p = keys; keys == nil {
		*p = MetadataPatch{Remove: nil}
	}
	return nil
}

// MarshalJSON writes the keys, or null if one of them is Remove.
func (p MetadataPatch) MarshalJSON() ([]byte, error) {
	if _, clear := p[Remove]; clear {
		return []byte("null"), nil
	}
	return json.Marshal(map[string]*string(p), json.Deterministic(true))
}

// Keys returns the changes by key, and whether all keys are removed first.
func (p MetadataPatch) Keys() (keys map[string]*string, clear bool) {
	if _, clear = p[Remove]; clear {
		return nil, true
	}
	return p, false
}
