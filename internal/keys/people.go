package keys

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const (
	discoverTimeout = 5 * time.Second
	discoverEvery   = 5 * time.Second // after a failure
	tokenBytesMax   = 16 << 10
	tokensMax       = 10_000 // whose signatures are known to be right
)

// algorithms lists the signatures that count. "none" and those with a shared secret do not.
var algorithms = []string{oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA}

// ErrToken refuses a token of a person. The error that wraps it says why.
var ErrToken = errors.New("the token does not count: sign in again")

// ErrNoProvider is the failure of a call whose token cannot be checked yet.
var ErrNoProvider = errors.New("the sign-in provider does not answer: try again later")

// People checks the tokens of people who signed in at an OpenID Connect provider. It is safe for
// concurrent use.
type People struct {
	Issuer   string          // URL of the provider
	Audience string          // that a token must name
	Claim    string          // of a token, with names of roles or groups
	Roles    map[string]Role // of each group; the name of a role means that role
	Rate     int             // requests a second of each person; 0: any number
	Client   *http.Client    // nil: the default

	discovery sync.Mutex
	verifier  *oidc.IDTokenVerifier
	tried     time.Time // the last discovery that failed

	mu     sync.Mutex
	people map[string]*Caller // by subject
	tokens map[Hash]*signedIn // whose signature was checked
}

// signedIn is a token that counts until it expires.
type signedIn struct {
	caller  *Caller
	expires time.Time
}

// IsToken reports whether text is a token rather than a key.
func IsToken(text string) bool {
	return !strings.HasPrefix(text, prefix) && strings.Count(text, ".") == 2
}

// Check returns the person who has a token. It checks the signature once for each token: that takes a
// request to the provider if its keys are not known. Errors, in order of precedence: ErrNoProvider,
// ErrToken.
func (p *People) Check(ctx context.Context, token string, now time.Time) (*Caller, error) {
	if len(token) > tokenBytesMax {
		return nil, fmt.Errorf("%w: it is longer than %d bytes", ErrToken, tokenBytesMax)
	}
	hash := HashOf(token)
	p.mu.Lock()
	known := p.tokens[hash]
	p.mu.Unlock()
	if known == nil {
		var err error
		if known, err = p.verify(ctx, token, now); err != nil {
			return nil, err
		}
		p.remember(hash, known)
	}
	if !now.Before(known.expires) {
		return nil, fmt.Errorf("%w: it expired at %s", ErrToken, known.expires.UTC().Format(time.RFC3339))
	}
	return known.caller, nil
}

// remember keeps a token whose signature is right. Tokens come and go, so those of before go at times.
func (p *People) remember(hash Hash, s *signedIn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tokens == nil || len(p.tokens) >= tokensMax {
		p.tokens = map[Hash]*signedIn{}
	}
	p.tokens[hash] = s
}

// verify checks the signature, the issuer, the audience and the time of a token.
func (p *People) verify(ctx context.Context, token string, now time.Time) (*signedIn, error) {
	verifier, err := p.discover(now)
	if err != nil {
		return nil, err
	}
	checked, err := verifier.Verify(ctx, token)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	var claims map[string]any
	if err := checked.Claims(&claims); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	k := Key{ID: checked.Subject, Name: personName(claims, checked.Subject), Roles: p.rolesOf(claims), Rate: p.Rate, ExpiresAt: checked.Expiry}
	if len(k.Roles) == 0 {
		return nil, fmt.Errorf("%w: its claim %s names no role of Holdfast: ask the operator for one", ErrToken, p.Claim)
	}
	return &signedIn{p.caller(k), checked.Expiry}, nil
}

// caller returns the person of a token. All tokens of a person share a limit.
func (p *People) caller(k Key) *Caller {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := newCaller(k)
	if before := p.people[k.ID]; before != nil {
		c.use = before.use
	}
	if p.people == nil || len(p.people) >= tokensMax {
		p.people = map[string]*Caller{}
	}
	p.people[k.ID] = c
	return c
}

// discover asks the provider for its keys' address, once it is needed.
func (p *People) discover(now time.Time) (*oidc.IDTokenVerifier, error) {
	p.discovery.Lock()
	defer p.discovery.Unlock()
	if p.verifier != nil {
		return p.verifier, nil
	}
	if now.Sub(p.tried) < discoverEvery {
		return nil, ErrNoProvider
	}
	client := p.Client
	if client == nil {
		client = &http.Client{Timeout: discoverTimeout}
	}
	// The verifier goes on using this context to fetch keys.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.Background(), client), p.Issuer)
	if err != nil {
		p.tried = now
		return nil, fmt.Errorf("%w: %w", ErrNoProvider, err)
	}
	p.verifier = provider.Verifier(&oidc.Config{ClientID: p.Audience, SupportedSigningAlgs: algorithms})
	return p.verifier, nil
}

// rolesOf returns the roles that a claim names, each once. The claim is text or a list of texts.
func (p *People) rolesOf(claims map[string]any) []Role {
	var names []string
	switch value := claims[p.Claim].(type) {
	case string:
		names = strings.Fields(value)
	case []any:
		for _, v := range value {
			if name, ok := v.(string); ok {
				names = append(names, name)
			}
		}
	}
	var roles []Role
	for _, name := range names {
		role, mapped := p.Roles[name]
		if !mapped && slices.Contains(Roles, Role(name)) {
			role = Role(name)
		}
		if role != "" && !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	return roles
}

// personName returns the name that is recorded with what a person changes.
func personName(claims map[string]any, subject string) string {
	if claims["email_verified"] == true {
		if email, ok := claims["email"].(string); ok && len(email) <= NameBytesMax && validName.MatchString(email) {
			return email
		}
	}
	if len(subject) <= NameBytesMax && validName.MatchString(subject) {
		return subject
	}
	hash := HashOf(subject)
	return fmt.Sprintf("person-%x", hash[:8])
}
