// Package doctest runs the snippets of the README and of the pages in docs, and compares their outputs.
//
// The language of a fenced block decides its check:
//
//	sh       is run, block after block, in one shell for the page; see shell_test.go
//	console  is the output of the sh block before it
//	json     is the JSON output of the sh block before it; the page may leave out fields
//	go       is part of an Example in cache or reconcile, word for word
//	yaml     is parsed
//
// Blocks of another language are only read by people.
package doctest
