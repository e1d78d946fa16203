package notify

import (
	"context"
	"net/http"
	"sync"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/notice"
)

// maxOutbox is how many messages an Outbox keeps: the newest.
const maxOutbox = 500

// Shown is one message as it would have left the house.
type Shown struct {
	ID        string    // of the delivery
	At        time.Time // UTC
	Channel   string    // id
	Kind      string    // of the channel
	To        string    // address, channel in chat, URL without its secrets
	Recipient string    // the reference in the delivery
	Event     string    // kind of the event
	Subject   string    // of a mail, or the message in one line
	Header    []Field   // of a mail or request, in order
	Text      string    // plain text
	HTML      string    // a whole document, of a mail: show it in a frame without rights
	JSON      string    // the body of a request, indented
	Attempt   int
}

// Field is one line of a header.
type Field struct{ Name, Value string }

// Outbox keeps the newest messages in memory, to be read in the console: what
// the demo sends nobody gets. All methods are safe for concurrent use.
type Outbox struct {
	mu   sync.Mutex
	list []Shown // a ring once it is full
	next int
}

// NewOutbox makes an empty Outbox.
func NewOutbox() *Outbox { return &Outbox{} }

// add keeps a message.
func (o *Outbox) add(s Shown) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.list) < maxOutbox {
		o.list = append(o.list, s)
		return
	}
	o.list[o.next] = s
	o.next = (o.next + 1) % maxOutbox
}

// Messages gives what is kept, newest first.
func (o *Outbox) Messages() []Shown {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := make([]Shown, 0, len(o.list))
	for i := range o.list {
		out = append(out, o.list[(o.next+len(o.list)-1-i)%len(o.list)])
	}
	return out
}

// Message gives the newest message of a delivery.
func (o *Outbox) Message(delivery string) (Shown, bool) {
	for _, s := range o.Messages() {
		if s.ID == delivery {
			return s, true
		}
	}
	return Shown{}, false
}

// display stands in front of a channel and writes into the outbox what it would
// have sent.
type display struct {
	channel
	id, kind string
	env      *env
}

// Send keeps what the channel would have sent.
func (d *display) Send(_ context.Context, m notice.Message) (notice.Receipt, error) {
	s, err := d.show(m)
	if err != nil {
		return notice.Receipt{}, err
	}
	s.ID, s.At, s.Channel, s.Kind = m.Delivery.ID, d.env.Now().UTC(), d.id, d.kind
	s.Recipient, s.Event, s.Attempt = m.To.Ref, m.Event.Kind, m.Attempt
	d.env.outbox.add(s)
	return notice.Receipt{Mark: "outbox", ExactOnce: true}, nil
}

// Challenge is always met: in the demo nobody is behind an endpoint.
func (d *display) Challenge(ctx context.Context, m notice.Message, _ string) error {
	_, err := d.Send(ctx, m)
	return err
}

// plain is the channel of kind outbox: words, kept.
type plain struct{ env *env }

func openOutbox(e *env, _ config.File, _ config.Channel) (channel, error) { return &plain{e}, nil }

func (p *plain) show(m notice.Message) (Shown, error) {
	t := p.env.words.telling(m)
	return Shown{Subject: t.Subject(), Text: t.text(), To: m.To.Address}, nil
}

// Send is never reached: a display stands in front of every channel of this kind.
func (p *plain) Send(context.Context, notice.Message) (notice.Receipt, error) {
	return quiet("it is kept in the outbox")
}

// Close does nothing.
func (p *plain) Close() {}

// fields gives the lines of a header that say something, in the order asked for.
func fields(h http.Header, order ...string) []Field {
	var out []Field
	for _, name := range order {
		if v := h.Get(name); v != "" {
			out = append(out, Field{name, v})
		}
	}
	return out
}
