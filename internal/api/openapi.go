package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/keys"
)

// schemaPrefix is the place of the schemas in the document.
const schemaPrefix = "#/components/schemas/"

const documentText = `Holdfast keeps stock from being sold twice.

Every call that changes something carries an id. It is always safe to repeat a call with the same id and
body. Errors are RFC 9457 problems: programs should read ` + "`code`" + `, people should read ` + "`detail`" + `.
Quantities are whole units. Times are RFC 3339 in UTC. A field that is null counts as absent, but PATCH removes it.
`

// newDocument returns an OpenAPI document without operations. huma only makes the schemas, from our
// types and their tags; it serves nothing.
func newDocument(o Options) *huma.OpenAPI {
	registry := huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer)
	ttlMax := o.TTLMax.Seconds()
	for _, t := range []reflect.Type{reflect.TypeFor[contract.ReserveRequest](), reflect.TypeFor[contract.ExtendRequest]()} {
		ttl := registry.Schema(t, false, "").Properties["ttl_seconds"]
		ttl.Maximum = &ttlMax
		// Generators of clients make a field with a default a required one, so only the text says it.
		ttl.Description += " Default: " + strconv.FormatInt(int64(o.TTL.Seconds()), 10) + "."
	}
	describeKinds(registry)
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Holdfast", Version: o.Version, Description: documentText,
			License: &huma.License{Name: "Apache License 2.0", Identifier: "Apache-2.0"},
		},
		Servers: []*huma.Server{{URL: "/", Description: "The server that answered this document."}},
		Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{
			keyScheme: {Type: "http", Scheme: "bearer", Description: "A key, such as `hf_…`. A call names the role that the key needs."},
		}},
		Security: []map[string][]string{{}},
		Tags: []*huma.Tag{
			{Name: tagReservations, Description: "Hold units for an order, then sell or release them."},
			{Name: tagStock, Description: "Read, count, adjust and transfer stock."},
			{Name: tagRouting, Description: "Decide which locations serve an order, and explain why."},
			{Name: tagChanges, Description: "List who changed what."},
			{Name: tagAudits, Description: "Compare Redis with the ledger."},
			{Name: tagHealth, Description: "Check that the process runs and can reserve."},
		},
	}
}

// keyScheme is the name of the security scheme in the document.
const keyScheme = "key"

// describe adds op to document. In is its body, Out its answer.
func describe[In, Out any](document *huma.OpenAPI, op operation) {
	schemas := document.Components.Schemas
	described := &huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Tags: []string{op.tag},
		Summary: op.summary, Description: op.description,
		Parameters: slices.Concat(pathParameters(op.path), op.query),
		Responses:  map[string]*huma.Response{},
	}
	if in := reflect.TypeFor[In](); in != reflect.TypeFor[nothing]() {
		schema := schemas.Schema(in, true, "")
		body := &huma.MediaType{Schema: schema, Example: json.RawMessage(op.example)}
		described.RequestBody = &huma.RequestBody{
			Required: len(schemas.SchemaFromRef(schema.Ref).Required) > 0,
			Content:  map[string]*huma.MediaType{"application/json": body},
		}
		if op.method == http.MethodPatch {
			described.RequestBody.Content[contract.PatchType] = body
		}
		op.problems = slices.Concat(op.problems, []*kind{malformed, tooLarge, unsupportedMediaType})
		if reflect.PointerTo(in).Implements(reflect.TypeFor[contract.Keyed]()) {
			described.Parameters = append(described.Parameters, keyParameter)
			op.problems = append(op.problems, idMismatch)
		}
	}
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	if described.RequestBody != nil && op.yaml {
		described.RequestBody.Content[yamlType] = &huma.MediaType{Schema: text.Schema, Example: directoryYAML}
	}
	var out *huma.Schema
	if reflect.TypeFor[Out]() != reflect.TypeFor[nothing]() {
		out = schemas.Schema(reflect.TypeFor[Out](), true, "")
	}
	for status, when := range op.answers {
		response := &huma.Response{Description: when, Headers: answerHeaders(status, op.method)}
		if status != http.StatusNoContent {
			response.Content = map[string]*huma.MediaType{"application/json": {Schema: out}}
			if op.yaml {
				response.Content[yamlType] = text
			}
		}
		described.Responses[strconv.Itoa(status)] = response
	}
	op.problems = append(op.problems, forbidden)
	if op.role != keys.Open {
		described.Security = []map[string][]string{{keyScheme: {string(op.role)}}}
		op.problems = append(op.problems, unauthenticated, tooManyRequests)
	}
	if op.tag != tagHealth {
		op.problems = append(op.problems, internal)
	}
	if op.path != livePath {
		op.problems = append(op.problems, unavailable)
	}
	describeProblems(described, op.problems)
	document.AddOperation(described)
}

// keyParameter describes the header that may have the id of a call.
var keyParameter = &huma.Param{
	Name: contract.KeyHeader, In: "header", Schema: &huma.Schema{Type: huma.TypeString},
	Description: "The `id` of the call, in place of the field of the body. Quotes around it are left out.",
}

var pathParameter = regexp.MustCompile(`\{(\w+)\}`)

func pathParameters(path string) []*huma.Param {
	var out []*huma.Param
	least, most := 1, 128
	for _, match := range pathParameter.FindAllStringSubmatch(path, -1) {
		out = append(out, &huma.Param{
			Name: match[1], In: "path", Required: true, Description: "Percent-encoded: write / as %2F.",
			Schema: &huma.Schema{Type: huma.TypeString, MinLength: &least, MaxLength: &most},
		})
	}
	return out
}

func answerHeaders(status int, method string) map[string]*huma.Header {
	if status == http.StatusOK && method != http.MethodGet {
		return map[string]*huma.Header{contract.ReplayHeader: {
			Description: "`true` if the same request was answered before and nothing was changed.",
			Schema:      &huma.Schema{Type: huma.TypeString, Enum: []any{"true"}},
		}}
	}
	return nil
}

// describeProblems adds one response per status. Its description explains each code.
func describeProblems(op *huma.Operation, kinds []*kind) {
	byStatus := map[string][]*kind{}
	for _, k := range kinds {
		status := strconv.Itoa(k.status)
		if slices.Contains(byStatus[status], k) {
			continue
		}
		if op.Responses[status] == nil {
			op.Responses[status] = &huma.Response{
				Content: map[string]*huma.MediaType{contract.ProblemType: {}},
			}
		}
		response := op.Responses[status]
		byStatus[status] = append(byStatus[status], k)
		if k.status == http.StatusServiceUnavailable || k == tooManyRequests || k == notOnSale {
			response.Headers = map[string]*huma.Header{"Retry-After": {
				Description: "Seconds to wait before the next attempt.", Schema: &huma.Schema{Type: huma.TypeInteger},
			}}
		}
		if response.Description != "" {
			response.Description += "\n\n"
		}
		response.Description += "`" + k.code + "`: " + k.doc
	}
	for status, same := range byStatus {
		op.Responses[status].Content[contract.ProblemType].Schema = oneOfKinds(same)
	}
}

// openAnswers takes the ban of unknown fields from every schema that no request uses, so that answers can
// gain fields. Requests refuse unknown fields.
func openAnswers(document *huma.OpenAPI) {
	schemas, sent := document.Components.Schemas, map[*huma.Schema]bool{}
	var mark func(*huma.Schema)
	mark = func(s *huma.Schema) {
		if s != nil && s.Ref != "" {
			s = schemas.SchemaFromRef(s.Ref)
		}
		if s == nil || sent[s] {
			return
		}
		sent[s] = true
		mark(s.Items)
		for _, property := range s.Properties {
			mark(property)
		}
	}
	for _, path := range document.Paths {
		for _, op := range []*huma.Operation{path.Post, path.Put, path.Patch} {
			if op != nil {
				mark(op.RequestBody.Content["application/json"].Schema)
			}
		}
	}
	for _, schema := range schemas.Map() {
		if !sent[schema] {
			schema.AdditionalProperties = nil
		}
	}
}
