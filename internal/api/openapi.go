package api

import (
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// schemaPrefix is where the document keeps the schemas of our types.
const schemaPrefix = "#/components/schemas/"

const documentText = `Holdfast keeps stock from being sold twice.

Every call that changes something carries an id; repeating it with the same id and body is always
safe. Errors are RFC 9457 problems: programs read ` + "`code`" + `, people read ` + "`detail`" + `.
Quantities are whole units, times RFC 3339 in UTC. A field that is null counts as absent.
`

// newDocument makes the OpenAPI document that the operations are then added to. huma makes the
// schemas, from our types and their tags; it serves nothing.
func newDocument(o Options) *huma.OpenAPI {
	registry := huma.NewMapRegistry(schemaPrefix, huma.DefaultSchemaNamer)
	deadline := registry.Schema(reflect.TypeFor[ReserveRequest](), false, "").Properties["ttl_seconds"]
	limitDeadline(deadline, o)
	deadline = registry.Schema(reflect.TypeFor[ExtendRequest](), false, "").Properties["ttl_seconds"]
	limitDeadline(deadline, o)
	return &huma.OpenAPI{
		OpenAPI:    "3.1.0",
		Info:       &huma.Info{Title: "Holdfast", Version: o.Version, Description: documentText},
		Components: &huma.Components{Schemas: registry},
		Tags: []*huma.Tag{
			{Name: tagReservations, Description: "Take units out of sale, then sell them or give them back."},
			{Name: tagStock, Description: "What there is, and what is available."},
			{Name: tagRouting, Description: "Which locations serve which orders, and why."},
			{Name: tagAudits, Description: "Whether Redis is what the ledger says."},
			{Name: tagHealth},
		},
	}
}

// limitDeadline writes what the configuration says into the schema of a ttl_seconds.
func limitDeadline(s *huma.Schema, o Options) {
	most := o.TTLMax.Seconds()
	s.Maximum, s.Default = &most, int64(o.TTL.Seconds())
}

// describe adds op to document.
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
		described.RequestBody = &huma.RequestBody{
			Required: len(schemas.SchemaFromRef(schema.Ref).Required) > 0,
			Content:  map[string]*huma.MediaType{"application/json": {Schema: schema}},
		}
		op.problems = slices.Concat(op.problems, []*kind{malformed, tooLarge, unsupportedMediaType})
	}
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	if described.RequestBody != nil && op.yaml {
		described.RequestBody.Content[yamlType] = text
	}
	var out *huma.Schema
	if reflect.TypeFor[Out]() != reflect.TypeFor[nothing]() {
		out = schemas.Schema(reflect.TypeFor[Out](), true, "")
	}
	for status, when := range op.answers {
		if status == http.StatusNoContent {
			described.Responses[strconv.Itoa(status)] = &huma.Response{Description: when}
			continue
		}
		described.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: when, Headers: answerHeaders(status, op.method),
			Content: map[string]*huma.MediaType{"application/json": {Schema: out}},
		}
		if op.yaml {
			described.Responses[strconv.Itoa(status)].Content[yamlType] = text
		}
	}
	if op.method != http.MethodGet {
		op.problems = append(op.problems, forbidden)
	}
	if op.tag != tagHealth {
		op.problems = append(op.problems, internal)
	}
	if op.path != livePath {
		op.problems = append(op.problems, unavailable)
	}
	describeProblems(described, schemas, op.problems)
	document.AddOperation(described)
}

var pathParameter = regexp.MustCompile(`\{(\w+)\}`)

func pathParameters(path string) []*huma.Param {
	var out []*huma.Param
	least, most := 1, 128
	for _, match := range pathParameter.FindAllStringSubmatch(path, -1) {
		out = append(out, &huma.Param{
			Name: match[1], In: "path", Required: true, Description: "Percent-encoded: / is %2F.",
			Schema: &huma.Schema{Type: huma.TypeString, MinLength: &least, MaxLength: &most},
		})
	}
	return out
}

func answerHeaders(status int, method string) map[string]*huma.Header {
	if status == http.StatusOK && method != http.MethodGet {
		return map[string]*huma.Header{"Idempotent-Replay": {
			Description: "`true` where the same request was answered before and nothing was changed.",
			Schema:      &huma.Schema{Type: huma.TypeString, Enum: []any{"true"}},
		}}
	}
	return nil
}

// describeProblems adds one response a status; its description tells the codes apart.
func describeProblems(op *huma.Operation, schemas huma.Registry, kinds []*kind) {
	schema := schemas.Schema(reflect.TypeFor[Problem](), true, "")
	for _, k := range kinds {
		status := strconv.Itoa(k.status)
		if op.Responses[status] == nil {
			op.Responses[status] = &huma.Response{
				Content: map[string]*huma.MediaType{
					ProblemType: {Schema: schema, Examples: map[string]*huma.Example{}},
				},
			}
		}
		response := op.Responses[status]
		if k.status == http.StatusServiceUnavailable {
			response.Headers = map[string]*huma.Header{"Retry-After": {
				Description: "Seconds.", Schema: &huma.Schema{Type: huma.TypeInteger},
			}}
		}
		if response.Description != "" {
			response.Description += "\n\n"
		}
		response.Description += "`" + k.code + "`: " + k.doc
		response.Content[ProblemType].Examples[k.code] = &huma.Example{Value: &Problem{
			Type: k.uri(), Title: k.title, Status: k.status, Detail: k.doc, Code: k.code,
		}}
	}
}
