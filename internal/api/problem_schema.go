package api

import (
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holdfast/holdfast/internal/contract"
)

// members are the fields that a kind of problem has beside the common ones: always, or if they apply.
type members struct{ always, sometimes []string }

// kindMembers has the kinds that have fields of their own.
var kindMembers = map[*kind]members{
	malformed:         {sometimes: []string{"errors"}},
	unauthenticated:   {always: []string{"role"}},
	forbidden:         {sometimes: []string{"role"}},
	invalidRequest:    {always: []string{"errors"}},
	unknownStock:      {always: []string{"lines"}},
	noLocation:        {always: []string{"rejected"}},
	insufficientStock: {always: []string{"shortages"}},
	notOnSale:         {always: []string{"campaign"}, sometimes: []string{"starts_at", "ends_at"}},
	purchaseLimit:     {always: []string{"campaign", "limit", "taken"}, sometimes: []string{"identity"}},
	campaignSoldOut:   {always: []string{"campaign", "limit", "taken"}},
	inUse:             {always: []string{"held", "committed"}},
	alreadyFulfilled:  {always: []string{"fulfilled"}},
	wrongState:        {always: []string{"state"}},
	versionConflict:   {sometimes: []string{"version", "on_hand", "sku", "location"}},
}

// commonMembers are the fields of every problem.
var commonMembers = []string{"type", "title", "status", "detail", "code"}

// describeKinds puts a schema of each kind of problem into schemas, and makes Problem one of them, by
// its code.
func describeKinds(schemas huma.Registry) {
	problem := schemas.SchemaFromRef(schemas.Schema(reflect.TypeFor[contract.Problem](), true, "").Ref)
	properties := problem.Properties
	code := *properties["code"]
	code.Enum = convert(kinds, func(k **kind) any { return (*k).code })
	for _, k := range kinds {
		schemas.Map()[k.schemaName()] = k.schema(properties)
	}
	union := oneOfKinds(kinds)
	*problem = huma.Schema{
		Type: huma.TypeObject, Description: problem.Description, Required: []string{"code"},
		Properties: map[string]*huma.Schema{"code": &code},
		OneOf:      union.OneOf, Discriminator: union.Discriminator,
	}
}

// oneOfKinds returns the schema of a problem of one of these kinds.
func oneOfKinds(some []*kind) *huma.Schema {
	if len(some) == 1 {
		return &huma.Schema{Ref: some[0].ref()}
	}
	union := &huma.Schema{Discriminator: &huma.Discriminator{PropertyName: "code", Mapping: map[string]string{}}}
	for _, k := range some {
		union.OneOf = append(union.OneOf, &huma.Schema{Ref: k.ref()})
		union.Discriminator.Mapping[k.code] = k.ref()
	}
	return union
}

// schema takes the fields of the kind from properties, those of every problem.
func (k *kind) schema(properties map[string]*huma.Schema) *huma.Schema {
	own := kindMembers[k]
	out := &huma.Schema{
		Type: huma.TypeObject, Description: k.doc, Required: slices.Concat(commonMembers, own.always),
		Properties: map[string]*huma.Schema{},
	}
	for _, name := range slices.Concat(out.Required, own.sometimes) {
		out.Properties[name] = properties[name]
	}
	detail := *properties["detail"]
	if k != insufficientStock { // its example
		detail.Examples = nil
	}
	out.Properties["detail"] = &detail
	example := func(name string, value any) {
		property := *properties[name]
		property.Examples = []any{value}
		if name == "code" {
			property.Enum = []any{value}
		}
		out.Properties[name] = &property
	}
	example("type", k.uri())
	example("title", k.title)
	example("status", k.status)
	example("code", k.code)
	return out
}

// schemaName is InsufficientStockProblem for insufficient_stock.
func (k *kind) schemaName() string {
	var name strings.Builder
	for word := range strings.SplitSeq(k.code, "_") {
		name.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return name.String() + "Problem"
}

func (k *kind) ref() string { return schemaPrefix + k.schemaName() }
