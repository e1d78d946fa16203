package notify

import (
	"context"
	"io"
	"mime"
	"net/mail"
	"net/textproto"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

// maxReferences bounds how much of a thread a letter names, in bytes: the root and
// the newest, as RFC 5322 3.6.4 and what servers take of a line allow.
const maxReferences = 2000

// answer writes a letter to somebody who wrote in: what a person said, in the
// thread of what it answers. Errors: *notice.Refusal.
func (m *mailer) answer(msg notice.Message) (letter, error) {
	a := msg.Letter
	l := letter{subject: line(a.Subject, maxTitle), text: a.Text, html: a.HTML, delivery: msg.Delivery.ID, files: a.Attachments}
	refuse := func(theirs bool, err error) (letter, error) {
		return l, &notice.Refusal{Permanent: true, Theirs: theirs, Reason: problem.Public(err), Err: err}
	}
	to, err := address("to", msg.To.Address)
	if err != nil {
		return refuse(true, err)
	}
	to.Name = line(msg.To.Name, maxTitle)
	l.to = []*mail.Address{to}
	l.from = m.from
	if a.From.Address != "" {
		if l.from, err = correspondent("from", a.From); err != nil {
			return refuse(false, err)
		}
	}
	if a.ReplyTo.Address != "" {
		if l.reply, err = correspondent("reply_to", a.ReplyTo); err != nil {
			return refuse(false, err)
		}
	}
	for _, c := range a.Cc {
		if cc, err := correspondent("cc", c); err == nil { // one bad copy keeps nobody else from it
			l.cc = append(l.cc, cc)
		}
	}
	if l.id = bracketed(a.MessageID); l.id == "" {
		return l, &notice.Refusal{Permanent: true, Reason: "the answer has no Message-ID"}
	}
	l.thread(a)
	if a.Automatic {
		l.add("Auto-Submitted", "auto-replied") // RFC 3834 section 5
		l.add("X-Auto-Response-Suppress", "All")
		l.add("Precedence", "bulk")
	}
	l.add(HeaderDelivery, msg.Delivery.ID)
	return l, nil
}

// correspondent reads an address that has its name apart. Errors: Invalid.
func correspondent(key string, c notice.Correspondent) (*mail.Address, error) {
	a, err := address(key, c.Address)
	if err != nil {
		return nil, err
	}
	a.Name = line(c.Name, maxTitle)
	return a, nil
}

// bracketed gives a Message-ID as it stands in a header; "" for what is none.
func bracketed(id string) string {
	if id = "<" + strings.Trim(id, "<> ") + ">"; isMessageID(id) {
		return id
	}
	return ""
}

// thread says what the letter answers (RFC 5322 section 3.6.4).
func (l *letter) thread(a *notice.Letter) {
	parent := bracketed(a.InReplyTo)
	if parent != "" {
		l.add("In-Reply-To", parent)
	}
	var ids []string
	seen := map[string]bool{l.id: true}
	for _, id := range append(append([]string(nil), a.References...), a.InReplyTo) {
		if id = bracketed(id); id != "" && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	size := 0
	for _, id := range ids {
		size += len(id) + 1
	}
	for len(ids) > 2 && size > maxReferences { // behind the root, the oldest go
		size -= len(ids[1]) + 1
		ids = append(ids[:1], ids[2:]...)
	}
	if len(ids) > 0 {
		l.add("References", strings.Join(ids, " "))
	}
}

// add adds a line to the header.
func (l *letter) add(name, value string) { l.header = append(l.header, Field{name, value}) }

// attached gives the files of a letter as they go into a mail: read when they are
// written, and not before.
func attached(ctx context.Context, files []notice.Enclosure) []*gomail.File {
	out := make([]*gomail.File, 0, len(files))
	for _, f := range files {
		kind := f.Type
		if _, _, err := mime.ParseMediaType(kind); err != nil {
			kind = "application/octet-stream"
		}
		out = append(out, &gomail.File{
			Name: line(f.Name, maxTitle), ContentType: gomail.ContentType(kind), Enc: gomail.EncodingB64, Header: textproto.MIMEHeader{},
			Writer: func(w io.Writer) (int64, error) {
				r, err := f.Open(ctx)
				if err != nil {
					return 0, err
				}
				defer r.Close()
				return io.Copy(w, r)
			},
		})
	}
	return out
}
