// Package dial opens the Redis that a configuration names, or an embedded one, with a client that
// is not helpful: it never sends a command twice, because only package cache knows what may be.
package dial

import (
	"crypto/tls"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/holdfast/holdfast/config"
)

const (
	never       = -1                     // go-redis: no retry, no redirect, no time-out
	dialTimeout = 500 * time.Millisecond // a new connection
	ioTimeout   = 500 * time.Millisecond // one read or write; a script takes a few at most
	poolSize    = 32                     // connections; calls share few, because they are batched
	protocol    = 2                      // RESP2: cheapest to read, and nothing here needs RESP3
)

// Redis is an open client, and what must be closed with it.
type Redis struct {
	Client   redis.UniversalClient
	Embedded bool // the server is in this process and nothing survives a restart

	server *embedded // nil unless Embedded
}

// Open makes a client for endpoint, and starts the embedded server where the endpoint names none.
// It does not wait for a Redis elsewhere to answer: one that is down now may be up later.
func Open(endpoint config.Endpoint) (*Redis, error) {
	if !endpoint.Embedded() {
		return &Redis{Client: client(endpoint)}, nil
	}
	server, err := startEmbedded()
	if err != nil {
		return nil, fmt.Errorf("start the embedded engine: %w", err)
	}
	here := singleOptions(config.Endpoint{Hosts: []string{server.address()}})
	// No network to lose an answer: on a busy machine it is late, but it comes. The context of each
	// call still bounds it.
	here.ReadTimeout, here.WriteTimeout = never, never
	return &Redis{Client: redis.NewClient(here), Embedded: true, server: server}, nil
}

// Close closes the client, then stops the embedded server.
func (r *Redis) Close() error {
	err := r.Client.Close()
	if r.server != nil {
		r.server.stop()
	}
	return err
}

func client(e config.Endpoint) redis.UniversalClient {
	if e.Cluster() {
		return redis.NewClusterClient(clusterOptions(e))
	}
	return redis.NewClient(singleOptions(e))
}

func singleOptions(e config.Endpoint) *redis.Options {
	return &redis.Options{
		Addr:                     e.Hosts[0],
		Username:                 e.Username,
		Password:                 string(e.Password),
		DB:                       e.Database,
		TLSConfig:                tlsConfig(e),
		Protocol:                 protocol,
		MaxRetries:               never,
		DialerRetries:            1,
		DialTimeout:              dialTimeout,
		ReadTimeout:              ioTimeout,
		WriteTimeout:             ioTimeout,
		ContextTimeoutEnabled:    true,
		PoolSize:                 poolSize,
		DisableIdentity:          true,
		MaintNotificationsConfig: noNotifications(),
	}
}

func clusterOptions(e config.Endpoint) *redis.ClusterOptions {
	return &redis.ClusterOptions{
		Addrs:                    e.Hosts,
		Username:                 e.Username,
		Password:                 string(e.Password),
		TLSConfig:                tlsConfig(e),
		Protocol:                 protocol,
		MaxRedirects:             never,
		MaxRetries:               never,
		DialerRetries:            1,
		DialTimeout:              dialTimeout,
		ReadTimeout:              ioTimeout,
		WriteTimeout:             ioTimeout,
		ContextTimeoutEnabled:    true,
		PoolSize:                 poolSize,
		DisableIdentity:          true,
		MaintNotificationsConfig: noNotifications(),
	}
}

func noNotifications() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}

// tlsConfig names no server: each connection checks the name of the host it was dialled to.
func tlsConfig(e config.Endpoint) *tls.Config {
	if !e.TLS {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12}
}
