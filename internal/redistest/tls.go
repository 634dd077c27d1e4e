package redistest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/holdfast/holdfast/internal/testserver"
)

// Secure is a redis-server that also listens with TLS, on the port after its own. Its clients must have
// a certificate of its authority.
type Secure struct{ Server }

// TLSAddr returns the address with TLS.
func (s *Secure) TLSAddr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port+1)) }

// StartSecure starts a redis-server with a certificate, its key and its authority, which are PEM files.
func StartSecure(tb testing.TB, cert, key, ca string) *Secure {
	tb.Helper()
	p := program(nil, false)
	p.Ports = 2
	p.Prepare = func(dir string) error { // the server may run as a user who cannot read the files
		for from, to := range map[string]string{cert: "cert.pem", key: "key.pem", ca: "ca.pem"} {
			text, err := os.ReadFile(from)
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, to), text, 0o644); err != nil {
				return err
			}
		}
		return nil
	}
	p.Command = func(s *testserver.Server) (*exec.Cmd, error) {
		return command(s, []string{
			"--tls-port", strconv.Itoa(s.Port + 1), "--tls-cert-file", filepath.Join(s.Dir, "cert.pem"),
			"--tls-key-file", filepath.Join(s.Dir, "key.pem"), "--tls-ca-cert-file", filepath.Join(s.Dir, "ca.pem"),
		}, false)
	}
	return &Secure{Server{testserver.Start(tb, p)}}
}
