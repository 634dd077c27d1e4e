// Package dial opens the Redis that a configuration names, or an embedded one. Its clients never send
// a command twice: only package cache knows which commands are safe to repeat.
package dial

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/certs"
)

const (
	never       = -1                     // go-redis: no retry, no redirect, no time-out
	dialTimeout = 500 * time.Millisecond // a new connection
	ioTimeout   = 500 * time.Millisecond // one read or write; a script takes a few ms at most
	poolSize    = 32                     // connections; calls are batched, so few suffice
	protocol    = 2                      // RESP2: cheapest to read, and nothing here needs RESP3
	lookEvery   = 5 * time.Second        // a cluster client asks which nodes are the primaries
)

// The client library writes to standard error. Everything that matters is also the error of a call.
func init() { logging.Disable() }

// Redis is an open client and the embedded server behind it, if there is one.
type Redis struct {
	Client   redis.UniversalClient
	Embedded bool // the server is in this process and keeps nothing across a restart

	server   *miniredis.Miniredis // nil unless Embedded
	endpoint config.Endpoint
	secure   *tls.Config // nil without TLS
}

// Open returns a client for endpoint. If the endpoint names no server, Open starts an embedded one on a
// free loopback port. It does not wait for a Redis elsewhere to answer, which may start later.
func Open(endpoint config.Endpoint) (*Redis, error) {
	if !endpoint.Embedded() {
		secure, err := TLS(endpoint)
		if err != nil {
			return nil, err
		}
		return &Redis{Client: client(endpoint, secure), endpoint: endpoint, secure: secure}, nil
	}
	server, err := miniredis.Run()
	if err != nil {
		return nil, fmt.Errorf("start the embedded engine: %w", err)
	}
	here := options(config.Endpoint{Hosts: []string{server.Addr()}}, nil)
	// No network can lose an answer here. On a busy machine it is late, but it comes. The context of
	// each call still bounds the wait.
	here.ReadTimeout, here.WriteTimeout = never, never
	return &Redis{Client: redis.NewClient(here.Simple()), Embedded: true, server: server}, nil
}

// Close closes the client, then stops the embedded server.
func (r *Redis) Close() error {
	err := r.Client.Close()
	if r.server != nil {
		r.server.Close()
	}
	return err
}

// client returns a client for a Redis elsewhere.
func client(e config.Endpoint, secure *tls.Config) redis.UniversalClient {
	o := options(e, secure)
	switch {
	case e.Primary != "":
		o.MasterName, o.SentinelUsername, o.SentinelPassword = e.Primary, e.SentinelUsername, string(e.SentinelPassword)
		return redis.NewFailoverClient(o.Failover())
	case e.Cluster():
		cluster := o.Cluster()
		cluster.ClusterStateReloadInterval = lookEvery
		return redis.NewClusterClient(cluster)
	default:
		return redis.NewClient(o.Simple())
	}
}

// TLS returns how to speak TLS with the endpoint, or nil if it has none. It fails if the files of
// redis.tls cannot be used.
func TLS(e config.Endpoint) (*tls.Config, error) {
	if !e.TLS {
		return nil, nil
	}
	// No ServerName: each connection checks the name of the host that it dials.
	c, err := certs.Files(e.TLSFiles).Client()
	if err != nil {
		return nil, fmt.Errorf("redis.tls: %w", err)
	}
	return c, nil
}

func options(e config.Endpoint, secure *tls.Config) *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Addrs:                    e.Hosts,
		Username:                 e.Username,
		Password:                 string(e.Password),
		DB:                       e.Database, // ignored by a cluster
		Protocol:                 protocol,
		TLSConfig:                secure,
		MaxRetries:               never,
		MaxRedirects:             never,
		DialerRetries:            1,
		DialTimeout:              dialTimeout,
		ReadTimeout:              ioTimeout,
		WriteTimeout:             ioTimeout,
		ContextTimeoutEnabled:    true,
		PoolSize:                 poolSize,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}
