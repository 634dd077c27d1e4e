package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	holdfast "github.com/holdfast/holdfast/clients/go"
	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/inputfile"
)

const (
	serverFlag  = "server"
	keyFileFlag = "key-file"
)

// addServer gives the commands below c the flags --server and --key-file.
func addServer(c *cobra.Command) *cobra.Command {
	c.PersistentFlags().String(serverFlag, "",
		"`URL` of the server to call (default "+config.ServerVariable+", else http.listen of the configuration)")
	c.PersistentFlags().String(keyFileFlag, "", "`FILE` with the key to send (default the key in "+config.KeyVariable+")")
	return c
}

// calling completes c, a command that calls a server: it adds --format, and runs c by run.
func (m *Main) calling(
	c *cobra.Command, run func(ctx context.Context, server *holdfast.Client, args []string, f format) error,
) *cobra.Command {
	f := addFormat(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		server, err := m.client(c)
		if err != nil {
			return err
		}
		return run(c.Context(), server, args, *f)
	}
	return c
}

// client returns a client of the server that c calls.
func (m *Main) client(c *cobra.Command) (*holdfast.Client, error) {
	server, err := m.server(c)
	if err != nil {
		return nil, err
	}
	key, err := m.key(c)
	if err != nil {
		return nil, err
	}
	return holdfast.New(server, holdfast.Options{Key: key})
}

// keyFile limits the size of a file with a key.
var keyFile = inputfile.Kind{Name: "a file with a key", BytesMax: 4 << 10}

// key returns the key that c sends, or "".
func (m *Main) key(c *cobra.Command) (string, error) {
	path, err := c.Flags().GetString(keyFileFlag)
	if err != nil {
		return "", err
	}
	if path == "" {
		return config.Trim(m.variable(config.KeyVariable)), nil
	}
	text, err := keyFile.Read(path)
	if err != nil {
		return "", fmt.Errorf("--%s: %w", keyFileFlag, err)
	}
	return config.Trim(string(text)), nil
}

// server returns the URL of the server that c calls.
func (m *Main) server(c *cobra.Command) (string, error) {
	server, err := c.Flags().GetString(serverFlag)
	if err != nil {
		return "", err
	}
	if server == "" {
		server = m.variable(config.ServerVariable)
	}
	if server = config.Trim(server); server != "" {
		return server, nil
	}
	settings, err := m.configuration(c)
	if err != nil {
		return "", err
	}
	host, port, err := net.SplitHostPort(settings.HTTP.Listen)
	if err != nil {
		return "", err
	}
	if port == "0" {
		return "", usage(c, "http.listen has port 0, which picks any free port: name the server with --%s", serverFlag)
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme(settings) + "://" + net.JoinHostPort(host, port), nil
}

// scheme returns the scheme of the server's address.
func scheme(c config.Config) string {
	if c.HTTP.TLS.Cert != "" {
		return "https"
	}
	return "http"
}

// variable returns the value of an environment variable, or "" if it is not set.
func (m *Main) variable(name string) string {
	value := ""
	for _, pair := range m.Env {
		if v, found := strings.CutPrefix(pair, name+"="); found {
			value = v
		}
	}
	return value
}
