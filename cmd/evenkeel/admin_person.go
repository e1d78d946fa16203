package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"evenkeel/internal/people"
)

func runAdminPerson(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return dispatch(ctx, "evenkeel admin person", "Say who may come into the console.", []verb{
		{"add", "add a person and print the link that lets them in", runAdminPersonAdd},
		{"list", "list people with their roles", runAdminPersonList},
		{"link", "print a link that lets a person in, to choose a password", runAdminPersonLink},
		{"disable", "keep a person out and sign them out everywhere", runAdminPersonDisable},
		{"enable", "let a person in again", runAdminPersonEnable},
	}, args, stdout, stderr)
}

func runAdminPersonAdd(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb:    "admin person add",
		args:    "EMAIL",
		what:    "Add a person and print the link with which they choose a password. It works once, within three days, and stands alone on stdout.",
		example: "evenkeel admin person add operator@example.org --name \"Night operator\" --role operator\nevenkeel admin person add lead@example.org --role viewer,module_lead:component:shop",
	}, stdout, stderr)
	flags := addAdminFlags(c)
	email := c.flags.String("email", "", "e-mail `ADDRESS`, when it is not the argument")
	name := c.flags.String("name", "", "`NAME` as colleagues see it; default: the address before the @")
	zone := c.flags.String("zone", "", "time `ZONE`, such as Europe/Vienna; default: the page's")
	var roles listFlag
	c.flags.Var(&roles, "role", "`ROLE`s, joined by commas: everywhere, or ROLE:component:KEY; default viewer")
	rest, code, done := c.parse(args, 0, 1)
	if done {
		return code
	}
	address := strings.Join(append(rest, *email), "")
	if address == "" || len(rest) > 0 && *email != "" {
		return c.misuse("it needs EMAIL, once")
	}
	if len(roles) == 0 {
		roles = listFlag{"viewer"}
	}
	local, _, _ := strings.Cut(address, "@")
	return c.printLink(ctx, flags, people.Errand{Do: people.DoPersonAdd, Email: address, Name: cmp.Or(*name, local), Zone: *zone, Roles: roles})
}

func runAdminPersonLink(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb:    "admin person link",
		args:    "EMAIL",
		what:    "Print a link with which a person chooses a password: an invitation, or a reset when there is a password already. It works once; links made before no longer do. It stands alone on stdout.",
		example: "evenkeel admin person link operator@example.org",
	}, stdout, stderr)
	flags := addAdminFlags(c)
	rest, code, done := c.parse(args, 1, 1)
	if done {
		return code
	}
	return c.printLink(ctx, flags, people.Errand{Do: people.DoPersonLink, Person: rest[0]})
}

// printLink does an errand that ends with a link, and prints it.
func (c *command) printLink(ctx context.Context, flags adminFlags, e people.Errand) int {
	done, address, err := flags.errand(ctx, e)
	if err != nil {
		return c.failField(err)
	}
	if c.json {
		c.printJSON(struct {
			people.Card
			Link string    `json:"link"`
			Ends time.Time `json:"link_ends"`
		}{done.People[0], address + done.Path, done.Ends})
		return exitOK
	}
	fmt.Fprintf(c.stderr, "A link for %s, good once until %s:\n", done.People[0].Email, done.Ends.Format("2006-01-02 15:04 MST"))
	fmt.Fprintln(c.stdout, address+done.Path)
	return exitOK
}

func runAdminPersonList(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb:    "admin person list",
		what:    "List people by name, with their roles and whether they may come in. With --json, one object a line.",
		example: "evenkeel admin person list -c evenkeel.yaml",
	}, stdout, stderr)
	flags := addAdminFlags(c)
	if _, code, done := c.parse(args, 0, 0); done {
		return code
	}
	done, _, err := flags.errand(ctx, people.Errand{Do: people.DoPersonList})
	if err != nil {
		return c.fail(err)
	}
	if c.json {
		for _, p := range done.People {
			c.printLine(p)
		}
		return exitOK
	}
	table := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	for _, p := range done.People {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", p.Name, p.Email, strings.Join(p.Roles, ","), p.State)
	}
	if err := table.Flush(); err != nil {
		return c.fail(err)
	}
	return exitOK
}

func runAdminPersonDisable(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return actOnPerson(ctx, people.DoPersonDisable, usage{
		verb:    "admin person disable",
		args:    "EMAIL",
		what:    "Keep a person out: sessions and links end at once.",
		example: "evenkeel admin person disable operator@example.org",
	}, args, stdout, stderr)
}

func runAdminPersonEnable(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return actOnPerson(ctx, people.DoPersonEnable, usage{
		verb:    "admin person enable",
		args:    "EMAIL",
		what:    "Let a person in again, with the password and roles of before.",
		example: "evenkeel admin person enable operator@example.org",
	}, args, stdout, stderr)
}

// actOnPerson does something simple to one person.
func actOnPerson(ctx context.Context, do string, u usage, args []string, stdout, stderr io.Writer) int {
	c := newCommand(u, stdout, stderr)
	flags := addAdminFlags(c)
	rest, code, done := c.parse(args, 1, 1)
	if done {
		return code
	}
	result, _, err := flags.errand(ctx, people.Errand{Do: do, Person: rest[0]})
	if err != nil {
		return c.fail(err)
	}
	p := result.People[0]
	if c.json {
		c.printJSON(p)
		return exitOK
	}
	fmt.Fprintf(stdout, "%s <%s> is %s.\n", p.Name, p.Email, p.State)
	return exitOK
}
