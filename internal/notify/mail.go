package notify

import (
	"cmp"
	"context"
	"errors"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	gomail "github.com/wneessen/go-mail"
	"golang.org/x/net/idna"

	"evenkeel/internal/config"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

// mailer is the channel of kind mail: to people and subscribers by their
// addresses, or to fixed ones.
type mailer struct {
	env   *env
	post  *postOffice
	from  *mail.Address
	reply *mail.Address // nil = from
	to    []*mail.Address

	mu    sync.Mutex
	taken map[string][]string // by delivery: addresses that have it, while others have not
}

// openMail makes a mail channel; without to it writes to whom a message is for.
func openMail(e *env, f config.File, c config.Channel) (channel, error) {
	var found collect
	m := &mailer{env: e}
	var err error
	if m.from, err = address("from", f.SMTP.From); err != nil {
		found.take(err)
	}
	if f.SMTP.ReplyTo != "" {
		m.reply, err = address("reply_to", f.SMTP.ReplyTo)
		found.take(err)
	}
	for _, text := range c.To {
		to, err := address("to", text)
		found.take(err)
		m.to = append(m.to, to)
	}
	m.post, err = e.postOffice(f.SMTP, m.from)
	found.take(err)
	if err := found.Err(); err != nil {
		return nil, err
	}
	return m, nil
}

// address reads an e-mail address, with a name or without; its domain becomes
// ASCII (RFC 5891). Errors: Invalid.
func address(key, text string) (*mail.Address, error) {
	a, err := mail.ParseAddress(text)
	if err != nil {
		return nil, problem.Invalid(key, "is not an e-mail address")
	}
	local, domain, _ := cutLast(a.Address, '@')
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || ascii == "" {
		return nil, problem.Invalid(key, "the domain of the address is not valid")
	}
	for _, r := range local {
		if r > '~' || r <= ' ' {
			return nil, problem.Invalid(key, "what stands before the @ must be ASCII: few mail servers take other letters there")
		}
	}
	return &mail.Address{Name: line(a.Name, maxTitle), Address: local + "@" + ascii}, nil
}

// cutLast cuts around the last c.
func cutLast(s string, c byte) (before, after string, found bool) {
	i := strings.LastIndexByte(s, c)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// Close lets go of connections.
func (m *mailer) Close() { m.post.close() }

// Send writes one mail to each address. Of several the refusal of one does not
// keep the others from theirs: those who got it are left out when it is sent
// again, as long as this process remembers.
func (m *mailer) Send(ctx context.Context, msg notice.Message) (notice.Receipt, error) {
	l, err := m.letter(msg)
	if err != nil {
		return notice.Receipt{}, err
	}
	var refusals []*notice.Refusal
	all := l.to
	for _, to := range all {
		if m.took(l.delivery, to.Address) {
			continue
		}
		l.to = []*mail.Address{to}
		out, err := l.compose(ctx, m.env.agent)
		if err != nil {
			return notice.Receipt{}, &notice.Refusal{Permanent: true, Reason: "the mail cannot be written", Err: err}
		}
		switch err := m.post.send(ctx, out); {
		case err != nil:
			refusals = append(refusals, mailRefusal(ctx, err))
		case len(all) > 1:
			m.take(l.delivery, to.Address)
		}
	}
	if len(refusals) > 0 {
		return notice.Receipt{}, together(refusals, len(all))
	}
	m.forget(l.delivery)
	return notice.Receipt{Mark: l.id}, nil
}

// together makes one refusal of those of several addresses: it is over only when
// none of them can pass.
func together(list []*notice.Refusal, of int) *notice.Refusal {
	out := *list[0]
	for _, r := range list[1:] {
		if !r.Permanent {
			out = *r
		}
		out.RetryAfter = max(out.RetryAfter, r.RetryAfter)
	}
	if of > 1 {
		out.Reason = strconv.Itoa(len(list)) + " of " + strconv.Itoa(of) + " addresses: " + out.Reason
	}
	return &out
}

// maxTaken is how many deliveries to several addresses are remembered that were
// not taken by all.
const maxTaken = 1000

// took reports whether an address has a delivery already.
func (m *mailer) took(delivery, address string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Contains(m.taken[delivery], address)
}

// take remembers that an address has a delivery.
func (m *mailer) take(delivery, address string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.taken == nil || len(m.taken) >= maxTaken {
		m.taken = map[string][]string{}
	}
	m.taken[delivery] = append(m.taken[delivery], address)
}

// forget lets go of a delivery that all addresses have.
func (m *mailer) forget(delivery string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.taken, delivery)
}

func (m *mailer) show(msg notice.Message) (Shown, error) {
	l, err := m.letter(msg)
	if err != nil {
		return Shown{}, err
	}
	out := Shown{Subject: l.subject, Text: l.text, HTML: l.html, Header: l.header}
	for _, to := range l.to {
		out.To = strings.TrimPrefix(out.To+", "+to.Address, ", ")
	}
	return out, nil
}

// letter is a mail before it is encoded.
type letter struct {
	id       string // Message-ID, with its angle brackets
	from     *mail.Address
	reply    *mail.Address
	to       []*mail.Address
	subject  string
	header   []Field // what stands beside the addresses, subject, date and id
	text     string
	html     string // "" = plain text alone
	delivery string
	cc       []*mail.Address
	files    []notice.Enclosure
}

// letter writes the mail of a message. Errors: *notice.Refusal.
func (m *mailer) letter(msg notice.Message) (letter, error) {
	if msg.Letter != nil {
		return m.answer(msg)
	}
	t := m.env.words.telling(msg)
	l := letter{from: m.from, reply: m.reply, to: m.to, subject: t.Subject(), text: t.text(), delivery: msg.Delivery.ID}
	if l.from.Name == "" {
		l.from = &mail.Address{Name: t.Page, Address: m.from.Address}
	}
	if msg.To.Address != "" {
		to, err := address("to", msg.To.Address)
		if err != nil {
			return l, &notice.Refusal{Permanent: true, Theirs: true, Reason: problem.Public(err), Err: err}
		}
		if to.Name == "" {
			to.Name = line(msg.To.Name, maxTitle)
		}
		l.to = []*mail.Address{to}
	}
	if len(l.to) == 0 {
		return l, &notice.Refusal{Permanent: true, Reason: "there is no address to write to"}
	}
	var err error
	if l.html, err = t.html(); err != nil {
		return l, &notice.Refusal{Permanent: true, Reason: "the mail cannot be written", Err: err}
	}
	_, domain, _ := cutLast(m.from.Address, '@')
	l.id = "<" + msg.Delivery.ID + "@" + domain + ">"
	l.headers(t, msg, domain)
	return l, nil
}

// headers says what programs on the way must know: to whom the mail belongs,
// that a machine wrote it (RFC 3834), how a subscriber gets off the list with one
// click (RFC 8058), and, for who reads bounces, which delivery it was.
func (l *letter) headers(t telling, msg notice.Message, domain string) {
	add := func(name, value string) { l.header = append(l.header, Field{name, value}) }
	if isMessageID(msg.Thread) && msg.Thread != l.id {
		add("In-Reply-To", msg.Thread)
		add("References", msg.Thread)
	}
	add("Auto-Submitted", "auto-generated")
	add("X-Auto-Response-Suppress", "All")
	add(HeaderDelivery, msg.Delivery.ID)
	if t.Staff {
		return
	}
	host := domain
	if u, err := url.Parse(msg.Page); err == nil && strings.Contains(u.Hostname(), ".") && !strings.Contains(u.Hostname(), ":") {
		host = u.Hostname()
	}
	add("List-Id", "<updates."+host+">") // RFC 2919
	add("Precedence", "list")
	if t.Unsubscribe != "" {
		add("List-Unsubscribe", "<"+t.Unsubscribe+">")
		add("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
}

// isMessageID reports whether a mark is one of a mail.
func isMessageID(mark string) bool {
	return len(mark) > 2 && len(mark) < 512 && mark[0] == '<' && mark[len(mark)-1] == '>' && strings.Count(mark, "@") == 1 &&
		!strings.ContainsAny(mark[1:len(mark)-1], "<> \t\r\n")
}

// compose encodes the mail.
func (l *letter) compose(ctx context.Context, agent string) (*gomail.Msg, error) {
	m := gomail.NewMsg(gomail.WithEncoding(gomail.EncodingQP))
	m.FromMailAddress(l.from)
	m.EnvelopeFromMailAddress(&mail.Address{Address: l.from.Address})
	m.ToMailAddress(l.to...)
	m.CcMailAddress(l.cc...)
	if l.reply != nil {
		if err := m.ReplyTo(l.reply.String()); err != nil {
			return nil, err
		}
	}
	m.Subject(l.subject)
	m.SetMessageIDWithValue(strings.Trim(l.id, "<>"))
	m.SetDate()
	m.SetUserAgent(agent)
	for _, f := range l.header {
		if strings.ContainsAny(f.Value, "\r\n") {
			return nil, errors.New("a header with a line break")
		}
		if f.Name == "References" {
			f.Value = strings.ReplaceAll(f.Value, " ", "\r\n ") // a line takes 998 bytes
		}
		m.SetGenHeaderPreformatted(gomail.Header(f.Name), f.Value)
	}
	m.SetBodyString(gomail.TypeTextPlain, l.text)
	if l.html != "" {
		m.AddAlternativeString(gomail.TypeTextHTML, l.html)
	}
	m.SetAttachments(attached(ctx, l.files))
	return m, nil
}

// hardBounces are the enhanced codes (RFC 3463, RFC 7505) that say that a mailbox
// or its domain does not exist.
var hardBounces = map[string]bool{"5.1.1": true, "5.1.2": true, "5.1.3": true, "5.1.6": true, "5.1.10": true}

// mailRefusal gives an error of the mail server as a refusal.
func mailRefusal(ctx context.Context, err error) *notice.Refusal {
	if r, ok := errors.AsType[*notice.Refusal](err); ok {
		return r
	}
	e, ok := errors.AsType[*gomail.SendError](err)
	if !ok || e.ErrorCode() == 0 {
		return lost(ctx, err)
	}
	r := &notice.Refusal{Reason: "the mail server answered " + code(e), Err: err}
	// What a server says at the recipient concerns this one alone; at the sender,
	// or about the content, it may concern all.
	r.Theirs = e.Reason == gomail.ErrSMTPRcptTo
	r.Permanent = e.ErrorCode()/100 == 5
	r.Gone = r.Theirs && r.Permanent && hardBounces[e.EnhancedStatusCode()]
	return r
}

// code writes what a server answered, without its words: they may repeat the
// address.
func code(e *gomail.SendError) string {
	text := []string{strconv.Itoa(e.ErrorCode())}
	if enhanced := e.EnhancedStatusCode(); enhanced != "" {
		text = append(text, enhanced)
	}
	return strings.Join(text, " ") + " to " + cmp.Or(stages[e.Reason], "the mail")
}

// stages are the commands that can be refused.
var stages = map[gomail.SendErrReason]string{
	gomail.ErrSMTPMailFrom: "MAIL FROM", gomail.ErrSMTPRcptTo: "RCPT TO", gomail.ErrSMTPData: "DATA", gomail.ErrSMTPDataClose: "the content",
}
