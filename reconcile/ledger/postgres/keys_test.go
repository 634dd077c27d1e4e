package postgres_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/keys"
	"github.com/holdfast/holdfast/internal/pgtest"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

// newKey returns a key with a name, and its text.
func newKey(name string) (keys.Key, string) {
	id, text := keys.Generate()
	return keys.Key{ID: id, Name: name, Roles: []keys.Role{keys.Sell}, Channels: []string{"web"}, Hash: keys.HashOf(text), Rate: 7, CreatedBy: "anna"}, text
}

// TestKeys makes, rotates and revokes keys, and checks what a server accepts after each step.
func TestKeys(t *testing.T) {
	l, err := postgres.Open(pgtest.Database(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	follow := &keys.Follow{Ring: &keys.Ring{}, Sources: []keys.Source{l}}
	check := func(step, text string, after time.Duration, want error) {
		t.Helper()
		if err := follow.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := follow.Ring.Check(text, time.Now().Add(after)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", step, err, want)
		}
	}
	first, text := newKey("checkout-eu")
	first.ExpiresAt = time.Now().Add(90 * 24 * time.Hour).UTC().Truncate(time.Second)
	check("before it is made", text, 0, keys.ErrUnknown)
	if err := l.CreateKey(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	check("made", text, 0, nil)
	check("after 91 days", text, 91*24*time.Hour, keys.ErrExpired)
	same, _ := newKey("checkout-eu")
	if err := l.CreateKey(t.Context(), same); !errors.Is(err, postgres.ErrKeyName) {
		t.Errorf("the same name again: %v", err)
	}

	next, nextText := newKey("")
	made, err := l.RotateKey(t.Context(), "checkout-eu", next, time.Hour)
	if err != nil || made.Name != "checkout-eu" || made.Rate != 7 || !slices.Equal(made.Channels, first.Channels) || made.ExpiresAt.Before(first.ExpiresAt.Add(-time.Hour)) {
		t.Fatalf("%+v %v", made, err)
	}
	check("the old key, rotated", text, 0, nil)
	check("the old key after the overlap", text, 2*time.Hour, keys.ErrExpired)
	check("the new key", nextText, 2*time.Hour, nil)

	if _, err := l.RevokeKey(t.Context(), "checkout-eu", "ben"); !errors.Is(err, postgres.ErrKeySeveral) {
		t.Errorf("revoked one of two keys by its name: %v", err)
	}
	if revoked, err := l.RevokeKey(t.Context(), first.ID, "ben"); err != nil || revoked.ID != first.ID {
		t.Errorf("%+v %v", revoked, err)
	}
	check("the old key, revoked", text, 0, keys.ErrRevoked)
	check("the new key", nextText, 0, nil)
	for _, key := range []string{first.ID, "nobody"} {
		if _, err := l.RevokeKey(t.Context(), key, "ben"); !errors.Is(err, postgres.ErrKeyMissing) {
			t.Errorf("revoked %s again: %v", key, err)
		}
		if _, err := l.RotateKey(t.Context(), key, same, 0); !errors.Is(err, postgres.ErrKeyMissing) {
			t.Errorf("rotated %s: %v", key, err)
		}
	}
	list, err := l.Keys(t.Context())
	if err != nil || len(list) != 2 || list[0].CreatedBy != "anna" || list[0].RevokedBy != "ben" || list[0].RevokedAt.IsZero() || !list[1].RevokedAt.IsZero() {
		t.Errorf("%+v %v", list, err)
	}
}
