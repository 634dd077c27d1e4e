package api

import (
	"net/http"
	"strings"

	"github.com/holdfast/holdfast/internal/contract"
)

// takeKey puts the header Idempotency-Key into the id of a body. Other bodies stay as they are. Errors:
// *malformedError, errIDMismatch.
func takeKey(r *http.Request, in any) error {
	values := r.Header[contract.KeyHeader]
	if len(values) == 0 {
		return nil
	}
	body, ok := in.(contract.Keyed)
	if !ok {
		return nil
	}
	if len(values) > 1 {
		return malformedAt("/"+contract.KeyHeader, "appears twice")
	}
	key := values[0]
	if n := len(key); n > 1 && strings.HasPrefix(key, `"`) && strings.HasSuffix(key, `"`) {
		key = key[1 : n-1]
	}
	switch id := body.Key(); {
	case *id == "":
		*id = key
	case key != "" && *id != key:
		return errIDMismatch
	}
	return nil
}
