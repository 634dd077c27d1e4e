package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// openAPI is what this test reads of the document.
type openAPI struct {
	Paths map[string]map[string]struct {
		OperationID string `json:"operationId"`
		RequestBody *struct {
			Content map[string]struct{ Example json.RawMessage }
		}
	}
}

// example is the body of an operation in the document.
type example struct{ id, method, path, mediaType, body string }

func examples(t *testing.T, p program) map[string][]example {
	t.Helper()
	var document openAPI
	if err := json.Unmarshal([]byte(fetch(t, p.url+"/openapi.json")), &document); err != nil {
		t.Fatal(err)
	}
	out := map[string][]example{}
	for path, methods := range document.Paths {
		for method, op := range methods {
			if op.RequestBody == nil {
				continue
			}
			for mediaType, content := range op.RequestBody.Content {
				body := string(content.Example)
				if mediaType == "application/yaml" {
					if err := json.Unmarshal(content.Example, &body); err != nil {
						t.Errorf("%s: the example is not a text: %v", op.OperationID, err)
					}
				}
				out[op.OperationID] = append(out[op.OperationID], example{op.OperationID, strings.ToUpper(method), path, mediaType, body})
			}
		}
	}
	return out
}

// send sends the example with the reservation id in its path, or as its own id.
func (e example) send(t *testing.T, p program, reservation string) {
	t.Helper()
	path := strings.NewReplacer("{id}", reservation, "{sku}", "TEE-M", "{location}", "berlin").Replace(e.path)
	body := e.body
	if e.id == "reserve" {
		body = strings.Replace(body, "ord-1001", reservation, 1)
	}
	request, err := http.NewRequestWithContext(t.Context(), e.method, p.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", e.mediaType)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode >= 300 {
		var problem struct{ Detail string }
		_ = json.NewDecoder(answer.Body).Decode(&problem)
		t.Errorf("%s with %s: %d %s\n%s", e.id, e.mediaType, answer.StatusCode, problem.Detail, body)
	}
}

// TestServe_Examples sends the example of every body in the document.
func TestServe_Examples(t *testing.T) {
	p := start(t)
	all := examples(t, p)
	sent := map[string]bool{}
	for _, story := range []struct{ reservation, operations string }{
		{"", "put-level count adjust transfer put-directory route availability query-levels start-audit"},
		{"ord-1001", "reserve confirm fulfill unfulfill return release"},
		{"ord-1002", "reserve describe extend amend move"},
	} {
		for id := range strings.FieldsSeq(story.operations) {
			if len(all[id]) == 0 {
				t.Errorf("the document has no operation %s with a body", id)
			}
			for _, e := range all[id] {
				e.send(t, p, story.reservation)
			}
			sent[id] = true
		}
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if !sent[id] {
			t.Errorf("the example of %s was not sent", id)
		}
	}
}
