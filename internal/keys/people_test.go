package keys

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/holdfast/holdfast/internal/keys/keystest"
)

// people returns the check of a server whose warehouse ships.
func people(p *keystest.Provider) *People {
	return &People{Issuer: p.URL, Audience: "holdfast", Claim: "groups", Roles: map[string]Role{"warehouse": Ship}}
}

func TestPeople(t *testing.T) {
	p := keystest.StartProvider(t)
	checked, token := people(p), p.Sign(p.Key, jose.ES256, "k1", p.Claims(nil))
	for range 3 {
		c, err := checked.Check(t.Context(), token, time.Now())
		if err != nil || c.Name != "ann@example.com" || !reflect.DeepEqual(c.Roles, []Role{Ship, Read}) {
			t.Fatalf("%+v, %v", c, err)
		}
	}
	if n := p.Fetched.Load(); n != 1 {
		t.Errorf("the keys of the provider were fetched %d times", n)
	}
	if _, err := checked.Check(t.Context(), token, time.Now().Add(2*time.Hour)); !errors.Is(err, ErrToken) || !strings.Contains(err.Error(), "expired") {
		t.Errorf("a token that was right before it expired: %v", err)
	}
	if !IsToken(token) || IsToken("hf_a.b.c") || IsToken("x") {
		t.Error("tokens and keys are not told apart")
	}
}

// TestPeople_Refused refuses every token that the provider has not made for this server and this time.
func TestPeople_Refused(t *testing.T) {
	p := keystest.StartProvider(t)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	body, err := json.Marshal(p.Claims(nil))
	if err != nil {
		t.Fatal(err)
	}
	with := func(name string, value any) string {
		return p.Sign(p.Key, jose.ES256, "k1", p.Claims(map[string]any{name: value}))
	}
	good := p.Sign(p.Key, jose.ES256, "k1", p.Claims(nil))
	for name, token := range map[string]string{
		"no signature":        encode([]byte(`{"alg":"none"}`)) + "." + encode(body) + ".",
		"a shared secret":     p.Sign([]byte(strings.Repeat("s", 32)), jose.HS256, "k1", p.Claims(nil)),
		"another key":         p.Sign(other, jose.ES256, "k1", p.Claims(nil)),
		"an unknown key id":   p.Sign(other, jose.ES256, "k2", p.Claims(nil)),
		"another algorithm":   p.Sign(rsaKey, jose.RS256, "k1", p.Claims(nil)),
		"another audience":    with("aud", "shop"),
		"no audience":         with("aud", nil),
		"another issuer":      with("iss", "https://example.com"),
		"expired":             with("exp", time.Now().Add(-time.Minute).Unix()),
		"no expiry":           with("exp", nil),
		"not yet valid":       with("nbf", time.Now().Add(time.Hour).Unix()),
		"no role":             with("groups", []string{"other"}),
		"a claim of no texts": with("groups", 7),
		"a changed body":      strings.Join([]string{strings.Split(good, ".")[0], encode([]byte(`{"sub":"u-2"}`)), strings.Split(good, ".")[2]}, "."),
		"no token":            "a.b.c",
		"too long":            good + strings.Repeat("x", tokenBytesMax),
	} {
		if c, err := people(p).Check(t.Context(), token, time.Now()); !errors.Is(err, ErrToken) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

// TestPeople_ProviderDown refuses calls until the provider answers, and asks it once in a while.
func TestPeople_ProviderDown(t *testing.T) {
	p := keystest.StartProvider(t)
	checked, token := people(p), p.Sign(p.Key, jose.ES256, "k1", p.Claims(nil))
	p.Down.Store(true)
	now := time.Now()
	if _, err := checked.Check(context.Background(), token, now); !errors.Is(err, ErrNoProvider) {
		t.Errorf("the provider is down: %v", err)
	}
	p.Down.Store(false)
	if _, err := checked.Check(context.Background(), token, now); !errors.Is(err, ErrNoProvider) {
		t.Errorf("it is asked again at once: %v", err)
	}
	if _, err := checked.Check(context.Background(), token, now.Add(discoverEvery)); err != nil {
		t.Errorf("the provider is back: %v", err)
	}
}

// TestPersonName records a name that nobody can choose freely.
func TestPersonName(t *testing.T) {
	for _, c := range []struct {
		claims        map[string]any
		subject, want string
	}{
		{map[string]any{"email": "a@b.c", "email_verified": true}, "u", "a@b.c"},
		{map[string]any{"email": "a@b.c", "email_verified": false}, "u", "u"},
		{map[string]any{"email": "a@b.c"}, "u", "u"},
		{map[string]any{"email": "a b\n@c", "email_verified": true}, "u", "u"},
	} {
		if got := personName(c.claims, c.subject); got != c.want {
			t.Errorf("%v: %q, want %q", c.claims, got, c.want)
		}
	}
	if got := personName(nil, "auth0|1"); !validName.MatchString(got) || got == personName(nil, "auth0|2") {
		t.Errorf("a subject that is no name: %q", got)
	}
}
