package api

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/internal/directoryfile"
	"github.com/holdfast/holdfast/internal/keys"
	"github.com/holdfast/holdfast/location"
)

// Directories keeps the routing directory.
type Directories interface {
	// Directory returns the current version. Errors: cache.ErrNotFound if there is none.
	Directory(ctx context.Context) (contract.Directory, error)
	// ApplyDirectory makes d the current version if the current version is ifVersion, or if
	// ifVersion is contract.AnyVersion. A directory that equals the current one changes nothing.
	ApplyDirectory(ctx context.Context, d location.Directory, ifVersion int64, by cache.By) (applied contract.Directory, changed bool, err error)
}

// ErrDirectoryIsFile refuses to apply a directory if a file is its only source.
var ErrDirectoryIsFile = errors.New("the directory is a file")

const tagRouting = "Routing"

func (a *API) registerDirectory() {
	register(a, operation{
		id: "directory", method: http.MethodGet, path: "/v1/directory", tag: tagRouting, role: keys.Read, yaml: true,
		summary:     "Get the routing directory",
		description: "Returns JSON, or YAML if the header `Accept` asks for `application/yaml`.",
		answers:     map[int]string{http.StatusOK: "The current version."},
		problems:    []*kind{notFound, notDurableYet},
		missing:     "no directory was applied: every location that has a level serves every channel, in order of id",
	}, a.showDirectory)
	ifMatch := queryParam("If-Match", "The current version that you expect, such as \"3\". Default: any version.")
	ifMatch.In = "header"
	register(a, operation{
		id: "put-directory", method: http.MethodPut, path: "/v1/directory", tag: tagRouting, role: keys.Operate, yaml: true,
		summary: "Replace the routing directory",
		description: "Replaces the whole directory, or nothing. Every server uses it within a second and answers by the " +
			"old version until then. Reservations keep their locations. A directory that equals the current version " +
			"changes nothing.",
		query: []*huma.Param{ifMatch, queryParam("actor", "Who applies the directory. Kept with the version. If the call has a key, the actor is its name, and this counts as on_behalf_of."),
			queryParam("on_behalf_of", "The person for whom the actor applies it. Kept beside the actor.")},
		answers:  map[int]string{http.StatusOK: "The current version."},
		problems: []*kind{malformed, invalidRequest, versionConflict, inUse, directoryIsFile, notDurableYet},
	}, a.putDirectory)
}

func (a *API) showDirectory(r *http.Request, _ *nothing) (reply[contract.Directory], error) {
	if a.options.Directories == nil {
		return reply[contract.Directory]{}, cache.ErrNotFound
	}
	d, err := a.options.Directories.Directory(r.Context())
	if err != nil {
		return reply[contract.Directory]{}, err
	}
	return directoryReply(r, d)
}

func (a *API) putDirectory(r *http.Request, in *contract.DirectoryRequest) (reply[contract.Directory], error) {
	ifVersion, err := expectedVersion(r.Header.Get("If-Match"))
	if err != nil {
		return reply[contract.Directory]{}, err
	}
	query := r.URL.Query()
	for _, name := range []string{"actor", "on_behalf_of"} {
		if wrong := location.TextFault(query.Get(name)); wrong != "" {
			return reply[contract.Directory]{}, invalid("/"+name, wrong)
		}
	}
	if a.options.Directories == nil {
		return reply[contract.Directory]{}, ErrDirectoryIsFile
	}
	applied, changed, err := a.options.Directories.ApplyDirectory(r.Context(), in.Directory, ifVersion,
		by(r.Context(), query.Get("actor"), query.Get("on_behalf_of")))
	if wrong, ok := errors.AsType[*location.InvalidError](err); ok {
		err = &cache.InvalidError{Faults: convert(wrong.Faults, func(f *location.Fault) cache.Fault { return cache.Fault(*f) })}
	}
	if err != nil {
		return reply[contract.Directory]{}, err
	}
	out, err := directoryReply(r, applied)
	out.replay = !changed
	return out, err
}

// versionTag is a version with or without quotes, weak or not.
var versionTag = regexp.MustCompile(`^(?:(?:W/)?"([0-9]+)"|([0-9]+))$`)

// expectedVersion reads If-Match: 3 or "3". None or * is contract.AnyVersion.
func expectedVersion(header string) (int64, error) {
	if header == "" || header == "*" {
		return contract.AnyVersion, nil
	}
	if tag := versionTag.FindStringSubmatch(header); tag != nil {
		if version, err := strconv.ParseInt(tag[1]+tag[2], 10, 64); err == nil {
			return version, nil
		}
	}
	return 0, malformedAt("/If-Match", `must be a version, such as "3"`)
}

// directoryReply answers a version as JSON, or as YAML if the request asks for it.
func directoryReply(r *http.Request, d contract.Directory) (out reply[contract.Directory], err error) {
	out = reply[contract.Directory]{etag: strconv.Quote(strconv.FormatInt(d.Version, 10)), body: d}
	if strings.Contains(r.Header.Get("Accept"), "yaml") {
		out.text, err = directoryfile.Encode(d.Directory)
	}
	return out, err
}

// yamlType is the media type of a directory as people write it.
const yamlType = "application/yaml"

// isYAML accepts the media types in use for YAML.
func isYAML(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && (media == yamlType || media == "application/x-yaml" || media == "text/yaml" || media == "text/x-yaml")
}

// decodeYAML reads a directory in YAML into in. Faults name their line and column. Errors:
// *malformedError, *cache.InvalidError.
func decodeYAML(text []byte, in *contract.DirectoryRequest) (err error) {
	in.Directory, err = directoryfile.Decode("", text)
	wrong, ok := errors.AsType[*directoryfile.Error](err)
	if !ok {
		return err
	}
	faults := convert(wrong.Faults, func(f *directoryfile.Fault) cache.Fault {
		return cache.Fault{Path: f.Path, Message: fmt.Sprintf("line %d, column %d: %s", f.Line, f.Column, f.Message)}
	})
	if wrong.Malformed {
		return &malformedError{reason: "malformed directory: " + faults[0].Message, faults: faults}
	}
	return &cache.InvalidError{Faults: faults}
}
