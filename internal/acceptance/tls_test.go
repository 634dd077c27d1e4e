package acceptance

import (
	"crypto/tls"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/certs"
	"github.com/holdfast/holdfast/internal/certs/certstest"
	"github.com/holdfast/holdfast/internal/redistest"
)

// secureRedis is a Redis with TLS that asks its clients for a certificate, and a certificate for them.
type secureRedis struct {
	*redistest.Secure
	url           string
	ca, cert, key string
	authority     *certstest.Authority
}

func startSecure(t *testing.T) *secureRedis {
	t.Helper()
	ca := certstest.New(t, t.TempDir(), "ca")
	s := &secureRedis{authority: ca, ca: ca.File}
	serverCert, serverKey := ca.Issue("redis", time.Now().Add(time.Hour))
	s.cert, s.key = ca.Issue("holdfast", time.Now().Add(time.Hour))
	s.Secure = redistest.StartSecure(t, serverCert, serverKey, ca.File)
	s.url = "rediss://" + s.TLSAddr()
	return s
}

// env returns the settings of a program that uses this Redis, with its certificate or with none.
func (s *secureRedis) env(cert string) []string {
	env := []string{"HOLDFAST_REDIS_TLS_CA=" + s.ca}
	if cert != "" {
		env = append(env, "HOLDFAST_REDIS_TLS_CERT="+cert, "HOLDFAST_REDIS_TLS_KEY="+s.key)
	}
	return env
}

// TestTLS serves HTTPS to callers with a certificate, on a Redis with TLS, and takes up a renewed
// certificate while it runs.
func TestTLS(t *testing.T) {
	t.Parallel()
	redis := startSecure(t)
	cert, key := redis.authority.Issue("server", time.Now().Add(time.Hour))
	p := startAs(t, onRedis, "--redis-url="+redis.url, "--redis-tls-ca="+redis.ca, "--redis-tls-cert="+redis.cert, "--redis-tls-key="+redis.key,
		"--postgres-url="+ledger(t), "--http-tls-cert="+cert, "--http-tls-key="+key, "--http-tls-client-ca="+redis.ca)
	caller, err := certs.Files{CA: redis.ca, Cert: redis.cert, Key: redis.key}.Client()
	if err != nil {
		t.Fatal(err)
	}
	p.url, p.durable = "https://"+p.address, true
	p.http.Transport = &http.Transport{TLSClientConfig: caller, DisableCompression: true}
	await(t, "the stock to open", func() bool { return p.send(t, get("/readyz")).status == 200 })
	p.do(t, "given", level("A", "berlin", 2))
	p.do(t, "when", hold("o", "A", 1))
	p.do(t, "when", transition("confirm", "o", "").is(200, ""))

	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: caller.RootCAs}}}
	if answer, err := stranger.Get(p.url + "/readyz"); err == nil {
		_ = answer.Body.Close()
		t.Errorf("a caller without a certificate gets %s", answer.Status)
	}

	renewed, renewedKey := redis.authority.Issue("renewed", time.Now().Add(time.Hour))
	replace(t, renewed, cert)
	replace(t, renewedKey, key)
	await(t, "the server to show the renewed certificate", func() bool {
		connection, err := tls.Dial("tcp", p.address, caller)
		if err != nil {
			return false
		}
		defer func() { _ = connection.Close() }()
		return connection.ConnectionState().PeerCertificates[0].Subject.CommonName == "renewed"
	})
}

func replace(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}
