package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	// mailCrowd is how many mails come at once, mailBody how many bytes of text each has.
	mailCrowd = 20_000
	mailBody  = 1800
	// mailSingles is how many come one by one, to a hub that listens.
	mailSingles = 100
	// mailWithin bounds waiting for them.
	mailWithin = 3 * time.Minute
	// mailProgram is Debian's server.
	mailProgram = "/usr/sbin/dovecot"
)

// ingestMail lets a crowd of mails fall into a mailbox at once, and then single ones:
// how fast a hub on one core makes tickets of them, what a ticket costs, and how
// long a mail takes from its arrival to its ticket.
func ingestMail(ctx context.Context, l *lab) (err error) {
	if _, err := os.Stat(mailProgram); err != nil {
		return errors.New("dovecot is not installed: apt-get install dovecot-imapd")
	}
	var kept, rates, costs, arrivals, sizes []float64
	for range min(l.rounds, 3) {
		r, err := ingestOnce(ctx, l)
		if err != nil {
			return err
		}
		kept, rates, costs = append(kept, r.kept), append(rates, r.tickets), append(costs, r.cpu)
		arrivals, sizes = append(arrivals, r.arrivals...), append(sizes, r.rss)
	}
	l.add(fmt.Sprintf("%d mails at once, kept in the ledger by one core that makes tickets besides", mailCrowd), fmt.Sprintf("%.0f/s", median(kept)), "", "", "")
	l.add("tickets made of them, end to end, on one core", fmt.Sprintf("%.0f/s", median(rates)), "", "", "≥ 800/s")
	l.add("CPU of a mail, from IMAP to ticket", fmt.Sprintf("%.0f µs", median(costs)), "", "", "≤ 1,250 µs")
	l.add("arrival to ticket, with IDLE, p50 and p99", fmt.Sprintf("%.0f and %.0f ms", quantile(arrivals, 0.5), quantile(arrivals, 0.99)), "", "", "p99 ≤ 1,500 ms")
	l.add("RSS of the hub meanwhile", fmt.Sprintf("%.0f MB", median(sizes)/1e6), "", "", "≤ 200 MB")
	return nil
}

// ingested is what one round found.
type ingested struct {
	kept, tickets float64 // a second
	cpu           float64 // µs a mail
	arrivals      []float64
	rss           float64 // bytes
}

func ingestOnce(ctx context.Context, l *lab) (out ingested, err error) {
	box, err := startMailServer(ctx)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, box.close()) }()
	h, err := startHub(ctx, l.hub, hubOptions{noRedis: true, components: 1, top: "mailboxes: [{name: support, url: \"" + box.url + "\", password: secret, from: support@example.org}]\npprof: true"})
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	if err := until(ctx, 10*time.Millisecond, func() (bool, error) { return h.sum("evenkeel_mailbox_up") == 1, nil }); err != nil {
		return out, err
	}
	if err := box.prepare(mailCrowd); err != nil {
		return out, err
	}
	before, err := cpu(h.pid())
	if err != nil {
		return out, err
	}
	begun, keptIn := time.Now(), time.Duration(0)
	if err := box.drop(mailCrowd); err != nil {
		return out, err
	}
	if err := until(ctx, 200*time.Millisecond, func() (bool, error) {
		done := h.sum("evenkeel_mails_total")
		if waiting := h.sum("evenkeel_mail_waiting"); done+waiting >= mailCrowd && keptIn == 0 {
			keptIn = time.Since(begun)
		}
		return done >= mailCrowd, nil
	}); err != nil {
		return out, err
	}
	took := time.Since(begun)
	after, err := cpu(h.pid())
	if err != nil {
		return out, err
	}
	size, err := rss(h.pid())
	if err != nil {
		return out, err
	}
	out.kept, out.tickets = mailCrowd/keptIn.Seconds(), mailCrowd/took.Seconds()
	out.cpu, out.rss = float64((after-before).Microseconds())/mailCrowd, float64(size)
	for n := range mailSingles {
		if err := pause(ctx, 50*time.Millisecond+rand.N(200*time.Millisecond)); err != nil {
			return out, err
		}
		if err := box.prepare(1); err != nil {
			return out, err
		}
		sent := time.Now()
		if err := box.drop(1); err != nil {
			return out, err
		}
		if err := until(ctx, 10*time.Millisecond, func() (bool, error) {
			return h.sum("evenkeel_mails_total") >= float64(mailCrowd+n+1), nil
		}); err != nil {
			return out, err
		}
		out.arrivals = append(out.arrivals, float64(time.Since(sent).Milliseconds()))
	}
	return out, nil
}

// sum is metric for one that is not there before it has something to say.
func (h *hub) sum(name string) float64 {
	v, err := h.metric(name)
	if err != nil {
		return 0
	}
	return v
}

// until asks every so often until the answer is yes.
func until(ctx context.Context, every time.Duration, done func() (bool, error)) error {
	late := time.Now().Add(mailWithin)
	for {
		yes, err := done()
		if yes || err != nil {
			return err
		}
		if time.Now().After(late) {
			return fmt.Errorf("the hub was not done with the mails within %s", mailWithin)
		}
		if err := pause(ctx, every); err != nil {
			return err
		}
	}
}

// mailServer is a Dovecot on the other core, with one mailbox of files.
type mailServer struct {
	*process
	dir, url string
	uid, gid int
	written  int // mails made so far
	dropped  int // of them in the mailbox
}

const mailConf = `base_dir = %[1]s/run
state_dir = %[1]s/state
instance_name = bench-%[2]s
log_path = %[1]s/log
protocols = imap
listen = 127.0.0.1
default_internal_user = %[3]s
default_login_user = %[4]s
first_valid_uid = 1
first_valid_gid = 0
mail_location = maildir:%[1]s/mail/%%u
disable_plaintext_auth = no
ssl = no
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=%[5]d gid=%[6]d home=%[1]s/mail/%%u allow_all_users=yes
}
service imap-login {
  chroot =
  inet_listener imap {
    port = %[2]s
  }
}
service anvil {
  chroot =
}
service auth {
  unix_listener auth-userdb {
    mode = 0666
  }
}
`

func startMailServer(ctx context.Context) (_ *mailServer, err error) {
	dir, err := os.MkdirTemp("", "evenkeel-mail-")
	if err != nil {
		return nil, err
	}
	m := &mailServer{dir: dir, uid: os.Getuid(), gid: os.Getgid()}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	internal, login := me.Username, me.Username
	if m.uid == 0 { // it refuses to open mail as root
		internal, login = "dovecot", "dovenull"
		nobody, err := user.Lookup("nobody")
		if err != nil {
			return nil, err
		}
		m.uid, _ = strconv.Atoi(nobody.Uid)
		m.gid, _ = strconv.Atoi(nobody.Gid)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	for _, sub := range []string{"run", "state", "ready", "mail", "mail/support", "mail/support/new", "mail/support/cur", "mail/support/tmp"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
		if strings.HasPrefix(sub, "mail") {
			if err := os.Chown(filepath.Join(dir, sub), m.uid, m.gid); err != nil {
				return nil, err
			}
		}
	}
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "dovecot.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, mailConf, dir, port, internal, login, m.uid, m.gid), 0o644); err != nil {
		return nil, err
	}
	m.url = "imap://support@" + address + "/INBOX?tls=none"
	if m.process, _, err = start(ctx, 1, false, os.Stderr, nil, mailProgram, "-F", "-c", conf); err != nil {
		return nil, err
	}
	return m, until(ctx, 10*time.Millisecond, func() (bool, error) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
		}
		return err == nil, nil
	})
}

// prepare writes mails beside the mailbox.
func (m *mailServer) prepare(n int) error {
	words := strings.Fields("the shop is down since nine and we cannot pay with our card please tell us when it works again error code order number invoice login page slow timeout checkout cart server answer")
	for range n {
		m.written++
		r := rand.New(rand.NewPCG(1, uint64(m.written)))
		var b strings.Builder
		fmt.Fprintf(&b, "Return-Path: <guest%[1]d@example.org>\r\nDelivered-To: support@example.org\r\nFrom: Guest <guest%[1]d@example.org>\r\nTo: support@example.org\r\nSubject: Trouble %[2]d\r\nMessage-ID: <%[2]d@example.org>\r\nDate: Sat, 21 Nov 2026 08:00:00 +0000\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n", m.written%3000, m.written)
		for from := b.Len(); b.Len()-from < mailBody; {
			for range 12 {
				b.WriteString(words[r.IntN(len(words))] + " ")
			}
			b.WriteString("\r\n")
		}
		name := filepath.Join(m.dir, "ready", strconv.Itoa(m.written))
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			return err
		}
		if err := os.Chown(name, m.uid, m.gid); err != nil {
			return err
		}
	}
	return nil
}

// drop lets prepared mails arrive.
func (m *mailServer) drop(n int) error {
	for range n {
		m.dropped++
		to := filepath.Join(m.dir, "mail/support/new", fmt.Sprintf("%d.M%06d.bench", time.Now().Unix(), m.dropped))
		if err := os.Rename(filepath.Join(m.dir, "ready", strconv.Itoa(m.dropped)), to); err != nil {
			return err
		}
	}
	return nil
}

// close ends the server and removes its folder.
func (m *mailServer) close() error {
	stop := exec.Command(mailProgram, "-c", filepath.Join(m.dir, "dovecot.conf"), "stop")
	err := stop.Run()
	return errors.Join(err, m.process.stop(), os.RemoveAll(m.dir))
}
