package main

import "github.com/spf13/cobra"

func (m *Main) stockCommand() *cobra.Command {
	c := group(&cobra.Command{
		Use:   "stock",
		Short: "Read and change stock",
		Example: "  holdfast stock show TEE-M\n" +
			"  holdfast stock import stock.csv --server http://10.0.0.5:8080",
	},
		m.stockShowCommand(),
		m.stockAdjustCommand(),
		m.stockImportCommand(),
		m.stockExportCommand(),
	)
	addServer(c)
	return c
}
