package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/people"
)

func runAdminToken(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return dispatch(ctx, "evenkeel admin token", "Keys of machines for the API.", []verb{
		{"create", "make a token and print it alone", runAdminTokenCreate},
	}, args, stdout, stderr)
}

func runAdminTokenCreate(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb: "admin token create",
		what: "Make an API token for a machine. It stands alone on stdout, this one time. Its role is the most it may do; scopes narrow that: * for all, read, write, a noun such as incident, or an action such as incident.update.",
		example: "evenkeel admin token create --name \"build server\" --role machine --scopes read,incident --ttl 90d\n" +
			"EVENKEEL_TOKEN=$(evenkeel admin token create --role operator --scopes '*')",
	}, stdout, stderr)
	flags := addAdminFlags(c)
	name := c.flags.String("name", "made on the command line", "`NAME` after what will use it")
	role := c.flags.String("role", "", "`ROLE`: machine, or that of a person")
	ttl := c.flags.String("ttl", "", "how `LONG` it lasts, such as 90d; default for ever")
	var scopes listFlag
	c.flags.Var(&scopes, "scopes", "`SCOPES`, joined by commas")
	if _, code, done := c.parse(args, 0, 0); done {
		return code
	}
	switch {
	case *role == "":
		return c.misuse("it needs --role")
	case len(scopes) == 0:
		return c.misuse("it needs --scopes")
	}
	lasts, err := lifetime(*ttl)
	if err != nil {
		return c.misuse("--ttl: " + err.Error())
	}
	done, _, err := flags.errand(ctx, people.Errand{Do: people.DoTokenCreate, Name: *name, Roles: []string{*role}, Scopes: scopes, TTL: lasts})
	if err != nil {
		return c.failField(err)
	}
	if c.json {
		c.printJSON(struct {
			ID     string     `json:"id"`
			Token  string     `json:"token"`
			Role   string     `json:"role"`
			Scopes []string   `json:"scopes"`
			Ends   *time.Time `json:"ends"`
		}{done.ID, done.Secret, *role, scopes, orNull(done.Ends)})
		return exitOK
	}
	fmt.Fprintln(stdout, done.Secret)
	return exitOK
}

// lifetime reads how long something lasts; "" is for ever.
func lifetime(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := config.ParseDuration(text)
	if err == nil && d <= 0 {
		err = fmt.Errorf("%s is no time at all", text)
	}
	return d.D(), err
}

// orNull gives nil for no moment, which JSON writes as null.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func runAdminHook(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return dispatch(ctx, "evenkeel admin hook", "Addresses at which other systems tell us something.", []verb{
		{"create", "make a hook and print its address alone", runAdminHookCreate},
	}, args, stdout, stderr)
}

func runAdminHookCreate(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb:    "admin hook create",
		args:    "SOURCE",
		what:    "Make a hook for one foreign system: " + strings.Join(people.Sources(), ", ") + ". Its address stands alone on stdout, this one time; whoever has it can use it.",
		example: "evenkeel admin hook create alertmanager --map service=checkout:shop-checkout\nevenkeel admin hook create slack --url https://status.example.org",
	}, stdout, stderr)
	flags := addAdminFlags(c)
	name := c.flags.String("name", "", "`NAME` to tell several apart; default: the source")
	var mapping listFlag
	c.flags.Var(&mapping, "map", "what a label means here, as `LABEL=VALUE:COMPONENT`; more than once, or joined by commas")
	rest, code, done := c.parse(args, 1, 1)
	if done {
		return code
	}
	e := people.Errand{Do: people.DoHookCreate, Source: rest[0], Name: *name}
	for _, one := range mapping {
		from, to, ok := strings.Cut(one, ":")
		if !ok {
			return c.misuse(fmt.Sprintf("--map: %q is not LABEL=VALUE:COMPONENT", one))
		}
		if e.Mapping == nil {
			e.Mapping = map[string]string{}
		}
		e.Mapping[from] = to
	}
	made, address, err := flags.errand(ctx, e)
	if err != nil {
		return c.failField(err)
	}
	if c.json {
		c.printJSON(map[string]string{"id": made.ID, "source": rest[0], "url": address + made.Path})
		return exitOK
	}
	fmt.Fprintln(stdout, address+made.Path)
	return exitOK
}
