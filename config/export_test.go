package config

// Default is the default of key, as it stands in the table.
func Default(key string) any {
	s, _ := find(key)
	return s.initial
}
