package api

import (
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"github.com/swaggest/swgui/v5emb"

	"github.com/holdfast/holdfast/internal/keys"
)

// registerDocs serves the OpenAPI document, a readable page of it, and the page that explains the
// kinds of problems. Everything is embedded, so nothing needs the internet.
func (a *API) registerDocs() {
	openAnswers(a.document)
	document, err := a.document.MarshalJSON()
	if err != nil {
		panic(err) // our own types always encode
	}
	a.handle(http.MethodGet, "/openapi.json", keys.Open, func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = jsonTypeHeader
		_, _ = w.Write(document)
	})
	page := v5emb.New("Holdfast", "/openapi.json", "/docs")
	a.handle(http.MethodGet, "/docs", keys.Open, page.ServeHTTP)
	a.handle(http.MethodGet, "/docs/", keys.Open, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == problemPage+"/" {
			problems(w, r)
			return
		}
		page.ServeHTTP(w, r)
	})
	a.handle(http.MethodGet, problemPage, keys.Open, problems)
}

// problems serves the page that explains every kind of problem.
func problems(w http.ResponseWriter, _ *http.Request) {
	type row struct {
		Code, Status string
		Doc          template.HTML
		Fields       []string // that only this kind has
	}
	rows := convert(kinds, func(k **kind) row {
		doc := codeSpan.ReplaceAllString(template.HTMLEscapeString((*k).doc), "<code>$1</code>")
		return row{
			(*k).code, strconv.Itoa((*k).status) + " " + http.StatusText((*k).status), template.HTML(doc), //nolint:gosec // escaped
			slices.Concat(kindMembers[*k].always, kindMembers[*k].sometimes),
		}
	})
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = problemTemplate.Execute(w, rows) // an error means that the caller is gone
}

var codeSpan = regexp.MustCompile("`([^`]*)`")

var problemTemplate = template.Must(template.New("problems").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Holdfast: problems</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:46em;margin:2em auto;padding:0 1em}
:target{background:#fff3c4}</style></head>
<body><h1>Problems</h1>
<p>Every answer that is not a success is a problem. Programs should read its <code>code</code>.</p>
{{range .}}<section id="{{.Code}}"><h2><code>{{.Code}}</code></h2>
<p><b>{{.Status}}.</b> {{.Doc}}</p>
{{with .Fields}}<p>Fields: {{range .}}<code>{{.}}</code> {{end}}</p>{{end}}</section>
{{end}}</body></html>
`))
