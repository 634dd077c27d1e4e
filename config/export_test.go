package config

// Default returns the default of key.
func Default(key string) any {
	s, _ := find(key)
	return s.initial
}
