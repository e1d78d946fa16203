package app

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/oauth2"

	"evenkeel/ingest"
	"evenkeel/ingest/kind"
	"evenkeel/internal/access"
	"evenkeel/internal/config"
	"evenkeel/internal/inbox"
	"evenkeel/internal/journal"
	"evenkeel/internal/notify"
	"evenkeel/internal/problem"
	"evenkeel/internal/secret"
	"evenkeel/internal/store"
)

// spoolFolder is where large mails lie on their way into the record, in the data folder.
const spoolFolder = "spool"

// mailRoom reads mailboxes and keeps what came.
type mailRoom struct {
	ledger *inbox.Ledger
	fleet  *ingest.Fleet
	worker *ingest.Worker
	spool  string
	own    atomic.Pointer[map[string]kind.Own] // by mailbox
}

// openMail makes the ledger, which the desk asks. Errors: Unavailable.
func (a *App) openMail(h *house) error {
	m := &h.wings.mail
	m.ledger = inbox.NewLedger(inbox.Deps{Work: h.store, Store: h.store, Now: time.Now, Log: a.log.With("component", "inbox")})
	m.spool = filepath.Join(a.config.Load().Data, spoolFolder)
	if err := os.RemoveAll(m.spool); err != nil { // of a hub that was killed
		return problem.Unavailable(err, "The folder %s cannot be emptied: check its permissions.", m.spool)
	}
	if err := os.MkdirAll(m.spool, 0o700); err != nil {
		return problem.Unavailable(err, "The folder %s cannot be made: check the path and its permissions.", m.spool)
	}
	log := a.log.With("component", "ingest")
	m.fleet = ingest.NewFleet(ingest.FleetDeps{Ledger: m.ledger, Leases: h.store, Holder: a.holder, Spool: m.spool, Now: time.Now, Log: log})
	m.own.Store(&map[string]kind.Own{})
	return nil
}

// configureMail makes true what a configuration says of mailboxes. When anything is
// wrong nothing changes. Errors: Invalid.
func (a *App) configureMail(ctx context.Context, h *house, file config.File) error {
	m := &h.wings.mail
	specs, own := make([]ingest.Spec, 0, len(file.Mailboxes)), map[string]kind.Own{}
	names := map[string]bool{}
	for i, box := range file.Mailboxes {
		at := fmt.Sprintf("mailboxes[%d]", i)
		spec, err := mailSpec(at, box, a.env.Secret, tokenVault{h.store, h.doors.box})
		if err != nil {
			return err
		}
		specs, names[box.Name] = append(specs, spec.Spec), true
		own[box.Name] = ownOf(box, spec.server.SignIn.User, file.SMTP.From)
	}
	m.own.Store(&own)
	m.fleet.Setup(specs)
	return m.ledger.EndMissing(ctx, func(name string) bool { return names[name] })
}

// startMail starts owners and worker.
func (a *App) startMail(h *house, desk ingest.Desk) {
	m := &h.wings.mail
	log := a.log.With("component", "ingest")
	reader := &ingest.Reader{Spool: m.spool, Now: time.Now, Own: func(mailbox string) kind.Own { return (*m.own.Load())[mailbox] }}
	m.worker = ingest.NewWorker(ingest.WorkerDeps{
		Ledger: m.ledger, Work: h.store, Blobs: h.store, Desk: desk, Read: reader.Read, Glance: reader.Glance, Now: time.Now, Log: log,
		Shortcuts: []ingest.Shortcut{h.wings.automate},
		Beat:      func(every time.Duration) { a.health.Beat(mailLoop, every) }, Rest: func() { a.health.Forget(mailLoop) },
	})
	a.inner.background("mail", a.failed, func(ctx context.Context) error {
		return journal.Hold(ctx, h.store, "mail", a.holder, a.log, m.worker.Run)
	})
	a.inner.background("mailboxes", a.failed, m.fleet.Run)
}

// mailLoop is the worker as /readyz names it.
const mailLoop = "mail worker"

// ownOf tells which mails of a mailbox are our own.
func ownOf(box config.Mailbox, user, smtpFrom string) kind.Own {
	own := kind.Own{LoopHeader: notify.HeaderDelivery}
	add := func(text string) {
		if a, err := mail.ParseAddress(text); err == nil {
			own.Addresses = append(own.Addresses, strings.ToLower(a.Address))
		}
	}
	for _, text := range append([]string{box.From, smtpFrom, user}, box.Addresses...) {
		add(text)
	}
	for _, t := range box.Automation {
		add(t.To)
	}
	if box.AuthServID != "" {
		own.AuthServers = []string{box.AuthServID}
	}
	return own
}

// mailboxSpec is a mailbox as its owner needs it, and where it is.
type mailboxSpec struct {
	ingest.Spec
	server ingest.Server
}

// mailSpec reads what a configuration says of a mailbox, with its secrets. Errors: Invalid.
func mailSpec(at string, box config.Mailbox, resolve resolver, v ingest.Vault) (out mailboxSpec, err error) {
	server, secrets, err := mailServer(at, box, resolve)
	if err != nil {
		return out, err
	}
	last, all, err := config.ParseSince(box.Since)
	if err != nil {
		return out, err
	}
	what, folder, wait, err := config.ParseAfter(box.After)
	if err != nil {
		return out, err
	}
	out.server = ingest.Server{Address: server.Address, Host: server.Host, TLS: server.TLS, StartTLS: server.StartTLS, Folder: server.Folder,
		SignIn: ingest.SignIn{User: server.User, Password: secrets.Password, Mechanism: box.OAuth.Mechanism}}
	var authority []byte
	if box.CAFile != "" {
		if out.server.Config, authority, err = trust(at, box.CAFile); err != nil {
			return out, err
		}
	}
	renew := func() time.Time { return time.Time{} }
	if box.OAuth.Given() {
		tokens := tokensOf(box, secrets, v)
		out.server.SignIn.Tokens, renew = tokens, tokens.Renew
	}
	mark, err := json.Marshal([]any{box, server, secrets, authority})
	if err != nil {
		return out, problem.Internal(err, "The mailbox %s cannot be described.", box.Name)
	}
	sum := sha256.Sum256(mark)
	out.Spec = ingest.Spec{
		Name: box.Name, Mark: hex.EncodeToString(sum[:]), Open: out.server.Open, Renew: renew, All: all, Last: last, Poll: box.Poll.D(), MaxBytes: box.MaxBytes,
		After: ingest.After{
			Seen: what == config.AfterSeen, Move: folder, Delete: what == config.AfterDelete, Wait: wait, Spam: box.Spam, Failed: box.Failures,
		},
	}
	return out, nil
}

// resolver gives the value of a secret. Errors: Invalid.
type resolver func(field string, s config.Secret) (string, error)

// mailSecrets are what a mailbox's configuration keeps elsewhere.
type mailSecrets struct{ Password, ClientSecret, RefreshToken string }

// mailServer reads the URL of a mailbox and its secrets. Errors: Invalid.
func mailServer(at string, box config.Mailbox, resolve resolver) (server config.MailServer, out mailSecrets, err error) {
	raw, err := resolve(at+".url", box.URL)
	if err != nil {
		return server, out, err
	}
	if server, err = config.ParseMailURL(raw); err != nil {
		return server, out, problem.Invalid(at+".url", "%s", problem.Public(err))
	}
	out.Password, server.Password = server.Password, ""
	for _, s := range []struct {
		key  string
		from config.Secret
		to   *string
	}{{".password", box.Password, &out.Password}, {".oauth.client_secret", box.OAuth.ClientSecret, &out.ClientSecret}, {".oauth.refresh_token", box.OAuth.RefreshToken, &out.RefreshToken}} {
		if !s.from.Given() {
			continue
		}
		if *s.to, err = resolve(at+s.key, s.from); err != nil {
			return server, out, err
		}
	}
	if out.Password == "" && !box.OAuth.Given() {
		return server, out, problem.Invalid(at+".password", "there is no password for this mailbox: say password_file, password or oauth")
	}
	return server, out, nil
}

// trust reads the certificates that a mailbox's server is trusted by. Errors: Invalid.
func trust(at, file string) (*tls.Config, []byte, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, &problem.Error{Kind: problem.KindInvalid, Field: at + ".ca_file", Msg: "the certificates cannot be read", Err: err}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, nil, problem.Invalid(at+".ca_file", "there is no certificate in %s", file)
	}
	return &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, pem, nil
}

// tokensOf gives what renews a mailbox's tokens.
func tokensOf(box config.Mailbox, s mailSecrets, v ingest.Vault) *ingest.Tokens {
	return &ingest.Tokens{
		Mailbox: box.Name, First: s.RefreshToken, Client: http.DefaultClient, Vault: v, Now: time.Now,
		Config: oauth2.Config{
			ClientID: box.OAuth.ClientID, ClientSecret: s.ClientSecret, Scopes: box.OAuth.Scopes,
			Endpoint: oauth2.Endpoint{TokenURL: box.OAuth.TokenURL, AuthStyle: oauth2.AuthStyleInParams},
		},
	}
}

// tokenVault keeps refresh tokens in the record, sealed.
type tokenVault struct {
	store *store.Store
	box   *secret.Box
}

// tokenPurpose is what refresh tokens are sealed for.
const tokenPurpose = "mailbox token"

// Recall gives what was kept. Errors: NotFound, also when it was sealed with keys
// that are gone, Unavailable.
func (v tokenVault) Recall(ctx context.Context, mailbox string) ([]byte, error) {
	sealed, err := v.store.MailboxToken(ctx, mailbox)
	if err != nil {
		return nil, err
	}
	plain, err := v.box.Unseal(tokenPurpose, sealed)
	if err != nil {
		return nil, problem.NotFound("The token of %s was sealed with another key.", mailbox)
	}
	return plain, nil
}

// Keep replaces it. Errors: Unavailable.
func (v tokenVault) Keep(ctx context.Context, mailbox string, plain []byte) error {
	sealed, err := v.box.Seal(tokenPurpose, plain)
	if err != nil {
		return err
	}
	return v.store.Do(ctx, access.Hub, func(tx journal.Tx) error { return v.store.PutMailboxToken(ctx, tx, mailbox, sealed) })
}
