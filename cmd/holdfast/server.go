package main

import (
	"net"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/client"
)

const serverFlag = "server"

// addServer gives the client commands below c the flag for their server.
func addServer(c *cobra.Command) {
	c.PersistentFlags().String(serverFlag, "",
		"server to call (default "+config.ServerVariable+", else http:// and http.listen of the configuration)")
}

// client makes a client of the server that c is to call.
func (m *Main) client(c *cobra.Command) (*client.Client, error) {
	server, err := m.server(c)
	if err != nil {
		return nil, err
	}
	return client.New(server)
}

func (m *Main) server(c *cobra.Command) (string, error) {
	server, err := c.Flags().GetString(serverFlag)
	if err != nil {
		return "", err
	}
	if server == "" {
		server = m.variable(config.ServerVariable)
	}
	if server != "" {
		return server, nil
	}
	settings, err := m.configuration(c)
	if err != nil {
		return "", err
	}
	return serverAt(c, settings.HTTP.Listen)
}

// serverAt is the URL of a server on this machine that listens on address.
func serverAt(c *cobra.Command, address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if port == "0" {
		return "", usage(c, "http.listen takes any free port: name the server with --%s", serverFlag)
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// variable is a variable of the environment, "" where it is not set.
func (m *Main) variable(name string) string {
	value := ""
	for _, pair := range m.Env {
		if v, found := strings.CutPrefix(pair, name+"="); found {
			value = v
		}
	}
	return value
}
