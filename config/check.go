package config

import (
	"net"
	"net/netip"
	"slices"
)

// check refuses values that are allowed alone but not together. It skips a key that already has a
// fault, because its intended value is unknown.
func (l *loader) check(c Config) {
	if !l.anyBad("reservation.ttl", "reservation.ttl_max") && c.Reservation.TTL > c.Reservation.TTLMax {
		l.refuse("reservation.ttl", "must be at most reservation.ttl_max, which is "+plain(c.Reservation.TTLMax))
	}
	if l.anyBad("http.listen") || loopback(c.HTTP.Listen) {
		return
	}
	if !l.anyBad("redis.url") && c.Redis.Endpoint.Embedded() {
		l.refuse("http.listen", "must be a loopback address, such as 127.0.0.1:8080, while redis.url is empty: "+
			"the embedded engine is only for trials; set redis.url for real use")
	}
	if !l.anyBad("auth.mode", "http.allow_insecure") && c.Auth.Mode == AuthOff && !c.HTTP.AllowInsecure {
		l.refuse("http.listen", "must be a loopback address, such as 127.0.0.1:8080, while auth.mode is off: "+
			"anyone who reaches the address can change stock; "+
			"set http.allow_insecure to true if only trusted machines can reach it")
	}
}

func (l *loader) anyBad(keys ...string) bool {
	return slices.ContainsFunc(keys, func(key string) bool { return l.bad[key] })
}

// loopback reports whether only this machine can reach address. It looks up no names but
// localhost, because the answer could change later.
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
