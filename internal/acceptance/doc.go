// Package acceptance tests the program from outside. The tests build it, run `holdfast serve` on the
// embedded engine and on a real Redis, and check each promise of the HTTP API. They import no package that
// serves. They check every answer against the OpenAPI document of the program that gave it.
package acceptance
