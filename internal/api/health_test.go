package api_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/api"
)

func TestHealth(t *testing.T) {
	store := &fakeStore{}
	var degraded []string
	handler := api.New(store, api.Options{Degraded: func() []string { return degraded }, Logger: quiet})
	check := func(path string, status int, body string) {
		t.Helper()
		if w := send(handler, "GET", path, ""); w.Code != status || !strings.Contains(w.Body.String(), body) {
			t.Errorf("%s: %d %s, want %d %s", path, w.Code, w.Body, status, body)
		}
	}
	check("/livez", 200, `{"status":"ok"}`+"\n")
	check("/readyz", 200, `{"status":"ok","degraded":[]}`+"\n")
	degraded = []string{"postgres is unreachable"}
	check("/readyz", 200, `{"status":"ok","degraded":["postgres is unreachable"]}`+"\n")
	for err, code := range map[error]string{
		cache.ErrUnavailable:        "unavailable",
		cache.ErrRebuilding:         "rebuilding",
		cache.ErrBacklogFull:        "backlog_full",
		context.DeadlineExceeded:    "unavailable",
		errors.New("something new"): "unavailable",
	} {
		store.ready = fmt.Errorf("ready: %w", err)
		check("/readyz", 503, `"detail":"ready: `+err.Error()+`","code":"`+code+`"`)
		check("/livez", 200, `{"status":"ok"}`)
	}
	store.ready = nil
	handler.Drain()
	check("/readyz", 503, `"detail":"the server is shutting down","code":"unavailable"`)
	check("/livez", 200, `{"status":"ok"}`)
	check("/v1/stock", 200, `{"levels":[]}`)
}
