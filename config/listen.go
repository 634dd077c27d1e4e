package config

import (
	"errors"
	"net"
	"net/netip"
)

func setListen(to *string, raw any) error {
	text, ok := raw.(string)
	if !ok {
		return errors.New("must be HOST:PORT in quotes, such as 127.0.0.1:8080")
	}
	_, port, err := net.SplitHostPort(text)
	if err != nil || !validPort(port, 0) {
		return errors.New("must be HOST:PORT, such as 127.0.0.1:8080")
	}
	*to = text
	return nil
}

// loopback reports whether only this machine can reach address. A name other than localhost is
// not looked up: what it means tomorrow is not known today.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
