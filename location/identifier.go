package location

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// IsIdentifier reports whether text can name a SKU, a location, a reservation and so on.
func IsIdentifier(text string) bool { return IdentifierFault(text) == "" }

// IdentifierFault returns what is wrong with an identifier, or "" if nothing is. An identifier has 1 to
// IdentifierBytesMax bytes of UTF-8 without control characters and braces, and is not "." or "..".
func IdentifierFault(id string) string {
	switch {
	case id == "":
		return "is required"
	case len(id) > IdentifierBytesMax:
		return fmt.Sprintf("is %d bytes long, at most %d are allowed", len(id), IdentifierBytesMax)
	case id == "." || id == "..":
		return fmt.Sprintf("must not be %q", id)
	case strings.ContainsAny(id, "{}"):
		return "must not contain { or }"
	default:
		return charactersFault(id)
	}
}

// TextFault returns what is wrong with free text, or "" if nothing is. Text has at most TextBytesMax bytes
// of UTF-8 without control characters.
func TextFault(text string) string {
	if len(text) > TextBytesMax {
		return fmt.Sprintf("is %d bytes long, at most %d are allowed", len(text), TextBytesMax)
	}
	return charactersFault(text)
}

func charactersFault(text string) string {
	switch {
	case isPrintableASCII(text):
		return ""
	case !utf8.ValidString(text):
		return "is not valid UTF-8"
	case strings.ContainsFunc(text, unicode.IsControl):
		return "must not contain control characters"
	default:
		return ""
	}
}

// isPrintableASCII recognises what most texts are, quickly.
func isPrintableASCII(text string) bool {
	for i := range len(text) {
		if text[i] < 0x20 || text[i] >= 0x7f {
			return false
		}
	}
	return true
}
