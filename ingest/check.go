package ingest

import (
	"context"
	"crypto/tls"
	"fmt"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
)

// Step is one thing that Check tried.
type Step struct {
	Name   string // connect, secure, sign_in, open, listen, move, delete
	OK     bool
	Detail string // what was found, or what to do
}

// Findings are what Check found out about a mailbox.
type Findings struct {
	OK     bool
	Steps  []Step
	Folder Folder
}

// add notes a step that went well.
func (f *Findings) add(name, detail string, args ...any) {
	f.Steps = append(f.Steps, Step{name, true, fmt.Sprintf(detail, args...)})
}

// fail notes the step at which it ended.
func (f *Findings) fail(name string, err error) Findings {
	f.OK = false
	f.Steps = append(f.Steps, Step{name, false, failureOf("", err).Words})
	return *f
}

// Check does what an owner does to get into a mailbox, step by step, and changes
// nothing there: the folder is opened for reading alone.
func (s Server) Check(ctx context.Context, after After) Findings {
	s.ReadOnly = true
	f := &Findings{OK: true}
	ctx, cancel := context.WithTimeoutCause(ctx, openWithin, errSilent)
	defer cancel()
	begun := time.Now()
	c, err := s.connect(ctx)
	if err != nil {
		return f.fail("connect", err)
	}
	defer c.Close()
	f.add("connect", "%s answers after %d ms", s.Address, time.Since(begun).Milliseconds())
	switch secured := c.secured.Load(); {
	case secured != nil:
		f.add("secure", "%s, certificate valid until %s", tls.VersionName(secured.Version), secured.PeerCertificates[0].NotAfter.UTC().Format(time.DateOnly))
	default:
		f.add("secure", "not secured: anybody on the way can read passwords and mail (?tls=none)")
	}
	if err := s.enter(ctx, c); err != nil {
		name := "sign_in"
		if c.client.State() == imap.ConnStateAuthenticated {
			f.add(name, "as %s", s.SignIn.User)
			name = "open"
		}
		return f.fail(name, err)
	}
	f.Folder = c.folder
	f.add("sign_in", "as %s", s.SignIn.User)
	f.add("open", "%s: %d mails, UIDVALIDITY %d, UIDNEXT %d", s.Folder, f.Folder.Messages, f.Folder.Validity, f.Folder.Next)
	f.capable(c, after)
	return *f
}

// capable notes what the server can do besides, as far as the configuration wants it.
func (f *Findings) capable(c *imapConn, after After) {
	caps := c.client.Caps()
	if caps.Has(imap.CapIdle) {
		f.add("listen", "the server tells of new mail (IDLE)")
	} else {
		f.add("listen", "the server does not tell of new mail: it is asked every %s", pollMute)
	}
	var folders []string
	for _, name := range []string{after.Move, after.Spam, after.Failed} {
		if name != "" {
			folders = append(folders, name)
		}
	}
	if len(folders) > 0 {
		how := "by copying and deleting"
		if caps.Has(imap.CapMove) {
			how = "by MOVE"
		}
		f.add("move", "mails are moved to %s %s; a folder that is not there is made", strings.Join(folders, ", "), how)
	}
	if after.Delete && !caps.Has(imap.CapUIDPlus) {
		f.add("delete", "mails are marked as deleted and stay until somebody expunges the folder: the server has no UIDPLUS")
	}
}
