// Package api is Holdfast's HTTP interface: the calls of package cache as JSON under /v1, health
// under /livez and /readyz, and their description at /openapi.json and /docs.
//
// Every operation is declared once, with the Go types of its body and its answer from package
// contract. The declaration yields the route, the strict decoding of the body, the encoding of the
// answer and the entry in the OpenAPI document. Package cache alone checks limits. This package
// tells a request that is not understood (400) from one that is not allowed (422), and maps errors
// to RFC 9457 problems by one table in refusal.go.
package api
