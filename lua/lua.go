// Package lua holds the scripts: every change of a reservation or a level is one of them, atomic,
// for a batch of requests. The texts are the artefact; this file puts them together for loading.
package lua

import (
	"embed"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

//go:embed *.lua
var files embed.FS

// allowOOM lists the scripts that give units back, finish a sale or free memory: they go on when
// Redis has reached its memory limit, so that stock does not stick.
var allowOOM = map[string]bool{
	"confirm": true, "release": true, "expire": true, "fulfill": true, "compensate": true, "revert": true,
	"forget": true, "tend": true, "begin": true, "load": true, "open": true, "repair": true,
}

// put is a line of a script that says which files stand there in its place.
var put = regexp.MustCompile(`(?m)^ *--@ ([a-z ]+)\n`)

// bare lists the scripts that need nothing of the prelude: it would cost them more than they do themselves.
var bare = map[string]bool{"glance": true}

// Names lists the scripts: one for each verb, then those that only the reconciler runs.
func Names() []string {
	return []string{
		"reserve", "glance", "confirm", "release", "extend", "fulfill", "move", "return", "expire",
		"adjust", "remove", "transfer",
		"compensate", "revert", "forget", "tend", "begin", "load", "open", "audit", "repair",
	}
}

// Text is the script of that name for an epoch: the prelude, and its own text with what it has put in. The
// epoch is a literal in it, so a script of one generation can't run as that of another. For real Redis
// it begins with a #!lua line, which has the whole script refused when memory is out, before its first
// write, and undeclared keys refused on a cluster; miniredis can't parse that line, so it is left out there.
func Text(name string, epoch uint64, real bool) (string, error) {
	prelude, err1 := files.ReadFile("prelude.lua")
	own, err2 := read(name)
	if err := errors.Join(err1, err2); err != nil {
		return "", fmt.Errorf("script %s: %w", name, err)
	}
	if bare[name] {
		prelude = nil
	}
	text := "local EPOCH = '" + strconv.FormatUint(epoch, 10) + "'\n" + string(prelude) + own
	switch {
	case !real:
		return text, nil
	case allowOOM[name]:
		return "#!lua flags=allow-oom\n" + text, nil
	default:
		return "#!lua\n" + text, nil
	}
}

// read reads a script, with what it has put in.
func read(name string) (string, error) {
	source, err := files.ReadFile(name + ".lua")
	if err != nil {
		return "", err
	}
	text := put.ReplaceAllStringFunc(string(source), func(line string) (all string) {
		for _, part := range strings.Fields(put.FindStringSubmatch(line)[1]) {
			text, missing := files.ReadFile(part + ".lua")
			err = errors.Join(err, missing)
			all += string(text)
		}
		return all
	})
	return text, err
}
