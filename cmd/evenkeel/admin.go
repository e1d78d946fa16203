package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/internal/secret"
	"evenkeel/internal/store"
	"evenkeel/web/door"
)

var verbAdmin = verb{name: "admin", summary: "people, tokens, hooks and keys", run: runAdmin}

func runAdmin(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return dispatch(ctx, "evenkeel admin", "Say who and what may come in. A hub may be running.", adminVerbs(), args, stdout, stderr)
}

// adminVerbs are the words after admin.
func adminVerbs() []verb {
	return []verb{
		{"person", "add, list, link, disable or enable people", runAdminPerson},
		{"token", "make an API token for a machine", runAdminToken},
		{"hook", "make an address at which another system tells us something", runAdminHook},
		{"first-link", "make another link for the first admin", runAdminFirstLink},
		{"key", "rotate the key that seals secrets in the database", runAdminKey},
	}
}

// adminFlags are the flags of a verb that does an errand.
type adminFlags struct {
	databaseFlags
	url *string
}

func addAdminFlags(c *command) adminFlags {
	return adminFlags{
		databaseFlags: addDatabaseFlags(c),
		url:           c.flags.String("url", "", "public `ADDRESS` of the hub in what is printed, instead of the configuration's"),
	}
}

// errand does what was asked: by the running hub when it has the database to
// itself, else in the database. address is how the hub is called from outside.
func (a adminFlags) errand(ctx context.Context, e people.Errand) (done people.Done, address string, err error) {
	file := config.File{Database: config.Engine{URL: *a.databaseFlags.url}, Data: *a.data}
	if configured, cerr := a.configuration(); cerr == nil {
		configured.Database.URL = cmp.Or(file.Database.URL, configured.Database.URL)
		if file.Data != "" {
			configured.Data, configured.Database.URL = file.Data, file.Database.URL
		}
		file = configured
	} else if file.Database.URL == "" && file.Data == "" {
		return done, "", cerr
	}
	address = cmp.Or(strings.TrimRight(*a.url, "/"), file.Page.URL, listenAddress(file.Listen))
	if file.Database.URL == "" {
		done, there, err := door.ThroughHatch(ctx, file.Data, e)
		if there || err != nil {
			return done, cmp.Or(strings.TrimRight(*a.url, "/"), done.Base, address), err
		}
	}
	done, err = inDatabase(ctx, store.Options{URL: file.Database.URL, DataDir: file.Data, Log: slog.New(slog.DiscardHandler)}, e)
	return done, address, err
}

// inDatabase does an errand without a hub.
func inDatabase(ctx context.Context, o store.Options, e people.Errand) (done people.Done, err error) {
	s, err := store.Open(ctx, o)
	if err != nil {
		return done, err
	}
	defer func() {
		if cerr := closeStore(ctx, s); err == nil {
			err = cerr
		}
	}()
	key := make([]byte, secret.KeyBytes) // no errand seals anything that is kept
	rand.Read(key)
	box, err := secret.New(key)
	if err != nil {
		return done, err
	}
	deps := people.Deps{Work: s, Store: s, Sealer: box, Log: o.Log, Now: time.Now}
	refused := people.NewRefusals(s, o.Log, time.Now)
	clerk := people.Clerk{Accounts: people.NewAccounts(deps, refused), Tokens: people.NewTokens(deps, refused), Hooks: people.NewHooks(deps, refused)}
	return clerk.Do(ctx, e)
}

// listenAddress is how a browser on this machine calls a hub that has no public
// address yet.
func listenAddress(listen string) string {
	host, port, err := net.SplitHostPort(cmp.Or(listen, config.DefaultListen))
	if err != nil {
		return ""
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// listFlag is a flag whose values are joined by commas, or that is given more
// than once.
type listFlag []string

// String joins the values.
func (l *listFlag) String() string { return strings.Join(*l, ",") }

// Set adds values.
func (l *listFlag) Set(text string) error {
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); one != "" {
			*l = append(*l, one)
		}
	}
	return nil
}

// printLine writes one JSON object as one line to stdout.
func (c *command) printLine(v any) {
	enc := json.NewEncoder(c.stdout)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		fmt.Fprintf(c.stderr, "evenkeel %s: write the answer: %v\n", c.usage.verb, err)
	}
}

// failField reports an error of an errand, with the flag at fault.
func (c *command) failField(err error) int {
	if problem.KindOf(err) == problem.KindInvalid {
		return c.misuse(err.Error())
	}
	return c.fail(err)
}

func runAdminFirstLink(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb:    "admin first-link",
		what:    "Make another link for the first admin, while there is none: the first start prints one, which works once within a day. The link stands alone on stdout.",
		example: "evenkeel admin first-link -c evenkeel.yaml",
	}, stdout, stderr)
	flags := addAdminFlags(c)
	if _, code, done := c.parse(args, 0, 0); done {
		return code
	}
	done, address, err := flags.errand(ctx, people.Errand{Do: people.DoFirstLink})
	if err != nil {
		return c.fail(err)
	}
	if c.json {
		c.printJSON(map[string]any{"link": address + done.Path, "ends": done.Ends})
		return exitOK
	}
	fmt.Fprintln(stdout, address+done.Path)
	return exitOK
}

func runAdminKey(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return dispatch(ctx, "evenkeel admin key", "Work with the key file.", []verb{
		{"rotate", "put a new key in front of the old ones", runAdminKeyRotate},
	}, args, stdout, stderr)
}

func runAdminKeyRotate(_ context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb:    "admin key rotate",
		args:    "FILE",
		what:    "Put a new key in front of the others in the key file, which is secret.key in the data folder unless the configuration says otherwise. It seals from the next start of the hub on; the old ones still open what they sealed. Replicas need the same file. The name of the new key stands alone on stdout.",
		example: "evenkeel admin key rotate data/secret.key",
	}, stdout, stderr)
	rest, code, done := c.parse(args, 1, 1)
	if done {
		return code
	}
	id, err := secret.Rotate(rest[0])
	if err != nil {
		return c.fail(err)
	}
	if c.json {
		c.printJSON(map[string]any{"ok": true, "key": id})
		return exitOK
	}
	fmt.Fprintln(stdout, id)
	return exitOK
}
