package config

// check refuses what is allowed alone but not together. It says nothing about keys that already
// have a fault: what they were meant to be is not known.
func (l *loader) check(c Config) {
	if !l.anyBad("reservation.ttl", "reservation.ttl_max") && c.Reservation.TTL > c.Reservation.TTLMax {
		l.refuse("reservation.ttl", "must be at most reservation.ttl_max, which is "+plain(c.Reservation.TTLMax))
	}
	if l.anyBad("http.listen") || loopback(c.HTTP.Listen) {
		return
	}
	if !l.anyBad("redis.url") && c.Redis.Endpoint.Embedded() {
		l.refuse("http.listen", "must be on loopback, such as 127.0.0.1:8080, while redis.url is empty: "+
			"the embedded engine is for trying out; set redis.url for real use")
	}
	if !l.anyBad("auth.mode", "http.allow_insecure") && c.Auth.Mode == AuthOff && !c.HTTP.AllowInsecure {
		l.refuse("http.listen", "must be on loopback, such as 127.0.0.1:8080, while auth.mode is off: "+
			"anybody who reaches it could change stock; set http.allow_insecure to true "+
			"where only trusted machines can")
	}
}

func (l *loader) anyBad(keys ...string) bool {
	for _, key := range keys {
		if l.bad[key] {
			return true
		}
	}
	return false
}
