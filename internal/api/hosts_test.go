package api_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holdfast/holdfast/internal/api"
)

// TestHosts checks which names in the header Host a server without keys accepts.
func TestHosts(t *testing.T) {
	loopback := []string{
		"localhost", "LocalHost:8080", "localhost.", "127.0.0.1", "127.0.0.1:1", "127.255.255.254:8080", "[::1]", "[::1]:8080",
		"[::ffff:127.0.0.1]:80", "",
	}
	private := []string{"10.0.0.4:8080", "[fd00::4]:8080", "0.0.0.0:8080", "holdfast:8080", "holdfast"}
	named := []string{"Stock.example.com", "stock.example.com:443", "stock.example.com.:443", "192.0.2.7:8080"}
	foreign := []string{
		"evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example", "a.stock.example.com",
		"stock.example.com.evil.example", "127.0.0.1@evil.example", "evil.example:8080:8080", "localhost.localdomain", "127.0.0.1.nip.io:8080",
	}
	for _, c := range []struct {
		name           string
		hosts          *api.Hosts
		accept, refuse [][]string
	}{
		{"on loopback", &api.Hosts{}, [][]string{loopback}, [][]string{private, named, foreign}},
		{"with names", &api.Hosts{Names: []string{"stock.example.com", "192.0.2.7"}}, [][]string{loopback, named}, [][]string{private, foreign}},
		{"any", nil, [][]string{loopback, private, named, foreign}, nil},
	} {
		store := &fakeStore{}
		handler := api.New(store, api.Options{Hosts: c.hosts})
		check := func(hosts []string, status int, code string) {
			for _, host := range hosts {
				for _, target := range []string{"GET /livez", "GET /v1/stock/TEE-M", "POST /v1/reservations/a/release", "GET /openapi.json", "GET /docs/"} {
					method, path, _ := strings.Cut(target, " ")
					r := httptest.NewRequest(method, path, nil)
					r.Host = host
					w := httptest.NewRecorder()
					store.asked = nil
					handler.ServeHTTP(w, r)
					if w.Code != status || !strings.Contains(w.Body.String(), code) || status == 403 && store.asked != nil {
						t.Errorf("%s: %s with Host %q: %d %.200s", c.name, target, host, w.Code, w.Body)
					}
				}
			}
		}
		for _, hosts := range c.accept {
			check(hosts, 200, "")
		}
		for _, hosts := range c.refuse {
			check(hosts, 403, `"code":"forbidden"`)
		}
	}
}
