package main

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/api"
	"github.com/holdfast/holdfast/internal/dial"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
	"github.com/holdfast/holdfast/reconcile/ledger/memory"
)

// slowLedger records an audit only when told.
type slowLedger struct {
	ledger.Ledger
	asked, record chan struct{}
}

func (l *slowLedger) BeginAudit(ctx context.Context, a ledger.Audit) error {
	close(l.asked)
	<-l.record
	return l.Ledger.BeginAudit(ctx, a)
}

// TestStartAudit_Twice starts an audit while the ledger records the first: the second call waits
// for it, too.
func TestStartAudit_Twice(t *testing.T) {
	redis, err := dial.Open(config.Endpoint{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = redis.Close() }()
	slow := &slowLedger{memory.New(), make(chan struct{}), make(chan struct{})}
	a, end := newAudits(t.Context(), &audit.Auditor{Client: redis.Client, Ledger: slow}, slog.New(slog.DiscardHandler))
	defer end()

	first, err := a.begin(api.StartAudit{})
	if err != nil {
		t.Fatal(err)
	}
	<-slow.asked
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := a.StartAudit(gone, api.StartAudit{}); !errors.Is(err, context.Canceled) {
		t.Errorf("the second call does not wait: %v", err)
	}
	if _, err := a.StartAudit(gone, api.StartAudit{Repair: true}); !errors.Is(err, api.ErrAuditRuns) {
		t.Errorf("another audit: %v", err)
	}
	close(slow.record)
	<-first.recorded
	if found, err := a.Audit(t.Context(), first.id, "", 1); err != nil || found.ID != first.id {
		t.Errorf("%v: %s, want %s", err, found.ID, first.id)
	}
}
