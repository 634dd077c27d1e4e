package api

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Hosts are the names and addresses that callers may send in the header Host, with any port. A page
// of another site can make a browser on this machine reach the server (DNS rebinding), but the
// browser then sends a name of that site. The names of loopback are always among them.
type Hosts struct {
	Names []string // further names and addresses
}

// accept reports whether the header Host of a request names this server. Browsers never leave it
// empty.
func (h *Hosts) accept(header string) bool {
	host, _, err := net.SplitHostPort(header)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(header, "["), "]")
	}
	host = strings.TrimSuffix(host, ".")
	switch addr, err := netip.ParseAddr(host); {
	case host == "", strings.EqualFold(host, "localhost"):
		return true
	case slices.ContainsFunc(h.Names, func(name string) bool { return strings.EqualFold(name, host) }):
		return true
	case err == nil:
		return addr.Unmap().IsLoopback()
	}
	return false
}
