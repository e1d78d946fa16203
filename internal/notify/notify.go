// Package notify is the outbound channels: what a delivery looks like as a mail,
// a webhook, a message in chat, a page of a pager, and how each of those places
// is spoken to. One file a channel. It sends what it is given and says what
// became of it; whom to tell, when, and what happens next is the notice wing's.
package notify

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/netguard"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

// Channel is a notice.Channel that holds connections until it is closed. Send is
// not called after Close.
type Channel interface {
	notice.Channel
	Close()
}

// Env is what the house gives to channels.
type Env struct {
	Version   string                      // stands in User-Agent
	File      *netguard.Guard             // for addresses that the file names; nil = private ones are allowed
	Strangers *netguard.Guard             // for addresses that subscribers gave; nil = public ones alone
	LookupEnv func(string) (string, bool) // for secrets; nil = os.LookupEnv
	ReadFile  func(string) ([]byte, error)
	Now       func() time.Time
	Zone      *time.Location // of the page: moments are written in it, with UTC; nil = UTC
	Signer    notice.Signer  // makes the secrets of subscribers' webhooks; nil = theirs are not signed
	// Name gives the name of who acted, by actor id, for staff; nil, or "" = not said.
	Name func(actor string) string
	// Standing gives what the page says now, for Statuspage's webhooks; nil = that
	// all is well.
	Standing func() Standing
	// Demo keeps what every channel would have sent in the outbox: nothing leaves
	// the house.
	Demo bool
}

// env is an Env with its defaults and what channels share.
type env struct {
	Env
	agent  string
	file   *caller
	far    *caller
	words  wording
	outbox *Outbox
}

// House makes channels that share connections. It is safe for concurrent use.
type House struct{ env *env }

// NewHouse makes a House. Errors: none; it connects to nothing.
func NewHouse(e Env) *House {
	if e.File == nil {
		e.File = netguard.Default()
	}
	if e.Strangers == nil {
		e.Strangers = &netguard.Guard{}
	}
	if e.LookupEnv == nil {
		e.LookupEnv = os.LookupEnv
	}
	if e.ReadFile == nil {
		e.ReadFile = os.ReadFile
	}
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.Zone == nil {
		e.Zone = time.UTC
	}
	agent := strings.TrimRight("evenkeel/"+e.Version, "/")
	return &House{env: &env{
		Env: e, agent: agent, file: newCaller(e.File, agent, true), far: newCaller(e.Strangers, agent, false),
		words: wording{zone: e.Zone, name: e.Name}, outbox: NewOutbox(),
	}}
}

// Outbox is what channels of kind outbox write to, and in the demo all of them.
func (h *House) Outbox() *Outbox { return h.env.outbox }

// Close lets go of connections that no channel uses.
func (h *House) Close() {
	h.env.file.close()
	h.env.far.close()
}

// channel is what every kind makes: it sends, and it can show what it would send.
type channel interface {
	Channel
	// show gives what Send would have sent, without connecting to anything.
	show(m notice.Message) (Shown, error)
}

// opener makes a channel of one kind. Problems name the key as in the file,
// relative to the channel. Errors: problem.Errors or *problem.Error, kind Invalid.
type opener func(e *env, f config.File, c config.Channel) (channel, error)

// kinds is every word that kind: may have.
var kinds = map[string]opener{
	"mail":             openMail,
	"webhook":          openWebhook,
	"statuspage":       openStatuspage,
	"slack":            openSlack,
	"pagerduty":        openPagerDuty,
	"pagerduty_change": openChanges,
	"alertmanager":     openAlertmanager,
	"shoutrrr":         openShoutrrr,
	"outbox":           openOutbox,
}

// Open makes a channel of the file, or the built-in mail channel (kind mail, no
// addresses). It connects to nothing. Errors: problem.Errors, kind Invalid, with
// the keys at fault.
func (h *House) Open(f config.File, c config.Channel) (Channel, error) {
	open, ok := kinds[c.Kind]
	if !ok {
		return nil, problem.Invalid("kind", "there is no kind %q; the kinds are %s", c.Kind, strings.Join(config.ChannelKinds(), ", "))
	}
	made, err := open(h.env, f, c)
	if err != nil {
		return nil, err
	}
	return h.env.shown(c.ID, c.Kind, made), nil
}

// shown puts the outbox in front of a channel that must not reach the world.
func (e *env) shown(id, kind string, c channel) Channel {
	if !e.Demo && kind != "outbox" {
		return c
	}
	return &display{channel: c, id: id, kind: kind, env: e}
}

// Subscribers makes the channels that lead to endpoints which strangers named:
// webhooks, and incoming webhooks of Slack. They are open to public addresses
// alone, unless Env.Strangers says otherwise.
func (h *House) Subscribers() (webhook, slack Channel) {
	e := h.env
	return e.shown(config.ChannelWebhook, "statuspage", &statuspage{hook: hook{env: e, caller: e.far}}),
		e.shown(config.ChannelSlack, "slack", &slackHook{env: e, caller: e.far})
}

// Pulse makes the channel of the heartbeat out. Errors: Invalid, field "url".
func (h *House) Pulse(d config.Deadman) (Channel, error) {
	return h.env.openPulse(d)
}

// Check opens a channel and gives what is wrong with it.
func (h *House) Check(f config.File, c config.Channel) error {
	made, err := h.Open(f, c)
	if err == nil {
		made.Close()
	}
	return err
}

// Reveal gives a secret of the file; one that is not given is "". Errors:
// Invalid, under the key.
func (h *House) Reveal(key string, s config.Secret) (string, error) { return h.env.secret(key, s) }

// secret reveals a secret of the file; one that is not given is "". Errors:
// Invalid, under the key.
func (e *env) secret(key string, s config.Secret) (string, error) {
	switch {
	case s.Env != "":
		value, ok := e.LookupEnv(s.Env)
		if !ok {
			return "", problem.Invalid(key, "environment variable %s is not set", s.Env)
		}
		return value, nil
	case s.File != "":
		b, err := e.ReadFile(s.File)
		if err != nil {
			return "", problem.Invalid(key, "secret file cannot be read: %v", err)
		}
		return strings.TrimRight(string(b), "\r\n"), nil
	}
	return s.Plain, nil
}

// collect gathers problems of several keys.
type collect struct{ problem.Errors }

func (c *collect) add(key, format string, args ...any) {
	c.Errors = append(c.Errors, problem.Invalid(key, format, args...))
}

// take notes an error of a key, where there is one.
func (c *collect) take(err error) {
	switch e := err.(type) {
	case nil:
	case *problem.Error:
		c.Errors = append(c.Errors, e)
	case problem.Errors:
		c.Errors = append(c.Errors, e...)
	default:
		c.Errors = append(c.Errors, problem.Invalid("", "%v", err))
	}
}

// toStaff reports whether a message goes to staff, who may read everything. All
// others are subscribers, or strangers.
func toStaff(m notice.Message) bool {
	kind, _, _ := strings.Cut(m.To.Ref, "/")
	return slices.Contains([]string{"person", "route", "rotation", "channel", "deadman"}, kind)
}

// quiet is the receipt for what a kind of channel has no word for: a pager need
// not hear that an update was published.
func quiet(reason string) (notice.Receipt, error) {
	return notice.Receipt{Mark: "nothing to send: " + reason, ExactOnce: true}, nil
}

// ended gives a context's end as a refusal that may pass.
func ended(ctx context.Context) *notice.Refusal {
	return &notice.Refusal{Reason: "no answer in time", Err: context.Cause(ctx)}
}
