package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/api"
	"github.com/holdfast/holdfast/internal/keys"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// access is who may call the API. A page of another site has no key, so with keys every name of the
// server is accepted.
type access struct {
	ring   *keys.Ring // nil: everybody
	hosts  *api.Hosts // nil: any
	follow *keys.Follow
	people *keys.People // nil: nobody signs in
}

// openKeys reads the keys for the first time, if callers need one. It refuses a file with faults. Keys of
// a ledger that does not answer yet are read later; until then calls are refused.
func openKeys(ctx context.Context, c config.Config, ledger ledger.Ledger, logger *slog.Logger) (*access, error) {
	if c.Auth.Mode == config.AuthOff {
		if !c.Redis.Endpoint.Embedded() {
			logger.Warn("auth.mode is off: every program on this machine can change stock")
		}
		return &access{hosts: &api.Hosts{Names: c.HTTP.Hosts}}, nil
	}
	ring := &keys.Ring{Rate: c.Auth.Rate}
	a := &access{ring: ring, follow: &keys.Follow{Ring: ring, Logger: logger}}
	if c.Auth.KeysFile != "" {
		file := keys.File{Path: c.Auth.KeysFile}
		if _, err := file.Keys(ctx); err != nil {
			return nil, err
		}
		a.follow.Sources = append(a.follow.Sources, file)
	}
	people, err := openPeople(c.Auth)
	if err != nil {
		return nil, err
	}
	a.people = people
	if source, ok := ledger.(keys.Source); ok {
		a.follow.Sources = append(a.follow.Sources, source)
	}
	if err := a.follow.Once(ctx); err != nil {
		logger.Warn("the keys cannot be read yet: calls are refused until they can", "error", err)
	}
	return a, nil
}

// openPeople returns the check of people's tokens, or nil if nobody signs in.
func openPeople(c config.Auth) (*keys.People, error) {
	if c.OIDC.Issuer == "" {
		return nil, nil
	}
	p := &keys.People{Issuer: c.OIDC.Issuer, Audience: c.OIDC.Audience, Claim: c.OIDC.Claim, Rate: c.Rate, Roles: map[string]keys.Role{}}
	for group, role := range c.OIDC.Roles {
		if !slices.Contains(keys.Roles, keys.Role(role)) {
			return nil, fmt.Errorf("auth.oidc.roles: there is no role %q: use one of %s", role, keys.RoleNames())
		}
		p.Roles[group] = keys.Role(role)
	}
	return p, nil
}

// run follows the keys until ctx ends.
func (a *access) run(ctx context.Context) {
	if a.follow != nil {
		a.follow.Run(ctx)
	}
}
