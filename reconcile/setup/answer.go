package setup

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// cause is a reason why a server can't be used.
type cause struct {
	in   func(error) error // returns the part of an error that shows the cause, or nil
	what string
	do   string // URL stands for the setting with the address
}

const encode = "; in a password, percent-encode special characters, such as @ as %40 and / as %2F"

// Errors of CheckTLS.
var (
	errPlain = errors.New("it answers without TLS")
	errTLS   = errors.New("it answers a TLS handshake")
)

// causes lists the causes; the first that an error shows counts. A server's own answer comes before
// what its connections met on the way: the Postgres driver joins several tries.
var causes = []cause{
	{is(errPlain), "does not offer TLS", "write redis:// instead of rediss:// in redis.url, or set tls-port in Redis"},
	{is(errTLS), "requires TLS", "write rediss:// instead of redis:// in redis.url"},

	{reply("NOAUTH"), "requires a password", "add it to redis.url: redis://USER:PASSWORD@HOST:PORT, without USER for the default user" + encode},
	{reply("WRONGPASS"), "refuses the user or the password", "correct them in redis.url" + encode},
	{reply("ERR AUTH"), "has no password", "remove the password from redis.url, or set requirepass in Redis"},
	{reply("NOPERM"), "does not let this user run a command", "grant the user of redis.url all commands and keys: ACL SETUSER USER +@all ~*"},
	{reply("DENIED"), "is in protected mode", "set requirepass in Redis, and the password in redis.url"},
	{reply("LOADING"), "is loading its data", "wait until it has loaded them, and try again"},
	{reply("ERR DB index"), "has no database of this number", "end redis.url in a lower number, such as /0"},
	{reply("ERR max number of clients"), "takes no more connections", "raise maxclients in Redis, or stop clients that leave connections open"},
	{reply("CLUSTERDOWN", "MASTERDOWN"), "can't serve now", "bring its cluster or its primary up again"},

	{sqlState("28P01"), "refuses the password", "correct the user and the password in postgres.url" + encode},
	{saying("no encryption", sqlState("28000")), "refuses this connection without TLS", "write sslmode=require in postgres.url, or allow this user in pg_hba.conf"},
	{saying("pg_hba.conf", sqlState("28000")), "refuses this user from this address", "allow them in pg_hba.conf and reload it, or correct postgres.url"},
	{sqlState("28000"), "refuses this user", "correct the user in postgres.url, or create the role with LOGIN"},
	{sqlState("3D000"), "has no such database", "correct the database at the end of postgres.url, or create it and run holdfast migrate"},
	{sqlState("42501"), "does not let this user connect to the database", "grant it: GRANT CONNECT ON DATABASE … TO …"},
	{sqlState("42P01", "42703"), "lacks a table or a column that its migrations made", "restore the database from a backup: somebody has changed its tables"},
	{sqlState("53300"), "takes no more connections", "raise max_connections in Postgres, or stop clients that leave connections open"},
	{sqlState("57P01", "57P02", "57P03"), "is starting up or shutting down", "wait until it has started, and try again"},

	{as[x509.UnknownAuthorityError], "has a certificate of an authority that this machine does not trust",
		"name the file with the authority's certificate in redis.tls.ca, or in sslrootcert in postgres.url, or add it to those that this machine trusts"},
	{as[x509.HostnameError], "has a certificate for another host name", "write a host name of the certificate in URL"},
	{as[x509.CertificateInvalidError], "has a certificate that is not valid now or here", "renew the certificate, or set this machine's clock right"},
	{saying("remote error: tls", as[*net.OpError]), "refuses the TLS handshake", "name a client certificate in redis.tls.cert and redis.tls.key, or in sslcert and sslkey in postgres.url"},
	{as[tls.RecordHeaderError], "does not offer TLS", "turn TLS on in the server, or off in URL (redis://, sslmode=disable)"},
	{saying("refused TLS", same), "does not offer TLS", "turn ssl on in Postgres, or write sslmode=disable in postgres.url"},

	{saying("redis: can't parse", same), "does not speak the protocol of Redis", "correct the host and the port in redis.url"},
	{as[*net.DNSError], "has a host name that cannot be looked up", "correct the host in URL, or this machine's DNS" + encode},
	{is(syscall.ECONNREFUSED), "does not listen there", "start the server, or correct the host and the port in URL; from another machine, check the addresses that it listens on"},
	{is(syscall.ENETUNREACH, syscall.EHOSTUNREACH), "can't be reached over the network", "correct the host in URL, or the routes and firewalls on the way"},
	{is(syscall.EACCES, syscall.EPERM), "may not be connected to", "allow this process to connect: check its sandbox and this machine's firewall"},
	{is(context.DeadlineExceeded, os.ErrDeadlineExceeded, syscall.ETIMEDOUT), "does not answer in time",
		"check the host and the port in URL and the firewalls on the way, and whether the server hangs"},
	{is(io.EOF, io.ErrUnexpectedEOF, syscall.ECONNRESET, syscall.EPIPE), "closes the connection",
		"check that the port in URL is the server's, and read the server's log"},
}

// NoAnswer returns the finding for a Redis or Postgres that can't be used because of err. name is
// redis or postgres.
func NoAnswer(name, address string, err error) Finding {
	found, c := err, cause{what: "can't be used", do: "check that URL names the right server, and read the server's log"}
	for _, known := range causes {
		if shown := known.in(err); shown != nil {
			found, c = shown, known
			break
		}
	}
	return Finding{
		Name: name, Status: Fail, Seen: fmt.Sprintf("%s %s: %s", address, c.what, strings.Join(strings.Fields(found.Error()), " ")),
		Do: strings.ReplaceAll(c.do, "URL", name+".url"),
	}
}

// Denied returns the finding for a Redis that refuses the user or the password, as err says. ok is false
// if err may pass by itself.
func Denied(address string, err error) (f Finding, ok bool) {
	if reply("NOAUTH", "WRONGPASS", "ERR AUTH", "NOPERM")(err) == nil {
		return Finding{}, false
	}
	return NoAnswer("redis", address, err), true
}

// tlsTimeout bounds each connection of CheckTLS.
const tlsTimeout = 5 * time.Second

// CheckTLS returns err, or what else keeps a Redis at address from being used: it speaks TLS and
// secure is nil, or the other way around, or the handshake fails. Without it, such a Redis only
// seems to hang or to close connections.
func CheckTLS(ctx context.Context, address string, secure *tls.Config, err error) error {
	if _, answered := errors.AsType[redis.Error](err); answered || errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, tlsTimeout)
	defer cancel()
	switch {
	case secure == nil && handshake(ctx, address, &tls.Config{InsecureSkipVerify: true}) == nil: // nothing is sent over it
		return errTLS
	case secure == nil:
		return err
	case answersPlain(ctx, address):
		return errPlain
	default:
		return cmp.Or(handshake(ctx, address, secure), err)
	}
}

func handshake(ctx context.Context, address string, c *tls.Config) error {
	conn, err := (&tls.Dialer{Config: c}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // nothing is lost
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	// In TLS 1.3 the server refuses a certificate after the client's handshake has succeeded.
	if _, err = conn.Write([]byte("PING\r\n")); err == nil {
		_, err = conn.Read(make([]byte, 1))
	}
	return err
}

func answersPlain(ctx context.Context, address string) bool {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }() // nothing is lost
	deadline, _ := ctx.Deadline()
	first := make([]byte, 1)
	_ = conn.SetDeadline(deadline) // a failure shows in what follows
	_, err = conn.Write([]byte("PING\r\n"))
	if err == nil {
		_, err = io.ReadFull(conn, first)
	}
	return err == nil && bytes.ContainsAny(first, "+-")
}

// is finds one of some errors.
func is(targets ...error) func(error) error {
	return func(err error) error {
		for _, target := range targets {
			if errors.Is(err, target) {
				return target
			}
		}
		return nil
	}
}

// as finds an error of a type.
func as[E error](err error) error {
	if e, ok := errors.AsType[E](err); ok {
		return e
	}
	return nil
}

// reply finds a reply of Redis that begins with one of some words.
func reply(words ...string) func(error) error {
	return func(err error) error {
		e, ok := errors.AsType[redis.Error](err)
		for _, word := range words {
			if ok && strings.HasPrefix(e.Error(), word) {
				return e
			}
		}
		return nil
	}
}

// sqlState finds an error of Postgres with one of some codes.
func sqlState(codes ...string) func(error) error {
	return func(err error) error {
		e, ok := errors.AsType[interface {
			error
			SQLState() string
		}](err)
		for _, code := range codes {
			if ok && e.SQLState() == code {
				return e
			}
		}
		return nil
	}
}

// saying narrows down by a word that a server or driver says, for what has no code of its own.
func saying(word string, in func(error) error) func(error) error {
	return func(err error) error {
		if found := in(err); found != nil && strings.Contains(found.Error(), word) {
			return found
		}
		return nil
	}
}

func same(err error) error { return err }
