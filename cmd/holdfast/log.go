package main

import "log/slog"

// logger writes text to a terminal and JSON to everything else.
func (m *Main) logger() *slog.Logger {
	if isTerminal(m.Stderr) {
		return slog.New(slog.NewTextHandler(m.Stderr, nil))
	}
	return slog.New(slog.NewJSONHandler(m.Stderr, nil))
}
