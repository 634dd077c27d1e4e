package api_test

import (
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/holdfast/holdfast/cache"
	"github.com/holdfast/holdfast/internal/api"
)

func ExampleNew() {
	var store api.Store = &fakeStore{result: cache.Result{Reservation: held}} // or cache.New(…)
	handler := api.New(store, api.Options{Version: "1.0.0"})

	request := httptest.NewRequest("POST", "/v1/reservations",
		strings.NewReader(`{"id": "ord-1001", "lines": [{"line": "1", "sku": "TEE-M", "quantity": 2}]}`))
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, request)
	fmt.Println(answer.Code, answer.Header().Get("Location"))
	// Output: 201 /v1/reservations/ord-1001
}
