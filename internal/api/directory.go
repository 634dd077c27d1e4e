package api

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/directory"
	"github.com/holdfast/holdfast/location"
)

// Directories keeps the routing directory.
type Directories interface {
	// Directory is the current version. ErrNotFound where there is none.
	Directory(ctx context.Context) (AppliedDirectory, error)
	// ApplyDirectory makes d the current version, where that is ifVersion; AnyVersion does not ask. One
	// that says what the current one says changes nothing.
	ApplyDirectory(ctx context.Context, d location.Directory, ifVersion int64, actor string) (applied AppliedDirectory, changed bool, err error)
}

// AppliedDirectory is a version of the routing directory.
type AppliedDirectory struct {
	location.Directory
	Version   int64
	Actor     string
	AppliedAt time.Time
}

// AnyVersion has a directory applied whatever the current version is.
const AnyVersion = -1

// ErrDirectoryIsFile refuses to apply a directory where a file is the only source of it.
var ErrDirectoryIsFile = errors.New("the directory is a file")

// Directory is the routing directory as an answer has it.
type Directory struct {
	location.Directory
	Version   int64  `json:"version" minimum:"1" example:"3" doc:"One more with each change; also the ETag."`
	Actor     string `json:"actor,omitempty" example:"anna" doc:"Who applied it."`
	AppliedAt string `json:"applied_at" format:"date-time"`

	_ struct{} `additionalProperties:"true"`
}

// DirectoryRequest is the body of a PUT. What an answer has besides may be sent back with it.
type DirectoryRequest struct {
	location.Directory
	Version   *Whole `json:"version,omitempty" doc:"Not looked at: the header If-Match is."`
	Actor     string `json:"actor,omitempty" doc:"Not looked at: the parameter actor is."`
	AppliedAt string `json:"applied_at,omitempty" doc:"Not looked at."`
}

// yamlType is the media type of a directory as people write it.
const yamlType = "application/yaml"

// isYAML accepts the names that YAML goes by.
func isYAML(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == yamlType || media == "application/x-yaml" || media == "text/yaml" || media == "text/x-yaml")
}

// decodeYAML reads a body in YAML; what is wrong is told with its line.
func (in *DirectoryRequest) decodeYAML(text []byte) error {
	d, err := directory.Decode(text)
	wrong, ok := errors.AsType[*directory.Error](err)
	switch {
	case err == nil:
		in.Directory = d
		return nil
	case !ok:
		return err
	}
	faults := make([]cache.Fault, len(wrong.Faults))
	for i, f := range wrong.Faults {
		faults[i] = cache.Fault{Path: f.Path, Message: fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, f.Message)}
	}
	if wrong.Malformed {
		return &malformedError{reason: "the directory is not understood: " + faults[0].Message, faults: faults}
	}
	return &cache.InvalidError{Faults: faults}
}

const tagRouting = "Routing"

func (a *API) registerDirectory() {
	register(a, operation{
		id: "directory", method: http.MethodGet, path: "/v1/directory", tag: tagRouting, yaml: true,
		summary:     "The routing directory",
		description: "As JSON, or as YAML to a call that accepts `application/yaml`.",
		answers:     map[int]string{http.StatusOK: "The current version."},
		problems:    []*kind{notFound, notDurableYet},
		missing:     directoryMissing,
	}, a.showDirectory)
	register(a, operation{
		id: "put-directory", method: http.MethodPut, path: "/v1/directory", tag: tagRouting, yaml: true,
		summary: "Replace the routing directory",
		description: "As a whole, or not at all. It is in use everywhere within a second; the old version answers until " +
			"then. Reservations keep their locations. What the current version says already changes nothing.",
		query: []*huma.Param{
			{Name: "If-Match", In: "header", Description: "The version it must have now; left out, none is asked for.", Schema: &huma.Schema{Type: huma.TypeString}},
			{Name: "actor", In: "query", Description: "Who applies it; kept with the version.", Schema: &huma.Schema{Type: huma.TypeString}},
		},
		answers:  map[int]string{http.StatusOK: "The version that is current now."},
		problems: []*kind{malformed, invalidRequest, versionConflict, inUse, directoryIsFile, notDurableYet},
	}, a.putDirectory)
}

const directoryMissing = "no directory was applied: every location that has a level serves every channel, in order of id"

func (a *API) showDirectory(r *http.Request, _ *nothing) (reply[Directory], error) {
	if a.options.Directories == nil {
		return reply[Directory]{}, cache.ErrNotFound
	}
	d, err := a.options.Directories.Directory(r.Context())
	if err != nil {
		return reply[Directory]{}, err
	}
	return directoryReply(r, d)
}

func (a *API) putDirectory(r *http.Request, in *DirectoryRequest) (reply[Directory], error) {
	ifVersion, err := ifMatch(r.Header.Get("If-Match"))
	if err != nil {
		return reply[Directory]{}, err
	}
	actor, err := actorOf(r)
	if err != nil {
		return reply[Directory]{}, err
	}
	if a.options.Directories == nil {
		return reply[Directory]{}, ErrDirectoryIsFile
	}
	applied, changed, err := a.options.Directories.ApplyDirectory(r.Context(), in.Directory, ifVersion, actor)
	if err != nil {
		return reply[Directory]{}, directoryRefusal(err)
	}
	out, err := directoryReply(r, applied)
	out.replay = !changed
	return out, err
}

// actorOf is who applies a directory, as the query says.
func actorOf(r *http.Request) (actor string, err error) {
	if err := readQuery(r.URL.RawQuery, nil, map[string]func(string){"actor": func(v string) { actor = v }}); err != nil {
		return "", err
	}
	if faults := cache.ActorFaults(actor); faults != nil {
		return "", &cache.InvalidError{Faults: faults}
	}
	return actor, nil
}

// directoryRefusal is what is wrong with a directory as what is wrong with any request.
func directoryRefusal(err error) error {
	invalid, ok := errors.AsType[*location.InvalidError](err)
	if !ok {
		return err
	}
	faults := make([]cache.Fault, len(invalid.Faults))
	for i, f := range invalid.Faults {
		faults[i] = cache.Fault(f)
	}
	return &cache.InvalidError{Faults: faults}
}

// ifMatch reads the version that a header asks for: 3 or "3"; none or * is any.
func ifMatch(header string) (int64, error) {
	if header == "" || header == "*" {
		return AnyVersion, nil
	}
	version, err := strconv.ParseInt(strings.Trim(strings.TrimPrefix(header, "W/"), `"`), 10, 64)
	if err != nil || version < 0 {
		return 0, malformedAt("/If-Match", `must be a version, such as "3"`)
	}
	return version, nil
}

// directoryReply answers a version as JSON, or as YAML where that is asked for.
func directoryReply(r *http.Request, d AppliedDirectory) (out reply[Directory], err error) {
	out = reply[Directory]{etag: strconv.Quote(strconv.FormatInt(d.Version, 10)), body: Directory{
		Directory: d.Directory, Version: d.Version, Actor: d.Actor, AppliedAt: formatTime(d.AppliedAt),
	}}
	if strings.Contains(r.Header.Get("Accept"), "yaml") {
		if out.text, err = directory.Encode(d.Directory); err != nil {
			return reply[Directory]{}, err
		}
	}
	return out, nil
}
