package holdfast

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/holdfast/holdfast/internal/contract"
	"github.com/holdfast/holdfast/location"
)

// Route explains how a reservation would be served. request is a *RouteRequest or its JSON.
func (c *Client) Route(ctx context.Context, request any) (out Route, err error) {
	_, err = c.call(ctx, http.MethodPost, "/v1/route", request, &out)
	return out, err
}

// Availability reads what a channel can sell, for product pages.
func (c *Client) Availability(ctx context.Context, r AvailabilityRequest) (out Availability, err error) {
	_, err = c.call(ctx, http.MethodPost, "/v1/availability", r, &out)
	return out, err
}

const directoryPath = "/v1/directory"

// Directory reads the current version of the routing directory.
func (c *Client) Directory(ctx context.Context) (out Directory, err error) {
	_, err = c.call(ctx, http.MethodGet, directoryPath, nil, &out)
	return out, err
}

// ApplyDirectory makes d the current version if the current version is ifVersion, or if ifVersion
// is AnyVersion. A replay means that the current version equals d.
func (c *Client) ApplyDirectory(ctx context.Context, d location.Directory, ifVersion int64, actor string) (out Directory, replay bool, err error) {
	header := http.Header{}
	if ifVersion != contract.AnyVersion {
		header.Set("If-Match", strconv.Quote(strconv.FormatInt(ifVersion, 10)))
	}
	path := directoryPath
	if actor != "" {
		path += "?" + url.Values{"actor": {actor}}.Encode()
	}
	replay, err = c.callWith(ctx, header, http.MethodPut, path, d, &out)
	return out, replay, err
}

// StartAudit starts an audit. It carries no id: while the audit runs, a repeat is answered CodeUnavailable.
func (c *Client) StartAudit(ctx context.Context, r AuditRequest) (out Audit, err error) {
	_, err = c.call(ctx, http.MethodPost, "/v1/audits", r, &out)
	return out, err
}

// Audit reads an audit and one page of its findings. The parameters of query are those of GET /v1/audits/{id}.
func (c *Client) Audit(ctx context.Context, id string, query url.Values) (out Audit, err error) {
	_, err = c.call(ctx, http.MethodGet, "/v1/audits/"+url.PathEscape(id)+"?"+query.Encode(), nil, &out)
	return out, err
}

// Changes reads one page of the changes of stock, of the directory and of keys, and of the repairs, the
// newest first. Its parameters are those of GET /v1/changes.
func (c *Client) Changes(ctx context.Context, query url.Values) (out ChangePage, err error) {
	_, err = c.call(ctx, http.MethodGet, "/v1/changes?"+query.Encode(), nil, &out)
	return out, err
}
