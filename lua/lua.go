// Package lua holds the scripts: every change of a reservation or a level is one of them, atomic,
// for a batch of requests. The texts are the artefact; this file puts them together for loading.
package lua

import (
	"embed"
	"fmt"
	"strconv"
)

//go:embed *.lua
var files embed.FS

// allowOOM lists the scripts that give units back, finish a sale or free memory: they go on when
// Redis has reached its memory limit, so that stock does not stick.
var allowOOM = map[string]bool{
	"confirm": true, "release": true, "expire": true, "fulfill": true, "compensate": true, "revert": true,
	"forget": true, "tend": true, "begin": true, "load": true, "open": true, "repair": true,
}

// shared names the file of what some scripts share, which is put in front of them alone: each function that
// stands in front of a script is made anew by every call of it.
var shared = map[string]string{
	"adjust": "operations", "remove": "operations", "transfer": "operations", "return": "operations",
	"revert": "operations", "compensate": "operations",
	"audit": "auditing", "repair": "auditing",
}

// Names lists the scripts: one for each verb, then those that only the reconciler runs.
func Names() []string {
	return []string{
		"reserve", "confirm", "release", "extend", "fulfill", "move", "return", "expire",
		"adjust", "remove", "transfer",
		"compensate", "revert", "forget", "tend", "begin", "load", "open", "audit", "repair",
	}
}

// Text is the script of that name for an epoch: the prelude, what it shares with some others, and its own.
// The epoch is a literal in it, so a script of one generation can't run as that of another. For real Redis
// it begins with a #!lua line, which has the whole script refused when memory is out, before its first
// write, and undeclared keys refused on a cluster; miniredis can't parse that line, so it is left out there.
func Text(name string, epoch uint64, real bool) (string, error) {
	text := "local EPOCH = '" + strconv.FormatUint(epoch, 10) + "'\n"
	for _, part := range []string{"prelude", shared[name], name} {
		if part == "" {
			continue
		}
		source, err := files.ReadFile(part + ".lua")
		if err != nil {
			return "", fmt.Errorf("script %s: %w", name, err)
		}
		text += string(source)
	}
	switch {
	case !real:
		return text, nil
	case allowOOM[name]:
		return "#!lua flags=allow-oom\n" + text, nil
	default:
		return "#!lua\n" + text, nil
	}
}
