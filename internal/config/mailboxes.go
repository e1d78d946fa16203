package config

import (
	"cmp"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/problem"
)

// Mailbox is a mailbox that we read: its mails become tickets.
type Mailbox struct {
	Name         string        `yaml:"name"`          // lower-case letters, digits and dashes; stands in metrics and the API, and must not change
	URL          Secret        `yaml:"url"`           // imaps://user@mail.example.org:993/INBOX (TLS) or imap://…:143/INBOX (STARTTLS, which must succeed); ?tls=none for a server without. An @ in the user is written %40
	Password     Secret        `yaml:"password"`      // unless it stands in the URL
	PasswordFile string        `yaml:"password_file"` // the same as password: {file: PATH}
	OAuth        OAuthMail     `yaml:"oauth"`         // sign in with tokens instead of a password
	CAFile       string        `yaml:"ca_file"`       // certificates to trust instead of the system's, PEM
	Addresses    []string      `yaml:"addresses"`     // other addresses whose mail arrives here; from and the user of the url are known
	From         string        `yaml:"from"`          // who answers: support@example.org, or Example support <support@example.org>; default smtp.from
	Since        string        `yaml:"since"`         // which mails that are there already are fetched at the first look, quietly: now (default: none), all, or those of the last 30d
	After        string        `yaml:"after"`         // what happens on the server once a mail is a ticket: leave (default), seen, move:FOLDER, delete, or delete:14d
	Spam         string        `yaml:"spam_folder"`   // where mail that is marked as spam is moved; default: as after
	Failures     string        `yaml:"failed_folder"` // where mail that could not be read is moved; default: left where it is
	MaxBytes     int64         `yaml:"max_bytes"`     // larger mails are set aside with their first part alone; default 100 MiB
	Poll         Duration      `yaml:"poll"`          // how often to look besides listening; default 1m, 30s where the server cannot tell of new mail
	Queue        string        `yaml:"queue"`         // of the tickets; default: the first one
	Acknowledge  *bool         `yaml:"acknowledge"`   // default: acknowledge of the file
	AuthServID   string        `yaml:"authserv_id"`   // name under which this mail server writes Authentication-Results; no other's are believed
	Automation   []MailTrigger `yaml:"automation"`    // mails that move a component instead of becoming tickets
}

// OAuthMail is how tokens for a mailbox are had (RFC 6749, section 6).
type OAuthMail struct {
	Provider     string   `yaml:"provider"`  // google or microsoft: fills in token_url, mechanism and scopes
	TokenURL     string   `yaml:"token_url"` // where tokens are had
	ClientID     string   `yaml:"client_id"`
	ClientSecret Secret   `yaml:"client_secret"`
	RefreshToken Secret   `yaml:"refresh_token"` // the first one; those that follow are kept sealed in the database
	Scopes       []string `yaml:"scopes"`
	Mechanism    string   `yaml:"mechanism"` // xoauth2 (default) or oauthbearer
}

// MailTrigger is an address that machines write to: the subject UP or DOWN moves
// a component.
type MailTrigger struct {
	To        string   `yaml:"to"`        // the address, e.g. support+shop@example.org
	Component string   `yaml:"component"` // id
	From      []string `yaml:"from"`      // addresses that are heeded; each must be proven by authserv_id
}

// Given reports whether the file says anything about tokens.
func (o OAuthMail) Given() bool {
	return o.Provider != "" || o.TokenURL != "" || o.ClientID != "" || o.ClientSecret.Given() || o.RefreshToken.Given()
}

// The defaults of mailboxes.
const (
	DefaultMailBytes = 100 << 20
	DefaultMailPoll  = Duration(time.Minute)
	DefaultAfter     = "leave"
	DefaultSince     = "now"
)

// What answers can say.
const (
	AnswersReview = "review"
	AnswersAuto   = "auto"
)

// oauthPresets are what a provider's name stands for.
var oauthPresets = map[string]OAuthMail{
	"google": {TokenURL: "https://oauth2.googleapis.com/token", Mechanism: "xoauth2", Scopes: []string{"https://mail.google.com/"}},
	"microsoft": {TokenURL: "https://login.microsoftonline.com/common/oauth2/v2.0/token", Mechanism: "xoauth2",
		Scopes: []string{"https://outlook.office.com/IMAP.AccessAsUser.All", "offline_access"}},
}

// fillMailboxes replaces what the file leaves out.
func (f *File) fillMailboxes() {
	f.Answers = cmp.Or(f.Answers, AnswersReview)
	for i := range f.Mailboxes {
		m := &f.Mailboxes[i]
		m.From = cmp.Or(m.From, f.SMTP.From)
		m.Since, m.After = cmp.Or(m.Since, DefaultSince), cmp.Or(m.After, DefaultAfter)
		m.Acknowledge = cmp.Or(m.Acknowledge, &f.Acknowledge)
		m.MaxBytes, m.Poll = cmp.Or(m.MaxBytes, DefaultMailBytes), cmp.Or(m.Poll, DefaultMailPoll)
		if m.PasswordFile != "" && !m.Password.Given() {
			m.Password = Secret{File: m.PasswordFile}
		}
		if o := &m.OAuth; o.Given() {
			p := oauthPresets[o.Provider]
			o.TokenURL = cmp.Or(o.TokenURL, p.TokenURL)
			o.Mechanism = cmp.Or(o.Mechanism, p.Mechanism, "xoauth2")
			if len(o.Scopes) == 0 {
				o.Scopes = p.Scopes
			}
		}
	}
}

// eachMailSecret visits the secrets of mailboxes, with their paths.
func (f *File) eachMailSecret(visit func(path string, s *Secret)) {
	for i := range f.Mailboxes {
		m, at := &f.Mailboxes[i], "mailboxes["+strconv.Itoa(i)+"]"
		visit(at+".url", &m.URL)
		visit(at+".password", &m.Password)
		visit(at+".oauth.client_secret", &m.OAuth.ClientSecret)
		visit(at+".oauth.refresh_token", &m.OAuth.RefreshToken)
	}
}

// MailServer is where a mailbox is, read from its URL.
type MailServer struct {
	Address  string // host:port
	Host     string
	User     string
	Password string // "" unless it stands in the URL
	Folder   string // INBOX unless the URL says
	TLS      bool   // from the first byte
	StartTLS bool   // asked for before signing in; neither = in the clear
}

// ParseMailURL reads the URL of a mailbox. Errors: Invalid; it never repeats the URL.
func ParseMailURL(raw string) (MailServer, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return MailServer{}, problem.Invalid("url", "this URL cannot be read; special characters are written %%40, %%2F and so on")
	}
	m := MailServer{Host: u.Hostname(), Folder: strings.TrimPrefix(u.Path, "/")}
	m.Folder = cmp.Or(m.Folder, "INBOX")
	if u.User != nil {
		m.User = u.User.Username()
		m.Password, _ = u.User.Password()
	}
	port, query := "143", u.Query()
	switch u.Scheme {
	case "imaps":
		port, m.TLS = "993", true
	case "imap":
		m.StartTLS = true
	default:
		return MailServer{}, problem.Invalid("url", "a mailbox is at imaps:// or imap://")
	}
	if mode := query.Get("tls"); mode != "" {
		if mode != "none" || m.TLS {
			return MailServer{}, problem.Invalid("url", "the only word for tls= is none, and it goes with imap://")
		}
		m.StartTLS = false
	}
	query.Del("tls")
	switch {
	case m.Host == "":
		return MailServer{}, problem.Invalid("url", "which server? write imaps://user@mail.example.org/INBOX")
	case m.User == "":
		return MailServer{}, problem.Invalid("url", "whose mailbox? write imaps://user@mail.example.org/INBOX")
	case len(query) > 0 || u.Fragment != "":
		return MailServer{}, problem.Invalid("url", "nothing but tls=none can follow the folder")
	}
	m.Address = net.JoinHostPort(m.Host, cmp.Or(u.Port(), port))
	return m, nil
}

// What After can say.
const (
	AfterLeave  = "leave"
	AfterSeen   = "seen"
	AfterMove   = "move"
	AfterDelete = "delete"
)

// ParseAfter reads what happens on the server after a mail became a ticket.
// Errors: Invalid.
func ParseAfter(text string) (what, folder string, wait time.Duration, err error) {
	what, rest, more := strings.Cut(text, ":")
	switch {
	case what == AfterLeave && !more, what == AfterSeen && !more, what == AfterDelete && !more:
		return what, "", 0, nil
	case what == AfterMove && rest != "":
		return what, rest, 0, nil
	case what == AfterDelete && more:
		if d, err := ParseDuration(rest); err == nil {
			return what, "", d.D(), nil
		}
	}
	return "", "", 0, problem.Invalid("after", "write leave, seen, move:FOLDER, delete, or delete:14d")
}

// ParseSince reads which mails that are there already are fetched: those of the
// last so long, all when all is true, none when both are zero. Errors: Invalid.
func ParseSince(text string) (last time.Duration, all bool, err error) {
	switch text {
	case "now":
		return 0, false, nil
	case "all":
		return 0, true, nil
	}
	d, err := ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, false, problem.Invalid("since", "write now, all, or how far back, e.g. 30d")
	}
	return d.D(), false, nil
}
