package dial

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast/holdfast/config"
)

func TestOpenEmbedded(t *testing.T) {
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
		t.Error("another time-out than that of the call's context")
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if err := r.Client.Ping(ctx).Err(); err == nil {
		t.Error("the client answers after Close")
	}
}

func TestOpenDoesNotWaitForRedis(t *testing.T) {
	r, err := Open(config.Endpoint{Hosts: []string{"127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	started := time.Now()
	if err := r.Client.Ping(context.Background()).Err(); err == nil {
		t.Error("nothing listens there, and yet it answers")
	}
	if took := time.Since(started); took > 2*dialTimeout {
		t.Errorf("one failed call took %v: it was sent more than once", took)
	}
}

func TestOptions(t *testing.T) {
	e := config.Endpoint{Hosts: []string{"h:1"}, TLS: true, Username: "u", Password: "p", Database: 3}
	single, ok := client(e).(*redis.Client)
	if !ok {
		t.Fatal("one host is not a plain client")
	}
	defer func() { _ = single.Close() }()
	o := single.Options()
	if o.Addr != "h:1" || o.Username != "u" || o.Password != "p" || o.DB != 3 || o.TLSConfig == nil {
		t.Error("the endpoint did not reach the options")
	}
	if o.MaxRetries != 0 { // what go-redis makes of -1
		t.Errorf("MaxRetries is %d: a command could be sent twice", o.MaxRetries)
	}
	e.Hosts = append(e.Hosts, "h:2")
	cluster, ok := client(e).(*redis.ClusterClient)
	if !ok {
		t.Fatal("two hosts are not a cluster client")
	}
	defer func() { _ = cluster.Close() }()
	if c := cluster.Options(); c.MaxRedirects != 0 || c.MaxRetries > 0 {
		t.Errorf("MaxRedirects is %d, MaxRetries %d: a command could be sent twice", c.MaxRedirects, c.MaxRetries)
	}
}
