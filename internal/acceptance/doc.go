// Package acceptance holds no code: its tests build the program, run `holdfast serve` on the
// embedded engine and on a real Redis, and go through the contract sentence by sentence over HTTP.
// They know the program only from outside: no package that serves is imported. Whatever is
// answered is also held against the OpenAPI document of the very program that answered it.
package acceptance
