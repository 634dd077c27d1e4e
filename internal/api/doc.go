// Package api is Holdfast's HTTP interface: the calls of package cache as JSON under /v1, health
// under /livez and /readyz, and their description at /openapi.json and /docs.
//
// Every operation is declared once, as a struct with its Go types. From that come the route, the
// strict decoding of the body, the encoding of the answer and the entry of the OpenAPI document.
// Limits are checked in one place only, in cache; this package tells what is not understood (400)
// from what is not allowed (422), and maps errors to RFC 9457 problems by one table (refusal.go).
package api
