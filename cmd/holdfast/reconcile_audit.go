package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/location"
	"github.com/holdfast/holdfast/reconcile/audit"
	"github.com/holdfast/holdfast/reconcile/ledger"
)

// errDrift means that an audit has printed drift.
var errDrift = errors.New("there is drift: see the findings above")

func (m *Main) reconcileAuditCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "Compare Redis with the ledger, and repair it",
		Long: "Compare every level, reservation, purchase limit and deadline in Redis with the ledger, and the\n" +
			"ledger with itself. The audit reads both sides at the same position of the event stream. So sales\n" +
			"can go on, and each finding is a real difference.\n\n" +
			"Without --repair nothing changes. A repair adds the difference in Redis and records it; repeating\n" +
			"a repair changes nothing. If the ledger contradicts itself, it is never copied to Redis.\n\n" +
			"Exit status: 0 no drift, or all of it was repaired; 1 drift, or a repair would exceed --max-change;\n" +
			"2 the command could not run.",
		Example: "  holdfast reconcile audit\n" +
			"  holdfast reconcile audit --repair --max-change 200,1\n" +
			"  holdfast reconcile audit --sku TEE-M --format json",
		Args: noArgs,
	}
	var options audit.Options
	f := addFormat(c)
	c.Flags().BoolVar(&options.Repair, "repair", false, "repair the drift")
	c.Flags().StringVar(&options.Actor, "actor", "holdfast reconcile audit", "who repairs, recorded with each repair")
	most := addMaxChange(c)
	addScope(c, &options)
	return m.configured(c, func(c *cobra.Command, _ []string, settings config.Config) error {
		options.MaxUnits, options.MaxPercent = most.units, most.percent
		return m.audit(c.Context(), settings, options, *f)
	})
}

// addScope adds --sku and --location to c. It refuses an empty value, which an unset shell variable
// makes: without the check the command would repair everything.
func addScope(c *cobra.Command, o *audit.Options) {
	c.Flags().StringVar((*string)(&o.SKU), "sku", "", "only this SKU")
	c.Flags().StringVar((*string)(&o.Location), "location", "", "only this location")
	c.PreRunE = func(c *cobra.Command, _ []string) error {
		for _, scope := range [][2]string{{"sku", string(o.SKU)}, {"location", string(o.Location)}} {
			if c.Flags().Changed(scope[0]) && !location.IsIdentifier(scope[1]) {
				return usage(c, "--%s is %q, which is not an identifier: correct it, or leave it out", scope[0], scope[1])
			}
		}
		return nil
	}
}

// audit runs an audit and prints its findings.
func (m *Main) audit(ctx context.Context, c config.Config, o audit.Options, f format) error {
	return m.withAuditor(ctx, c, func(auditor *audit.Auditor) (show func() error, err error) {
		done, err := auditor.Run(ctx, o)
		return func() error {
			if err := m.printAudit(ctx, f, auditor.Ledger, &done); err != nil {
				return err
			}
			return checkDrift(&done)
		}, err
	})
}

func checkDrift(a *ledger.Audit) error {
	if a.Drift > 0 {
		return errDrift
	}
	return nil
}
