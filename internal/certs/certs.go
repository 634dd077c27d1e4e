// Package certs makes TLS configurations from the files of operators. A server reads its files again
// when they change.
package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/holdfast/holdfast/internal/inputfile"
)

// pemFile limits the size of a file with keys or certificates.
var pemFile = inputfile.Kind{Name: "a certificate", BytesMax: 1 << 20}

// checkEvery is how often a server looks whether its files have changed. It looks at the next handshake
// after that time.
const checkEvery = time.Second

// Files names PEM files. CA may be empty. Cert and Key are given together.
type Files struct {
	Cert string // certificate, followed by the intermediate ones
	Key  string
	CA   string // for a server: who signs the certificates of clients; for a client: who signs that of the server
}

// Client returns the configuration of a client. Without CA it trusts the authorities that the system
// trusts. With Cert it shows that certificate to a server that asks for one.
func (f Files) Client() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.CA != "" {
		pool, err := readPool(f.CA)
		if err != nil {
			return nil, err
		}
		c.RootCAs = pool
	}
	if f.Cert != "" || f.Key != "" {
		pair, err := f.readPair()
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// Server returns the configuration of a server. With CA, every client must have a certificate that the
// CA has signed. Files that change are read again; if they cannot be used, failed is told, and the
// server goes on with the old ones.
func (f Files) Server(failed func(error)) (*tls.Config, error) {
	s := &server{files: f, failed: failed}
	if err := s.read(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return s.current(), nil },
	}, nil
}

// server keeps the configuration of its files.
type server struct {
	files  Files
	failed func(error)

	mu      sync.Mutex
	config  *tls.Config
	checked time.Time
	stamp   string // of the files that config was read from, or that could not be used
}

func (s *server) current() *tls.Config {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.checked) < checkEvery {
		return s.config
	}
	s.checked = time.Now()
	if s.files.stamp() != s.stamp {
		if err := s.read(); err != nil {
			s.failed(err)
		}
	}
	return s.config
}

func (s *server) read() error {
	s.stamp = s.files.stamp()
	pair, err := s.files.readPair()
	if err != nil {
		return err
	}
	c := &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}, Certificates: []tls.Certificate{pair},
	}
	if s.files.CA != "" {
		if c.ClientCAs, err = readPool(s.files.CA); err != nil {
			return err
		}
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	s.config = c
	return nil
}

// stamp changes when a file does.
func (f Files) stamp() string {
	var out string
	for _, path := range []string{f.Cert, f.Key, f.CA} {
		if info, err := os.Stat(path); err == nil {
			out += fmt.Sprint(info.ModTime().UnixNano(), info.Size())
		}
		out += ";"
	}
	return out
}

func (f Files) readPair() (tls.Certificate, error) {
	cert, err := pemFile.Read(f.Cert)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := pemFile.Read(f.Key)
	if err != nil {
		return tls.Certificate{}, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("%s and %s: %w", f.Cert, f.Key, err)
	}
	if left := time.Until(pair.Leaf.NotAfter); left <= 0 {
		return tls.Certificate{}, fmt.Errorf("%s: the certificate expired at %s: renew it", f.Cert, pair.Leaf.NotAfter.UTC().Format(time.RFC3339))
	}
	return pair, nil
}

func readPool(path string) (*x509.CertPool, error) {
	text, err := pemFile.Read(path)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New(path + ": has no certificate in PEM format")
	}
	return pool, nil
}
