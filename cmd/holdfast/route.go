package main

import "github.com/spf13/cobra"

func (m *Main) routeCommand() *cobra.Command {
	c := group(&cobra.Command{
		Use:     "route",
		Short:   "Which location serves an order, and why",
		Example: "  holdfast route explain --channel web --country DE TEE-M=2",
	}, m.routeExplainCommand())
	addServer(c)
	return c
}
