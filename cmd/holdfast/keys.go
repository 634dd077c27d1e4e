package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast/holdfast/internal/keys"
)

func (m *Main) keysCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "keys",
		Short: "Make, list and revoke keys of the API",
		Long:  "Make, list and revoke the keys with which programs call the API.",
		Example: "  holdfast keys create --name checkout-eu --role sell\n" +
			"  holdfast keys list",
	}, m.keysCreateCommand())
}

// newKey is the JSON output of `keys create`.
type newKey struct {
	ID        string      `json:"id"`
	Name      string      `json:"name"`
	Roles     []keys.Role `json:"roles"`
	Channels  []string    `json:"channels"`
	ExpiresAt *time.Time  `json:"expires_at"`
	Key       string      `json:"key"`
	Entry     string      `json:"entry,omitempty"` // for auth.keys_file
}

func (m *Main) keysCreateCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "create",
		Short: "Make a key and print it",
		Long: "Make a key and print it. It is printed only now: Holdfast keeps a hash of it.\n\n" +
			"Roles: read reads reservations and stock; sell reserves and changes reservations; ship records what\n" +
			"leaves, comes back and moves; stock counts, adjusts and transfers; operate changes the directory, audits\n" +
			"and repairs. Each role includes read.",
		Example: "  holdfast keys create --name checkout-eu --role sell --channel web --expires 90d --print",
		Args:    noArgs,
	}
	var k keys.Key
	var roles []string
	var expires age
	f := addFormat(c)
	c.Flags().StringVar(&k.Name, "name", "", "`NAME` of the program that gets the key; recorded with what it changes")
	c.Flags().StringSliceVar(&roles, "role", nil, "`ROLE` of the key; several are allowed: "+keys.RoleNames())
	c.Flags().StringSliceVar(&k.Channels, "channel", nil, "`CHANNEL` whose reservations it may see and make; several are allowed (default all)")
	c.Flags().Var(&expires, "expires", "how long the key works, such as 90d or 12h (default for ever)")
	c.Flags().IntVar(&k.Rate, "requests-per-second", 0, "most requests a second (default auth.requests_per_second)")
	print := c.Flags().Bool("print", false, "print the entry for auth.keys_file, and store nothing")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if !*print {
			return usage(c, "--print is missing: keys are kept in the file of auth.keys_file for now")
		}
		for _, role := range roles {
			k.Roles = append(k.Roles, keys.Role(role))
		}
		var text string
		k.ID, text = keys.Generate()
		k.Hash = keys.HashOf(text)
		if expires > 0 {
			k.ExpiresAt = time.Now().Add(time.Duration(expires)).UTC().Truncate(time.Second)
		}
		if err := k.Validate(); err != nil {
			return usage(c, "%v", err)
		}
		out := newKey{ID: k.ID, Name: k.Name, Roles: k.Roles, Channels: orEmpty(k.Channels), ExpiresAt: timeOrNil(k.ExpiresAt), Key: text,
			Entry: keys.EncodeFile(&k)}
		return m.print(*f, out, func(w io.Writer) {
			fmt.Fprintf(w, "%s\n", text)
			fmt.Fprintf(m.Stderr, "This is the key. It is not shown again. Add this entry to the file of auth.keys_file:\n\n%s", out.Entry)
		})
	}
	return c
}

func orEmpty(list []string) []string { return append([]string{}, list...) }

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
