// Package lua holds the Redis scripts. Each change of a reservation or a level is one script, which
// is atomic and takes a batch of requests.
//
// A file whose header lists its input and output is a script; Names lists them all. prelude.lua stands
// in front of each script. The other files are parts: a script names those that it needs in a line such
// as "--@ records limits".
package lua

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

//go:embed *.lua
var files embed.FS

// allowOOM lists the scripts that release units, finish a sale or free memory. They run even when
// Redis has reached its memory limit, so that stock does not get stuck.
var allowOOM = map[string]bool{
	"confirm": true, "release": true, "amend": true, "expire": true, "fulfill": true, "compensate": true, "revert": true,
	"forget": true, "housekeep": true, "begin": true, "load": true, "open": true, "adopt": true, "repair": true,
}

// include matches the line of a script that names the parts to put in its place.
var include = regexp.MustCompile(`(?m)^ *--@ ([a-z ]+)\n`)

// bare lists the scripts without the prelude, which would cost them more than they do themselves.
var bare = map[string]bool{"probe": true}

// Names lists the scripts: first the verbs of the cache, then those that only the reconciler runs.
func Names() []string {
	return []string{
		"reserve", "probe", "confirm", "release", "extend", "fulfill", "move", "return", "unfulfill", "describe", "amend", "expire",
		"adjust", "remove", "transfer",
		"compensate", "revert", "forget", "housekeep", "begin", "load", "open", "adopt", "audit", "repair",
	}
}

// Text returns the text of the named script for an epoch: the prelude, then the script with its parts.
// The epoch is a literal in the text, so a script can't run in another epoch. For a real Redis the text
// begins with a #!lua line. With it Redis refuses the whole script if memory is out, and undeclared
// keys on a cluster. miniredis can't parse that line.
func Text(name string, epoch uint64, real bool) (string, error) {
	all, err := bodies()
	if err == nil && all[name] == "" {
		err = fs.ErrNotExist
	}
	if err != nil {
		return "", fmt.Errorf("script %s: %w", name, err)
	}
	text := "local EPOCH = '" + strconv.FormatUint(epoch, 10) + "'\n" + all[name]
	switch {
	case !real:
		return text, nil
	case allowOOM[name]:
		return "#!lua flags=allow-oom\n" + text, nil
	default:
		return "#!lua\n" + text, nil
	}
}

// bodies returns the text of each script behind its epoch: the prelude, then the script with its parts.
// It reads the files once.
var bodies = sync.OnceValues(func() (map[string]string, error) {
	prelude, err := files.ReadFile("prelude.lua")
	all := map[string]string{}
	for _, name := range Names() {
		own, missing := read(name)
		err = errors.Join(err, missing)
		if all[name] = string(prelude) + own; bare[name] {
			all[name] = own
		}
	}
	return all, err
})

// read returns a script's own text with its parts in place.
func read(name string) (string, error) {
	source, err := files.ReadFile(name + ".lua")
	if err != nil {
		return "", err
	}
	text := include.ReplaceAllStringFunc(string(source), func(line string) (all string) {
		for _, part := range strings.Fields(include.FindStringSubmatch(line)[1]) {
			text, missing := files.ReadFile(part + ".lua")
			err = errors.Join(err, missing)
			all += string(text)
		}
		return all
	})
	return text, err
}
