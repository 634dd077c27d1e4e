package config

// Default is the default of key, as it stands in the table.
func Default(key string) any {
	s, _ := find(key)
	return s.initial
}

// Names returns the environment variable and the flag of a setting.
func Names(key string) (variable, flag string) {
	s, _ := find(key)
	return s.variable(), s.flag()
}
