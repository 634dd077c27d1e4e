package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/config"
	"github.com/holdfast/holdfast/internal/keys"
	"github.com/holdfast/holdfast/reconcile/ledger/postgres"
)

const keyArgument = "ID or NAME"

func (m *Main) keysCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "keys",
		Short: "Make, list and revoke keys of the API",
		Long: "Make, list and revoke the keys with which programs call the API. The ledger keeps a hash of each key.\n" +
			"A server uses a change within two seconds.",
		Example: "  holdfast keys create --name checkout-eu --role sell\n" +
			"  holdfast keys list",
	}, m.keysCreateCommand(), m.keysListCommand(), m.keysRevokeCommand(), m.keysRotateCommand())
}

// shownKey is a key in JSON output.
type shownKey struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Roles     []keys.Role `json:"roles"`
	Channels  []string    `json:"channels"`
	Rate      int         `json:"requests_per_second"`
	CreatedAt *time.Time  `json:"created_at,omitempty"`
	CreatedBy string      `json:"created_by,omitempty"`
	ExpiresAt *time.Time  `json:"expires_at,omitempty"`
	RevokedAt *time.Time  `json:"revoked_at,omitempty"`
	RevokedBy string      `json:"revoked_by,omitempty"`
	Key       string      `json:"key,omitempty"`   // of a new key, its only appearance
	Entry     string      `json:"entry,omitempty"` // for auth.keys_file
}

func shown(k *keys.Key) shownKey {
	return shownKey{
		ID: k.ID, Name: k.Name, Roles: k.Roles, Channels: append([]string{}, k.Channels...), Rate: k.Rate,
		CreatedAt: timeOrNil(k.CreatedAt), CreatedBy: k.CreatedBy, ExpiresAt: timeOrNil(k.ExpiresAt),
		RevokedAt: timeOrNil(k.RevokedAt), RevokedBy: k.RevokedBy,
	}
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// newKey returns a key without a name, and its text.
func newKey() (k keys.Key, text string) {
	k.ID, text = keys.Generate()
	k.Hash, k.CreatedBy = keys.HashOf(text), userName()
	return k, text
}

// printKey prints a new key. Standard output has the key alone, so that a script can keep it.
func (m *Main) printKey(f format, k *keys.Key, text, entry string) error {
	out := shown(k)
	out.Key, out.Entry = text, entry
	return m.print(f, out, func(w io.Writer) {
		fmt.Fprintln(w, text)
		fmt.Fprintf(m.Stderr, "Key %s of %s. It is not shown again.\n", k.ID, k.Name)
		if entry != "" {
			fmt.Fprintf(m.Stderr, "Its entry for the file of auth.keys_file:\n\n%s", entry)
		}
	})
}

func (m *Main) keysCreateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "create",
		Short: "Make a key and print it",
		Long: "Make a key and print it. It is printed only now: Holdfast keeps a hash of it.\n\n" +
			"Roles: read reads reservations and stock; sell reserves and changes reservations; ship records what\n" +
			"leaves, comes back and moves; stock counts, adjusts and transfers; operate changes the directory, audits\n" +
			"and repairs. Each role includes read.",
		Example: "  holdfast keys create --name checkout-eu --role sell --channel web --expires 90d\n" +
			"  holdfast keys create --name warehouse --role ship,stock --print",
		Args: noArgs,
	}
	k, text := newKey()
	var roles []string
	var expires age
	f := addFormat(c)
	c.Flags().StringVar(&k.Name, "name", "", "`NAME` of the program that gets the key; recorded with what it changes")
	c.Flags().StringSliceVar(&roles, "role", nil, "`ROLE` of the key; several are allowed: "+keys.RoleNames())
	c.Flags().StringSliceVar(&k.Channels, "channel", nil, "`CHANNEL` whose reservations it may see and make; several are allowed (default all)")
	c.Flags().Var(&expires, "expires", "how long the key works, such as 90d or 12h (default for ever)")
	c.Flags().IntVar(&k.Rate, "requests-per-second", 0, "most requests a second (default auth.requests_per_second)")
	print := c.Flags().Bool("print", false, "print the entry for auth.keys_file, and store nothing")
	return m.configured(c, func(c *cobra.Command, _ []string, settings config.Config) error {
		for _, role := range roles {
			k.Roles = append(k.Roles, keys.Role(role))
		}
		if expires > 0 {
			k.ExpiresAt = time.Now().Add(time.Duration(expires)).UTC().Truncate(time.Second)
		}
		if err := k.Validate(); err != nil {
			return usage(c, "%v", err)
		}
		if *print {
			return m.printKey(*f, &k, text, keys.EncodeFile(&k))
		}
		err := withKeys(settings, func(l *postgres.Ledger) error { return l.CreateKey(c.Context(), k) })
		if err != nil {
			return err
		}
		return m.printKey(*f, &k, text, "")
	})
}

// withKeys opens the ledger that keeps the keys.
func withKeys(settings config.Config, do func(l *postgres.Ledger) error) error {
	if settings.Postgres.URL == "" {
		return errors.New("postgres.url is empty: set it to the database that keeps the keys; " +
			"for keys in a file, use `holdfast keys create --print` and auth.keys_file")
	}
	l, err := openPostgres(settings)
	if err != nil {
		return err
	}
	defer l.Close()
	return do(l)
}

func (m *Main) keysListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the keys of the ledger",
		Long:    "List the keys of the ledger, the revoked and expired ones too.",
		Example: "  holdfast keys list\n  holdfast keys list --format json",
		Args:    noArgs,
	}
	f := addFormat(c)
	return m.configured(c, func(c *cobra.Command, _ []string, settings config.Config) error {
		var list []keys.Key
		err := withKeys(settings, func(l *postgres.Ledger) (err error) {
			list, err = l.Keys(c.Context())
			return err
		})
		if err != nil {
			return err
		}
		out := struct {
			Keys []shownKey `json:"keys"`
		}{make([]shownKey, len(list))}
		for i := range list {
			out.Keys[i] = shown(&list[i])
		}
		return m.print(*f, out, func(w io.Writer) {
			fmt.Fprintln(w, "ID\tNAME\tROLES\tCHANNELS\tSTATE\tCREATED")
			for i := range list {
				k := &list[i]
				roles := strings.Trim(fmt.Sprint(k.Roles), "[]")
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s by %s\n", k.ID, k.Name, roles, cmp.Or(strings.Join(k.Channels, " "), "all"),
					keyState(k), k.CreatedAt.Format(time.DateOnly), cmp.Or(k.CreatedBy, "nobody"))
			}
		})
	})
}

// keyState says whether a key works, and until when.
func keyState(k *keys.Key) string {
	switch {
	case !k.RevokedAt.IsZero():
		return "revoked " + k.RevokedAt.Format(time.RFC3339)
	case k.ExpiresAt.IsZero():
		return "works"
	case k.ExpiresAt.Before(time.Now()):
		return "expired " + k.ExpiresAt.Format(time.RFC3339)
	}
	return "works until " + k.ExpiresAt.Format(time.RFC3339)
}

func (m *Main) keysRevokeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "revoke ID|NAME",
		Short:   "Revoke a key",
		Long:    "Revoke a key. Every server refuses it within two seconds, if it reaches Postgres. A revoked key never works again.",
		Example: "  holdfast keys revoke checkout-eu",
		Args:    oneArg(keyArgument),
	}
	f := addFormat(c)
	return m.configured(c, func(c *cobra.Command, args []string, settings config.Config) error {
		var k keys.Key
		err := withKeys(settings, func(l *postgres.Ledger) (err error) {
			k, err = l.RevokeKey(c.Context(), args[0], userName())
			return err
		})
		if err != nil {
			return err
		}
		return m.print(*f, shown(&k), func(w io.Writer) { fmt.Fprintf(w, "key %s of %s is revoked\n", k.ID, k.Name) })
	})
}

func (m *Main) keysRotateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "rotate ID|NAME",
		Short: "Make a key in place of another and print it",
		Long: "Make a key with the name, the roles, the channels and the lifetime of another, and print it. The other key\n" +
			"works for the time of --overlap, so that programs can change over.",
		Example: "  holdfast keys rotate checkout-eu --overlap 24h",
		Args:    oneArg(keyArgument),
	}
	overlap := age(day)
	f := addFormat(c)
	c.Flags().Var(&overlap, "overlap", "how much longer the other key works")
	return m.configured(c, func(c *cobra.Command, args []string, settings config.Config) error {
		next, text := newKey()
		err := withKeys(settings, func(l *postgres.Ledger) (err error) {
			next, err = l.RotateKey(context.WithoutCancel(c.Context()), args[0], next, time.Duration(overlap))
			return err
		})
		if err != nil {
			return err
		}
		return m.printKey(*f, &next, text, "")
	})
}
