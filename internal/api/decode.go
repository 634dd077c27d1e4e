package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/contract"
)

// drainedBytesMax is how much of a body that is too large is still read. A caller that is sending
// when the connection closes would not see the answer.
const drainedBytesMax = 8 << 20

// pooledBytesMax keeps the pool from holding the buffer of one huge body forever.
const pooledBytesMax = 64 << 10

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func returnBuffer(b *bytes.Buffer) {
	if b.Cap() <= pooledBytesMax {
		b.Reset()
		buffers.Put(b)
	}
}

// strict refuses fields that the contract does not name. The decoder itself refuses names in
// another case, the same name twice, invalid UTF-8, and anything after the document.
var strict = json.RejectUnknownMembers(true)

// decodeBody reads the body of r into target. No body, {} and null leave target as it is. Errors:
// errTooLarge, *malformedError, errMediaType, *cache.InvalidError.
func decodeBody(w http.ResponseWriter, r *http.Request, target any) error {
	if r.ContentLength > contract.BodyBytesMax {
		drain(r)
		return errTooLarge
	}
	buffer := buffers.Get().(*bytes.Buffer)
	defer returnBuffer(buffer)
	if _, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, contract.BodyBytesMax)); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			drain(r)
			return errTooLarge
		}
		return &malformedError{reason: "the body could not be read completely"}
	}
	if len(bytes.TrimLeft(buffer.Bytes(), " \t\r\n")) == 0 {
		return nil
	}
	contentType := r.Header.Get("Content-Type")
	if in, ok := target.(*contract.DirectoryRequest); ok && isYAML(contentType) {
		return decodeYAML(bytes.Clone(buffer.Bytes()), in)
	}
	if !isJSON(contentType) && (r.Method != http.MethodPatch || !isMedia(contentType, contract.PatchType)) {
		return errMediaType
	}
	if err := json.Unmarshal(buffer.Bytes(), target, strict); err != nil {
		return decodeFault(err)
	}
	return nil
}

// drain reads the rest of a body, unless it is far too long or its sender waits for a 100 Continue.
func drain(r *http.Request) {
	if r.ContentLength <= drainedBytesMax && r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, r.Body, drainedBytesMax) // the answer is the same if it fails
	}
}

// isJSON accepts application/json without a charset or in UTF-8.
func isJSON(contentType string) bool {
	return contentType == "application/json" || isMedia(contentType, "application/json")
}

// isMedia reports whether a content type is of a media type, without a charset or in UTF-8.
func isMedia(contentType, want string) bool {
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || media != want {
		return false
	}
	charset := parameters["charset"]
	return charset == "" || strings.EqualFold(charset, "utf-8")
}

// malformedError is the error for a request that is not understood. Its faults, if any, say where.
type malformedError struct {
	reason string
	faults []cache.Fault
}

var errMalformed = errors.New("malformed request")

func (e *malformedError) Error() string { return e.reason }

// Unwrap makes errors.Is(err, errMalformed) true.
func (e *malformedError) Unwrap() error { return errMalformed }

func malformedAt(path, message string) error {
	return &malformedError{
		reason: "malformed request: " + path + ": " + message,
		faults: []cache.Fault{{Path: path, Message: message}},
	}
}

// decodeFault returns an error of the decoder as ours.
func decodeFault(err error) error {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return malformedAt(string(syntax.JSONPointer), "appears twice")
		}
		return &malformedError{reason: fmt.Sprintf("the body is not JSON at byte %d", syntax.ByteOffset)}
	}
	semantic, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return &malformedError{reason: "the body ends before its JSON does"}
		}
		return &malformedError{reason: "the body does not fit this call; see /docs"}
	}
	path := string(semantic.JSONPointer)
	switch {
	case errors.Is(err, json.ErrUnknownName):
		return malformedAt(path, "unknown field")
	case errors.Is(err, contract.ErrNotWhole):
		return malformedAt(path, contract.ErrNotWhole.Error())
	case errors.Is(err, strconv.ErrRange):
		return invalid(path, "is out of range")
	}
	return malformedAt(path, "must be "+wanted(semantic.GoType))
}

// wanted returns the name of the JSON type that decodes into t.
func wanted(t reflect.Type) string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	kind := reflect.Invalid
	if t != nil {
		kind = t.Kind()
	}
	switch kind {
	case reflect.String:
		return "a string"
	case reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "of another type"
}
