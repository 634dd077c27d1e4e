package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/holdfast/holdfast/location"
)

// Directory is a version of the routing directory.
type Directory struct {
	location.Directory
	Version   int64     `json:"version"`
	Actor     string    `json:"actor,omitempty"`
	AppliedAt time.Time `json:"applied_at"`
}

const directoryPath = "/v1/directory"

// Directory reads the current version.
func (c *Client) Directory(ctx context.Context) (Directory, error) {
	var out Directory
	_, err := c.call(ctx, http.MethodGet, directoryPath, nil, &out)
	return out, err
}

// AnyVersion has a directory applied whatever the current version is.
const AnyVersion = -1

// ApplyDirectory makes d the current version, where that is ifVersion; replay says that it said the same
// already. It is safe to repeat.
func (c *Client) ApplyDirectory(ctx context.Context, d location.Directory, ifVersion int64, actor string) (out Directory, replay bool, err error) {
	header := http.Header{}
	if ifVersion != AnyVersion {
		header.Set("If-Match", strconv.Quote(strconv.FormatInt(ifVersion, 10)))
	}
	path := directoryPath
	if actor != "" {
		path += "?" + url.Values{"actor": {actor}}.Encode()
	}
	replay, err = c.callWith(ctx, header, http.MethodPut, path, d, &out)
	return out, replay, err
}
