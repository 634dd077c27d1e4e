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
)

// BodyBytesMax is the largest request body; more is 413.
const BodyBytesMax = 1 << 20

// drainedBytesMax is how much of a body that is too large is read nevertheless: a caller that is
// still sending when the connection is closed sees that, and not the answer.
const drainedBytesMax = 8 << 20

// pooledBytesMax keeps the buffer of one huge body from being held for ever.
const pooledBytesMax = 64 << 10

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func returnBuffer(b *bytes.Buffer) {
	if b.Cap() <= pooledBytesMax {
		b.Reset()
		buffers.Put(b)
	}
}

// strict refuses what the contract doesn't name. Refused by default are: names in another case,
// the same name twice, invalid UTF-8, and anything after the document.
var strict = json.RejectUnknownMembers(true)

// decodeBody reads the body of r into target. No body, {} and null all leave it as it is. It
// answers a *malformedError, *cache.InvalidError, errMediaType or errTooLarge.
func decodeBody(w http.ResponseWriter, r *http.Request, target any) error {
	if r.ContentLength > BodyBytesMax {
		drain(r)
		return errTooLarge
	}
	buffer := buffers.Get().(*bytes.Buffer)
	defer returnBuffer(buffer)
	if _, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, BodyBytesMax)); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			drain(r)
			return errTooLarge
		}
		return &malformedError{reason: "the body could not be read to its end"}
	}
	if len(bytes.TrimLeft(buffer.Bytes(), " \t\r\n")) == 0 {
		return nil
	}
	if in, ok := target.(interface{ decodeYAML(text []byte) error }); ok && isYAML(r.Header.Get("Content-Type")) {
		return in.decodeYAML(bytes.Clone(buffer.Bytes()))
	}
	if !isJSON(r.Header.Get("Content-Type")) {
		return errMediaType
	}
	if err := json.Unmarshal(buffer.Bytes(), target, strict); err != nil {
		return decodeFault(err)
	}
	return nil
}

// drain reads the rest of a body, but not of an endless one, nor of one whose sender waits to be
// asked for it.
func drain(r *http.Request) {
	if r.ContentLength <= drainedBytesMax && r.Header.Get("Expect") == "" {
		_, _ = io.CopyN(io.Discard, r.Body, drainedBytesMax) // the answer is the same anyway
	}
}

// isJSON accepts application/json, in UTF-8 where a charset is given.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	media, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || media != "application/json" {
		return false
	}
	charset := parameters["charset"]
	return charset == "" || strings.EqualFold(charset, "utf-8")
}

// malformedError is a request that is not understood. Its fault, if any, says where.
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

// decodeFault turns an error of the decoder into ours.
func decodeFault(err error) error {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return malformedAt(string(syntax.JSONPointer), "appears twice")
		}
		return &malformedError{reason: fmt.Sprintf("the body is not JSON at byte %d", syntax.ByteOffset)}
	}
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return &malformedError{reason: "the body ends in the middle of its JSON"}
		}
		return &malformedError{reason: "the body is not what this call takes"}
	}
	path := string(semantic.JSONPointer)
	switch {
	case errors.Is(err, json.ErrUnknownName):
		return malformedAt(path, "unknown field")
	case errors.Is(err, errNotWhole):
		return malformedAt(path, errNotWhole.Error())
	case errors.Is(err, strconv.ErrRange):
		return &cache.InvalidError{Faults: []cache.Fault{{Path: path, Message: "is out of range"}}}
	}
	return malformedAt(path, "must be "+wanted(semantic.GoType))
}

// wanted names the JSON type that a Go type is read from.
func wanted(t reflect.Type) string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil {
		return "of another type"
	}
	switch t.Kind() {
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
