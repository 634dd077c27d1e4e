package api_test

import (
	"testing"

	"github.com/holdfast/holdfast/cache"
)

func TestRemove(t *testing.T) {
	const target = "/v1/stock/TEE-M/a%2Fb"
	asked := cache.RemoveRequest{SKU: "TEE-M", Location: "a/b"}
	for _, e := range []exchange{
		{name: "done", method: "DELETE", target: target, asked: asked, status: 204, headers: map[string]string{"Content-Type": ""}},
		{
			name: "no such level", method: "DELETE", target: target, asked: asked, store: fakeStore{err: cache.ErrNotFound}, status: 404,
			answer: `{"type":"/docs/problems#not_found","title":"Not found","status":404,"detail":"no such level","code":"not_found"}` + "\n",
		},
		{
			name: "in use", method: "DELETE", target: target, asked: asked, status: 409,
			store: fakeStore{err: &cache.InUseError{What: "TEE-M at a/b", Committed: 5}},
			answer: `{"type":"/docs/problems#in_use","title":"In use","status":409,"detail":"in use: TEE-M at a/b has 0 units held and 5 committed",` +
				`"code":"in_use","held":0,"committed":5}` + "\n",
		},
	} {
		t.Run(e.name, e.run)
	}
}
