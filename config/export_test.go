package config

// Default returns the default of key.
func Default(key string) any {
	s, _ := find(key)
	return s.initial
}

// Names returns the environment variable and the flag of a setting.
func Names(key string) (variable, flag string) {
	s, _ := find(key)
	return s.variable(), s.flag()
}
