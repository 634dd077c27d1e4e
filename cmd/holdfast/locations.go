package main

import "github.com/spf13/cobra"

func (m *Main) locationsCommand() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "locations",
		Short: "The routing directory: locations, zones, channels, limits and kits",
		Example: "  holdfast locations apply locations.yaml\n" +
			"  holdfast locations show",
	}, m.locationsApplyCommand(), m.locationsShowCommand())
	addServer(c)
	return c
}
