package app

import (
	"context"
	"os"
	"slices"
	"strings"

	"evenkeel/ingest"
	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/monitors"
)

// MailboxNames gives the mailboxes of a configuration.
func MailboxNames(file config.File) []string {
	names := make([]string, len(file.Mailboxes))
	for i, m := range file.Mailboxes {
		names[i] = m.Name
	}
	return names
}

// CheckMailbox gets into a mailbox as the hub would, step by step, without
// changing anything there or in the record. Errors: NotFound, Invalid.
func CheckMailbox(ctx context.Context, file config.File, name string) (ingest.Findings, error) {
	i := slices.IndexFunc(file.Mailboxes, func(m config.Mailbox) bool { return m.Name == name })
	if i < 0 {
		return ingest.Findings{}, problem.NotFound("There is no mailbox %s in the configuration. It has: %s.", name, strings.Join(MailboxNames(file), ", "))
	}
	env := monitors.Env{LookupEnv: os.LookupEnv, ReadFile: os.ReadFile}
	spec, err := mailSpec("mailboxes", file.Mailboxes[i], env.Secret, noVault{})
	if err != nil {
		return ingest.Findings{}, err
	}
	return spec.server.Check(ctx, spec.After), nil
}

// noVault keeps nothing: a token that the provider gives to a check is not used
// again, and the hub's own stay as they are.
type noVault struct{}

// Recall knows nothing.
func (noVault) Recall(_ context.Context, mailbox string) ([]byte, error) {
	return nil, problem.NotFound("There is no token of %s.", mailbox)
}

// Keep forgets it.
func (noVault) Keep(context.Context, string, []byte) error { return nil }
