package certs

import (
	"crypto/tls"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/holdfast/holdfast/internal/certs/certstest"
)

// shake makes one handshake between the two configurations, and returns the name of the server's
// certificate.
func shake(t *testing.T, server, client *tls.Config) (string, error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	failed := make(chan error, 1)
	go func() {
		connection, err := listener.Accept()
		if err == nil {
			defer func() { _ = connection.Close() }()
			err = tls.Server(connection, server).Handshake()
		}
		failed <- err
	}()
	client = client.Clone()
	client.ServerName = "localhost"
	connection, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	c := tls.Client(connection, client)
	if err := c.Handshake(); err != nil {
		return "", err
	}
	if err := <-failed; err != nil {
		return "", err
	}
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName, nil
}

func TestServer(t *testing.T) {
	dir, later := t.TempDir(), time.Now().Add(time.Hour)
	ours, other := certstest.New(t, dir, "ours"), certstest.New(t, dir, "other")
	cert, key := ours.Issue("server", later)
	clientCert, clientKey := ours.Issue("client", later)
	strangerCert, strangerKey := other.Issue("stranger", later)
	server, err := Files{Cert: cert, Key: key, CA: ours.File}.Server(func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files Files
		want  string // in the error
	}{
		"with a certificate":      {Files{CA: ours.File, Cert: clientCert, Key: clientKey}, ""},
		"without":                 {Files{CA: ours.File}, "didn't provide a certificate"},
		"with one of another CA":  {Files{CA: ours.File, Cert: strangerCert, Key: strangerKey}, "didn't provide a certificate"},
		"who trusts another CA":   {Files{CA: other.File, Cert: clientCert, Key: clientKey}, "unknown authority"},
		"who trusts the system's": {Files{Cert: clientCert, Key: clientKey}, "unknown authority"},
	} {
		client, err := c.files.Client()
		if err != nil {
			t.Fatal(err)
		}
		got, err := shake(t, server, client)
		if c.want == "" && (err != nil || got != "server") || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("a client %s: %q, %v", name, got, err)
		}
	}
}

// TestServer_Renewed reads files again that have changed, and keeps the old ones if it cannot use them.
func TestServer_Renewed(t *testing.T) {
	dir, later := t.TempDir(), time.Now().Add(time.Hour)
	ca := certstest.New(t, dir, "ca")
	cert, key := ca.Issue("old", later)
	var failures []error
	s := &server{files: Files{Cert: cert, Key: key}, failed: func(err error) { failures = append(failures, err) }}
	if err := s.read(); err != nil {
		t.Fatal(err)
	}
	client, err := Files{CA: ca.File}.Client()
	if err != nil {
		t.Fatal(err)
	}
	serves := func(want string) {
		t.Helper()
		s.checked = time.Time{} // as if a second had passed
		if got, err := shake(t, s.current(), client); err != nil || got != want {
			t.Errorf("the server shows %q, %v, want %q", got, err, want)
		}
	}
	serves("old")
	if err := os.WriteFile(cert, []byte("half a fi"), 0o600); err != nil {
		t.Fatal(err)
	}
	serves("old")
	serves("old")
	if len(failures) != 1 {
		t.Errorf("it was told %q, want one failure for each change", failures)
	}
	newCert, newKey := ca.Issue("new", later)
	for from, to := range map[string]string{newCert: cert, newKey: key} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	serves("new")
}

func TestFiles_Faults(t *testing.T) {
	dir, later := t.TempDir(), time.Now().Add(time.Hour)
	ca := certstest.New(t, dir, "ca")
	cert, key := ca.Issue("a", later)
	_, otherKey := ca.Issue("b", later)
	expired, expiredKey := ca.Issue("expired", time.Now().Add(-time.Hour))
	for name, c := range map[string]struct {
		files Files
		want  string
	}{
		"absent":           {Files{Cert: dir + "/none", Key: key}, "/none: no such file"},
		"another key":      {Files{Cert: cert, Key: otherKey}, "b.key: tls: private key does not match public key"},
		"a key for the CA": {Files{Cert: cert, Key: key, CA: key}, "a.key: has no certificate in PEM format"},
		"expired":          {Files{Cert: expired, Key: expiredKey}, "expired.pem: the certificate expired at"},
		"a folder":         {Files{Cert: cert, Key: dir}, "is a folder"},
	} {
		for side, err := range map[string]error{"server": second(c.files.Server(nil)), "client": second(c.files.Client())} {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s, %s: %v", name, side, err)
			}
		}
	}
}

func second(_ *tls.Config, err error) error { return err }
