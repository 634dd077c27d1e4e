package acceptance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is the OpenAPI document of a running program. One part of the program serves calls, another one
// describes them: the tests check the answers of the first against the second.
type document struct {
	tree     map[string]any
	paths    []string // the longest first, so that a literal comes before a parameter
	compiler *jsonschema.Compiler

	mu      sync.Mutex
	schemas map[string]*jsonschema.Schema // by JSON pointer into the document
}

const documentName = "openapi.json"

// onceFor calls fetch for the first test, and returns the same document to all.
func onceFor(fetch func(*testing.T) *document) func(*testing.T) *document {
	var once sync.Once
	var d *document
	return func(t *testing.T) *document {
		once.Do(func() { d = fetch(t) })
		return d
	}
}

func (p *program) fetchDocument(t *testing.T) *document {
	t.Helper()
	got := p.send(t, get("/openapi.json"))
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(got.body))
	if err != nil {
		t.Fatal(err)
	}
	d := &document{tree: tree.(map[string]any), compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource(documentName, tree); err != nil {
		t.Fatal(err)
	}
	for path := range d.tree["paths"].(map[string]any) {
		d.paths = append(d.paths, path)
	}
	slices.SortFunc(d.paths, func(a, b string) int { return strings.Count(a, "{") - strings.Count(b, "{") })
	return d
}

// undescribed lists the paths that the document leaves out.
var undescribed = []string{"/openapi.json", "/docs", "/metrics"}

// permits reports why the document does not allow the answer to a step. If the call succeeded, it checks
// the request too.
func (d *document) permits(s step, got answered) error {
	method := strings.ToLower(s.method)
	if method == "head" {
		method = "get"
	}
	path, _, _ := strings.Cut(s.path, "?")
	template, operation := d.operation(method, path)
	switch {
	case slices.ContainsFunc(undescribed, func(prefix string) bool { return strings.HasPrefix(path, prefix) }):
		return nil
	case s.method == http.MethodHead && operation == nil:
		return nil
	case operation == nil && (got.status == http.StatusNotFound || got.status == http.StatusMethodNotAllowed):
		return d.valid("/components/schemas/Problem", got.body)
	case operation == nil:
		return fmt.Errorf("%s %s is not described", method, path)
	}
	at := "/paths/" + escape(template) + "/" + method
	if got.status == http.StatusNoContent {
		if d.dig(at+"/responses/204") == nil || len(got.body) > 0 {
			return fmt.Errorf("204 is not described, or has a body of %d bytes", len(got.body))
		}
		return nil
	}
	media, _, err := mime.ParseMediaType(got.header.Get("Content-Type"))
	if err != nil {
		return err
	}
	response := at + "/responses/" + strconv.Itoa(got.status) + "/content/" + escape(media) + "/schema"
	if d.dig(response) == nil {
		return fmt.Errorf("%d with %s is not described", got.status, media)
	}
	if s.method == http.MethodHead {
		return nil
	}
	if err := d.valid(response, asJSON(media, got.body)); err != nil {
		return fmt.Errorf("the answer: %w", err)
	}
	request, sent := at+"/requestBody/content/application~1json/schema", []byte(s.body)
	if s.header["Content-Type"] == yamlType {
		request, sent = at+"/requestBody/content/"+escape(yamlType)+"/schema", asJSON(yamlType, sent)
	}
	// The API takes null for absent. The schema does not say so of every field.
	if got.status < 300 && s.body != "" && !strings.Contains(s.body, "null") {
		if err := d.valid(request, sent); err != nil {
			return fmt.Errorf("the request was taken, but: %w", err)
		}
	}
	return nil
}

const yamlType = "application/yaml"

// asJSON returns a body as its schema describes it: text that is not JSON is a string.
func asJSON(media string, body []byte) []byte {
	if media != yamlType {
		return body
	}
	text, err := json.Marshal(string(body))
	if err != nil {
		panic(err) // a string can always be encoded
	}
	return text
}

// operation returns the operation that serves path, or nil if there is none.
func (d *document) operation(method, path string) (template string, operation any) {
	parts := strings.Split(path, "/")
	for _, template := range d.paths {
		if !slices.EqualFunc(strings.Split(template, "/"), parts, func(pattern, part string) bool {
			return pattern == part || strings.HasPrefix(pattern, "{") && part != ""
		}) {
			continue
		}
		if operation := d.dig("/paths/" + escape(template) + "/" + method); operation != nil {
			return template, operation
		}
	}
	return "", nil
}

// escape escapes a key for a JSON pointer.
func escape(key string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(key) }

func (d *document) dig(pointer string) any {
	var value any = d.tree
	for _, key := range strings.Split(pointer, "/")[1:] {
		object, _ := value.(map[string]any)
		value = object[strings.NewReplacer("~1", "/", "~0", "~").Replace(key)]
	}
	return value
}

// valid checks body against the schema at a JSON pointer into the document.
func (d *document) valid(pointer string, body []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	schema := d.schemas[pointer]
	if schema == nil {
		var err error
		// A URL fragment cannot contain the braces of a path.
		fragment := strings.NewReplacer("{", "%7B", "}", "%7D").Replace(pointer)
		if schema, err = d.compiler.Compile(documentName + "#" + fragment); err != nil {
			return err
		}
		d.schemas[pointer] = schema
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

func TestDocumentIsServed(t *testing.T) {
	t.Parallel()
	p := start(t)
	got := p.send(t, get("/openapi.json"))
	var d struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(got.body, &d); err != nil || got.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%v %v", err, got.header)
	}
	if !strings.HasPrefix(d.OpenAPI, "3.1.") {
		t.Errorf("OpenAPI %s, want 3.1", d.OpenAPI)
	}
	for _, call := range []string{
		"post /v1/reservations", "get /v1/reservations/{id}", "post /v1/reservations/{id}/confirm",
		"post /v1/reservations/{id}/release", "post /v1/reservations/{id}/extend", "post /v1/reservations/{id}/fulfill", "post /v1/reservations/{id}/return", "post /v1/reservations/{id}/unfulfill",
		"get /v1/stock/{sku}", "get /v1/stock", "put /v1/stock/{sku}/{location}",
		"delete /v1/stock/{sku}/{location}", "post /v1/stock/adjustments", "post /v1/stock/counts", "post /v1/stock/transfers",
	} {
		method, path, _ := strings.Cut(call, " ")
		if d.Paths[path][method] == nil {
			t.Errorf("%s is not described", call)
		}
	}
	t.Run("readable page without internet", func(t *testing.T) {
		page := p.send(t, get("/docs"))
		media := page.header.Get("Content-Type")
		if page.status != 200 || !strings.HasPrefix(media, "text/html") {
			t.Fatalf("%d %s", page.status, media)
		}
		for _, reference := range []string{`src="http`, `href="http`, `src="//`, `href="//`, "url(http", "@import"} {
			if bytes.Contains(page.body, []byte(reference)) {
				t.Errorf("the page refers to another host: %s", reference)
			}
		}
	})
	t.Run("every type of a problem is explained", func(t *testing.T) {
		page := p.send(t, get("/docs/problems"))
		for _, code := range []string{
			"malformed", "invalid_request", "not_found", "insufficient_stock", "unknown_stock", "no_location",
			"id_conflict", "wrong_state", "version_conflict", "unavailable", "rebuilding", "backlog_full",
		} {
			if !bytes.Contains(page.body, []byte(`id="`+code+`"`)) {
				t.Errorf("%s is not explained", code)
			}
		}
	})
}
