// Package contract holds the JSON bodies of the HTTP API: what a request and an answer may contain.
// Package api serves them and describes them by their tags, clients/go sends and reads them.
// The OpenAPI document names each schema by its Go type.
package contract

// The limits of a call.
const (
	BodyBytesMax = 1 << 20 // the body of a request
	CountsMax    = 500     // counts in a CountsRequest
	LevelPageMax = 500     // levels in a LevelPage
)

// ProblemType is the media type of every answer that is not a success.
const ProblemType = "application/problem+json"

// PatchType is the media type of a JSON Merge Patch. A call with PATCH takes application/json as well.
const PatchType = "application/merge-patch+json"

// ReplayHeader is "true" on an answer if the same request was answered before and nothing changed.
const ReplayHeader = "Idempotent-Replay"
