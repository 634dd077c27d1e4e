package main

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

const progressEvery = 100 * time.Millisecond

// progress is a bar on standard error, which nobody sees but on a terminal.
func (m *Main) progress(total int, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions(total,
		progressbar.OptionSetWriter(m.Stderr),
		progressbar.OptionSetVisibility(isTerminal(m.Stderr)),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(progressEvery),
		progressbar.OptionFullWidth(),
		progressbar.OptionClearOnFinish(),
	)
}
