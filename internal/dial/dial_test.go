package dial

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/certs/certstest"
	"github.com/holdfast/holdfast/internal/faultproxy"
	"github.com/holdfast/holdfast/internal/redistest"
	"github.com/holdfast/holdfast/internal/testserver"
)

func TestOpen_Embedded(t *testing.T) {
	r, err := Open(config.Endpoint{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	got, err := r.Client.Eval(ctx, "return redis.call('INCR', KEYS[1])", []string{"k"}).Int()
	if err != nil || got != 1 {
		t.Errorf("got %d, %v", got, err)
	}
	if !r.Embedded {
		t.Error("Embedded is false")
	}
	if o := r.Client.(*redis.Client).Options(); o.ReadTimeout > 0 || o.WriteTimeout > 0 || !o.ContextTimeoutEnabled {
		t.Error("a call is bounded by more than its context")
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Client.Ping(ctx).Err(); err == nil {
		t.Error("the client answers after Close")
	}
}

func TestOpen_NothingListens(t *testing.T) {
	r, err := Open(config.Endpoint{Hosts: []string{"127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if err := r.Client.Ping(context.Background()).Err(); err == nil {
		t.Error("a ping was answered though nothing listens on port 1")
	}
}

func TestOpen_SendsOnce(t *testing.T) {
	proxy := faultproxy.New(t, redistest.Start(t).Addr())
	r, err := Open(config.Endpoint{Hosts: []string{proxy.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	proxy.CutReplies(10, "incr")
	// On a busy machine a call can end before it is sent.
	testserver.Await(func() bool {
		err = r.Client.Incr(context.Background(), "count").Err()
		return err == nil || proxy.Cuts() > 0
	})
	if got := proxy.Cuts(); got != 1 || err == nil {
		t.Errorf("one call was sent %d times, and returned %v", got, err)
	}
}

func TestOptions(t *testing.T) {
	e := config.Endpoint{Hosts: []string{"h:1"}, TLS: true, Username: "u", Password: "p", Database: 3}
	opened, err := Open(e)
	if err != nil {
		t.Fatal(err)
	}
	single, ok := opened.Client.(*redis.Client)
	if !ok {
		t.Fatal("one host is not a plain client")
	}
	defer func() { _ = single.Close() }()
	o := single.Options()
	if o.Addr != "h:1" || o.Username != "u" || o.Password != "p" || o.DB != 3 || o.TLSConfig == nil {
		t.Error("the endpoint did not reach the options")
	}
	if o.DialerRetries != 1 {
		t.Errorf("DialerRetries is %d: a call dials more than once", o.DialerRetries)
	}
	if o.MaxRetries != 0 { // go-redis turns -1 into 0
		t.Errorf("MaxRetries is %d: a command could be sent twice", o.MaxRetries)
	}
	e.Hosts = append(e.Hosts, "h:2")
	if opened, err = Open(e); err != nil {
		t.Fatal(err)
	}
	cluster, ok := opened.Client.(*redis.ClusterClient)
	if !ok {
		t.Fatal("two hosts are not a cluster client")
	}
	defer func() { _ = cluster.Close() }()
	if c := cluster.Options(); c.MaxRedirects != 0 || c.MaxRetries > 0 {
		t.Errorf("MaxRedirects is %d, MaxRetries %d: a command could be sent twice", c.MaxRedirects, c.MaxRetries)
	}
}

// TestOpen_TLS calls a Redis with a private authority that asks for a certificate.
func TestOpen_TLS(t *testing.T) {
	dir, later := t.TempDir(), time.Now().Add(time.Hour)
	ours, other := certstest.New(t, dir, "ours"), certstest.New(t, dir, "other")
	serverCert, serverKey := ours.Issue("redis", later)
	cert, key := ours.Issue("client", later)
	server := redistest.StartSecure(t, serverCert, serverKey, ours.File)
	for name, c := range map[string]struct {
		files config.TLSFiles
		works bool
	}{
		"with a certificate":     {config.TLSFiles{CA: ours.File, Cert: cert, Key: key}, true},
		"without a certificate":  {config.TLSFiles{CA: ours.File}, false},
		"with another authority": {config.TLSFiles{CA: other.File, Cert: cert, Key: key}, false},
		"with those of the host": {config.TLSFiles{Cert: cert, Key: key}, false},
	} {
		r, err := Open(config.Endpoint{Hosts: []string{server.TLSAddr()}, TLS: true, TLSFiles: c.files})
		if err != nil {
			t.Fatal(err)
		}
		if c.works { // on a busy machine a handshake can take longer than one call waits
			testserver.Await(func() bool { err = r.Client.Ping(t.Context()).Err(); return err == nil })
		} else {
			err = r.Client.Ping(t.Context()).Err()
		}
		if (err == nil) != c.works {
			t.Errorf("%s: %v", name, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	_, err := Open(config.Endpoint{Hosts: []string{server.TLSAddr()}, TLS: true, TLSFiles: config.TLSFiles{CA: key}})
	if err == nil || !strings.Contains(err.Error(), "redis.tls: ") {
		t.Errorf("a key in place of an authority: %v", err)
	}
}
