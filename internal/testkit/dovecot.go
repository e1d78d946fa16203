package testkit

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// dovecotWithin bounds the start and the stop of a server, and one delivery.
const dovecotWithin = 30 * time.Second

// The account of every Dovecot of the tests, and the key that its access tokens
// (JWT, HS256) are signed with.
const (
	DovecotUser     = "support@example.org"
	DovecotPassword = "secret"
	DovecotTokenKey = "testsecret"
)

// Dovecot is a throw-away mail server: IMAP with STARTTLS, IMAPS, and LMTP to
// deliver by. It takes passwords and access tokens. It ends with the test.
type Dovecot struct {
	IMAP, IMAPS, LMTP string // host:port
	Certificate       Certificate

	dir   string
	conf  string
	cmd   *exec.Cmd
	ended chan struct{}
	uid   int // whom the mails belong to; -1 = us
	gid   int
	put   int // mails laid down so far
}

// NewDovecot starts a server. Where Dovecot is not installed the test is skipped.
func NewDovecot(tb testing.TB) *Dovecot {
	tb.Helper()
	if _, err := os.Stat(dovecotProgram); err != nil {
		tb.Skip("SKIP: dovecot is not installed")
	}
	d := &Dovecot{dir: shortDir(tb), Certificate: NewCertificate(tb), uid: -1, gid: -1}
	if err := os.Chmod(d.dir, 0o755); err != nil {
		tb.Fatal(err)
	}
	d.IMAP, d.IMAPS, d.LMTP = loopback(tb), loopback(tb), loopback(tb)
	d.conf = filepath.Join(d.dir, "dovecot.conf")
	d.write(tb)
	tb.Cleanup(func() { d.Kill(tb) })
	d.Start(tb)
	return d
}

const dovecotProgram = "/usr/sbin/dovecot"

// loopback gives a free address of this machine.
func loopback(tb testing.TB) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(tb)))
}

// write makes the server's folder.
func (d *Dovecot) write(tb testing.TB) {
	tb.Helper()
	put := func(name, text string) {
		if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	for _, folder := range []string{"run", "state", "mail", "keys/default/HS256"} {
		if err := os.MkdirAll(filepath.Join(d.dir, folder), 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	put("users", DovecotUser+":{PLAIN}"+DovecotPassword+"::::::\n")
	put("keys/default/HS256/default", base64.StdEncoding.EncodeToString([]byte(DovecotTokenKey)))
	put("oauth2.conf", "introspection_mode = local\nlocal_validation_key_dict = fs:posix:prefix="+d.dir+"/keys/\nusername_attribute = email\n")
	me, err := user.Current()
	if err != nil {
		tb.Fatal(err)
	}
	account, internal, login := me.Username, me.Username, me.Username
	if os.Getuid() == 0 { // it refuses to open mail as root
		account, internal, login = "nobody", "dovecot", "dovenull"
		nobody, err := user.Lookup(account)
		if err != nil {
			tb.Fatal(err)
		}
		d.uid, _ = strconv.Atoi(nobody.Uid)
		d.gid, _ = strconv.Atoi(nobody.Gid)
		if err := os.Chown(filepath.Join(d.dir, "mail"), d.uid, d.gid); err != nil {
			tb.Fatal(err)
		}
	}
	group := "nogroup"
	if account != "nobody" {
		group = strconv.Itoa(os.Getgid())
	}
	port := func(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }
	put("dovecot.conf", fmt.Sprintf(dovecotConf, d.dir, port(d.IMAP), internal, login, d.Certificate.Cert, d.Certificate.Key, account, group, port(d.IMAPS), port(d.LMTP)))
}

// dovecotConf takes: 1 folder, 2 IMAP port, 3 internal user, 4 login user,
// 5 certificate, 6 key, 7 mail user, 8 mail group, 9 IMAPS port, 10 LMTP port.
const dovecotConf = `base_dir = %[1]s/run
state_dir = %[1]s/state
instance_name = test-%[2]s
log_path = %[1]s/log
protocols = imap lmtp
listen = 127.0.0.1
default_internal_user = %[3]s
default_login_user = %[4]s
first_valid_uid = 1
first_valid_gid = 0
mail_location = maildir:%[1]s/mail/%%u
auth_mechanisms = plain login xoauth2 oauthbearer
disable_plaintext_auth = no
ssl = yes
ssl_cert = <%[5]s
ssl_key = <%[6]s
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%%u %[1]s/users
}
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = %[1]s/oauth2.conf
}
userdb {
  driver = static
  args = uid=%[7]s gid=%[8]s home=%[1]s/mail/%%u allow_all_users=yes
}
namespace inbox {
  inbox = yes
  separator = /
}
service imap-login {
  chroot =
  inet_listener imap {
    port = %[2]s
  }
  inet_listener imaps {
    port = %[9]s
    ssl = yes
  }
}
service lmtp {
  inet_listener lmtp {
    port = %[10]s
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
protocol imap {
  mail_max_userip_connections = 50
}
protocol lmtp {
  postmaster_address = postmaster@example.org
}
`

// Start starts the server, again after Kill, and waits until it answers.
func (d *Dovecot) Start(tb testing.TB) {
	tb.Helper()
	d.cmd = exec.Command(dovecotProgram, "-F", "-c", d.conf)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := d.cmd.Start(); err != nil {
		tb.Fatalf("start dovecot: %v", err)
	}
	cmd, ended := d.cmd, make(chan struct{})
	d.ended = ended
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	Await(tb, "dovecot to answer", dovecotWithin, func() bool {
		select {
		case <-ended:
			text, _ := os.ReadFile(filepath.Join(d.dir, "log"))
			tb.Fatalf("dovecot ended: %s", text)
		default:
		}
		c, err := net.Dial("tcp", d.IMAP)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// Kill ends the server with all its connections.
func (d *Dovecot) Kill(tb testing.TB) {
	tb.Helper()
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // it ends its children
	select {
	case <-d.ended:
	case <-time.After(dovecotWithin):
		_ = d.cmd.Process.Kill()
		tb.Errorf("dovecot did not end within %v", dovecotWithin)
	}
	d.cmd = nil
}

// URL gives the mailbox as a configuration has it: scheme imaps or imap.
func (d *Dovecot) URL(scheme string) string {
	address := d.IMAPS
	if scheme == "imap" {
		address = d.IMAP
	}
	return scheme + "://" + strings.ReplaceAll(DovecotUser, "@", "%40") + "@" + address + "/INBOX"
}

// Deliver delivers a mail as a mail server would, by LMTP (RFC 2033).
func (d *Dovecot) Deliver(tb testing.TB, raw string) {
	tb.Helper()
	c, err := net.Dial("tcp", d.LMTP)
	if err != nil {
		tb.Fatalf("deliver: %v", err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(dovecotWithin))
	answers := bufio.NewReader(c)
	expect := func(code string) {
		tb.Helper()
		for {
			line, err := answers.ReadString('\n')
			if err != nil || !strings.HasPrefix(line, code) {
				tb.Fatalf("deliver: wanted %s, got %q, %v", code, line, err)
			}
			if len(line) < 4 || line[3] != '-' {
				return
			}
		}
	}
	say := func(line, code string) {
		tb.Helper()
		if _, err := fmt.Fprint(c, line, "\r\n"); err != nil {
			tb.Fatalf("deliver: %v", err)
		}
		expect(code)
	}
	expect("220")
	say("LHLO test", "250")
	say("MAIL FROM:<sender@example.org>", "250")
	say("RCPT TO:<"+DovecotUser+">", "250")
	say("DATA", "354")
	raw = strings.ReplaceAll(strings.ReplaceAll(raw, "\r\n", "\n"), "\n", "\r\n")
	say(strings.ReplaceAll("\r\n"+raw, "\r\n.", "\r\n..")[2:]+"\r\n.", "250")
}

// Put lays mails into the mailbox's folder as files, many thousands in a second.
// Dovecot finds them at its next look.
func (d *Dovecot) Put(tb testing.TB, mails func(yield func(string) bool)) {
	tb.Helper()
	box := filepath.Join(d.dir, "mail", DovecotUser)
	for _, sub := range []string{"", "new", "cur", "tmp"} {
		if err := os.MkdirAll(filepath.Join(box, sub), 0o700); err != nil {
			tb.Fatal(err)
		}
		d.own(tb, filepath.Join(box, sub))
	}
	now := time.Now()
	for raw := range mails {
		d.put++
		name := filepath.Join(box, "new", fmt.Sprintf("%d.M%06dP%d.test,S=%d", now.Unix(), d.put, os.Getpid(), len(raw)))
		if err := os.WriteFile(name, []byte(raw), 0o600); err != nil {
			tb.Fatal(err)
		}
		d.own(tb, name)
	}
}

func (d *Dovecot) own(tb testing.TB, path string) {
	if d.uid < 0 {
		return
	}
	if err := os.Chown(path, d.uid, d.gid); err != nil {
		tb.Fatal(err)
	}
}

// Count tells how many mails lie in a folder; "" is INBOX.
func (d *Dovecot) Count(tb testing.TB, folder string) int {
	tb.Helper()
	box := filepath.Join(d.dir, "mail", DovecotUser)
	if folder != "" {
		box = filepath.Join(box, "."+folder)
	}
	n := 0
	for _, sub := range []string{"new", "cur"} {
		files, err := os.ReadDir(filepath.Join(box, sub))
		if err != nil && !os.IsNotExist(err) {
			tb.Fatal(err)
		}
		n += len(files)
	}
	return n
}
