package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/holdfast/holdfast/internal/inputfile"
)

// setPostgres checks that raw is a URL that libpq accepts. Only connecting can check the rest.
func setPostgres(to *Secret, raw any) error {
	text, ok := raw.(string)
	if !ok {
		return errPostgres
	}
	if text != "" {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || !postgresHosts(u) {
			return errPostgres // the error of url.Parse would print the password
		}
	}
	*to = Secret(text)
	return nil
}

// postgresFile limits the files that the Postgres driver reads.
var postgresFile = inputfile.Kind{Name: "a certificate, key or password file", BytesMax: 1 << 20}

// postgresFiles maps the options of a URL that name a file to the variables that do.
var postgresFiles = map[string]string{
	"sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY",
	"passfile": "PGPASSFILE", "servicefile": "PGSERVICEFILE",
}

// checkPostgresFiles refuses a file that the driver would read without end.
func checkPostgresFiles(address Secret, env []string) error {
	u, err := url.Parse(string(address))
	if address == "" || err != nil {
		return nil
	}
	for _, option := range slices.Sorted(maps.Keys(postgresFiles)) {
		path := u.Query().Get(option)
		for _, pair := range env {
			if value, found := strings.CutPrefix(pair, postgresFiles[option]+"="); found && path == "" {
				path = value
			}
		}
		if path == "" {
			continue
		}
		if _, err := postgresFile.Read(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // the driver tells what is missing
			return fmt.Errorf("names a file with %s that cannot be read: it %s", option, reason(err))
		}
	}
	return nil
}

// postgresHosts reports whether u names hosts, or the folder of a socket, and nothing else in their
// place: errors print them.
func postgresHosts(u *url.URL) bool {
	named := u.Host + u.Query().Get("host")
	return named != "" && strings.Trim(named, hostCharacters+"/,:[]%") == ""
}

var errPostgres = errors.New("must be a URL, such as postgres://user:password@127.0.0.1:5432/holdfast " +
	"(in a password, percent-encode / ? # @ : and %)")
