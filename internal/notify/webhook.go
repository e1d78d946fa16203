package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/markup"
	"evenkeel/internal/notice"
)

// What our webhooks carry.
const (
	// HeaderDelivery holds the id of the delivery: the same for every attempt, so
	// that a receiver knows a repeat.
	HeaderDelivery = "Evenkeel-Delivery"
	// HeaderSignature holds "t=UNIX,v1=HEX": HMAC-SHA-256 over "UNIX.BODY" under
	// the secret of the webhook.
	HeaderSignature = "Evenkeel-Signature"
)

// Sign gives the value of HeaderSignature.
func Sign(secret string, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// hook is what both webhooks share: where to, under which secret.
type hook struct {
	env    *env
	caller *caller
	to     string // "" = the recipient's own address
	secret string
	header http.Header
}

// openHook reads the keys of a webhook.
func openHook(e *env, c config.Channel) (hook, error) {
	var found collect
	to, err := e.secret("url", c.URL)
	found.take(err)
	if err == nil {
		_, err = webAddress("url", to)
		found.take(err)
	}
	secret, err := e.secret("secret", c.Secret)
	found.take(err)
	token, err := e.secret("token", c.Token)
	found.take(err)
	return hook{env: e, caller: e.file, to: to, secret: secret, header: bearer(token)}, found.Err()
}

// bearer gives the header that carries a token; nil for none.
func bearer(token string) http.Header {
	if token == "" {
		return nil
	}
	return http.Header{"Authorization": {"Bearer " + token}}
}

// Close does nothing: connections belong to the house.
func (h *hook) Close() {}

// target gives the address of a message and the secret that signs for it.
func (h *hook) target(m notice.Message) (to, secret string) {
	if h.to != "" {
		return h.to, h.secret
	}
	return m.To.Address, SubscriberSecret(h.env.Signer, m.To.Ref)
}

// SubscriberSecret gives the secret that signs the webhooks of a subscriber
// (subscriber/ID): it is told with the challenge and on the subscriber's own
// page. "" without a signer.
func SubscriberSecret(s notice.Signer, ref string) string {
	if s == nil || ref == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(s.Sign("webhook secret\x00" + ref)[:24])
}

// headers gives the header of a request.
func (h *hook) headers(delivery, secret string, body []byte) http.Header {
	out := http.Header{HeaderDelivery: {delivery}}
	for name, values := range h.header {
		out[name] = values
	}
	if secret != "" {
		out[HeaderSignature] = []string{Sign(secret, body, h.env.Now())}
	}
	return out
}

// deliver posts a body under an id that a repeat is known by, and judges the answer.
func (h *hook) deliver(ctx context.Context, m notice.Message, id string, body []byte) (notice.Receipt, error) {
	to, secret := h.target(m)
	a, err := h.caller.post(ctx, to, body, h.headers(id, secret, body))
	if err != nil {
		return notice.Receipt{}, err
	}
	if r := judge(a, h.env.Now()); r != nil {
		return notice.Receipt{}, r
	}
	return notice.Receipt{Mark: strconv.Itoa(a.status), ExactOnce: secret != ""}, nil
}

// maxChallenge bounds what an endpoint may answer to a challenge, in bytes.
const maxChallenge = 4 << 10

// Challenge posts a word that the endpoint must send back, as {"challenge": …}
// or as it is. Errors: *notice.Refusal.
func (h *hook) Challenge(ctx context.Context, m notice.Message, word string) error {
	to, secret := h.target(m)
	body, err := json.Marshal(challenge{
		Type: "challenge", Challenge: word, Secret: secret, Page: page{m.PageName, m.Page}, Manage: m.Manage, Unsubscribe: m.Unsubscribe,
	})
	if err != nil {
		return err
	}
	a, err := h.caller.post(ctx, to, body, h.headers(m.Delivery.ID, secret, body))
	if err != nil {
		return err
	}
	if r := judge(a, h.env.Now()); r != nil {
		return r
	}
	if !echoed(a.body, word) {
		return &notice.Refusal{Permanent: true, Theirs: true, Reason: "the endpoint did not send the challenge back"}
	}
	return nil
}

// challenge is the body of a challenge.
type challenge struct {
	Type        string `json:"type"`
	Challenge   string `json:"challenge"`
	Secret      string `json:"secret,omitempty"` // signs everything that comes, this request too
	Page        page   `json:"page"`
	Manage      string `json:"manage,omitempty"`
	Unsubscribe string `json:"unsubscribe,omitempty"`
}

// echoed reports whether an answer holds the word.
func echoed(body []byte, word string) bool {
	if len(body) > maxChallenge {
		return false
	}
	var said struct {
		Challenge string `json:"challenge"`
	}
	if json.Unmarshal(body, &said) != nil {
		said.Challenge = strings.Trim(string(bytes.TrimSpace(body)), `"`)
	}
	return subtle.ConstantTimeCompare([]byte(said.Challenge), []byte(word)) == 1
}

// webhook is the channel of kind webhook: everything that staff may know, as
// JSON of our own.
type webhook struct{ hook }

func openWebhook(e *env, _ config.File, c config.Channel) (channel, error) {
	h, err := openHook(e, c)
	if err != nil {
		return nil, err
	}
	return &webhook{h}, nil
}

// Send posts one message.
func (w *webhook) Send(ctx context.Context, m notice.Message) (notice.Receipt, error) {
	body, err := json.Marshal(w.payload(m))
	if err != nil {
		return notice.Receipt{}, &notice.Refusal{Permanent: true, Reason: "the message cannot be written as JSON", Err: err}
	}
	return w.deliver(ctx, m, m.Delivery.ID, body)
}

func (w *webhook) show(m notice.Message) (Shown, error) { return w.request(m, w.payload(m)) }

// request shows a body with its header.
func (h *hook) request(m notice.Message, payload any) (Shown, error) {
	body, err := json.MarshalIndent(payload, "", "  ")
	if err != nil {
		return Shown{}, &notice.Refusal{Permanent: true, Reason: "the message cannot be written as JSON", Err: err}
	}
	to, secret := h.target(m)
	header := h.headers(m.Delivery.ID, secret, body)
	header.Set("User-Agent", h.env.agent)
	return Shown{
		To: place(to), Subject: h.env.words.telling(m).Headline(), JSON: string(body),
		Header: fields(header, HeaderDelivery, HeaderSignature, "User-Agent"),
	}, nil
}

// place names an address without what may be secret in it.
func place(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host + "/…"
}

// payload is the body of a webhook of ours. Every key is always there; what is
// not known is empty.
type payload struct {
	Type      string      `json:"type"` // event, test, drill, heartbeat
	Delivery  string      `json:"delivery"`
	Attempt   int         `json:"attempt"`
	Simulated bool        `json:"simulated"`
	Page      page        `json:"page"`
	Event     happening   `json:"event"`
	Also      []happening `json:"also"` // further events told along with it, in order
	Links     links       `json:"links"`
}

type page struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

type links struct {
	Acknowledge string `json:"acknowledge"`
	Manage      string `json:"manage"`
	Unsubscribe string `json:"unsubscribe"`
}

// happening is one event.
type happening struct {
	ID         string            `json:"id"`
	Kind       string            `json:"kind"`
	At         time.Time         `json:"at"`
	Subject    ref               `json:"subject"`
	Alarm      string            `json:"alarm"` // fire, clear or nothing
	Severity   string            `json:"severity"`
	Headline   string            `json:"headline"`
	Title      string            `json:"title"`
	Status     string            `json:"status"`
	Impact     string            `json:"impact"`
	Body       string            `json:"body"` // Markdown
	Text       string            `json:"text"` // the same, plain
	Staff      string            `json:"staff"`
	Components []string          `json:"components"` // names
	Keys       []string          `json:"component_keys"`
	Groups     []string          `json:"groups"`
	From       *time.Time        `json:"from"`
	To         *time.Time        `json:"to"`
	Page       string            `json:"page_url"`
	Console    string            `json:"console_url"`
	Runbook    string            `json:"runbook_url"`
	Facts      map[string]string `json:"facts"`
	Object     map[string]any    `json:"object"` // in Statuspage's shape
}

type ref struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
}

func (w *webhook) payload(m notice.Message) payload {
	p := payload{
		Type: typeOf(m.Event.Kind), Delivery: m.Delivery.ID, Attempt: m.Attempt, Simulated: m.Simulated, Page: page{m.PageName, m.Page},
		Event: w.happening(m, m.Event), Also: []happening{}, Links: links{m.Acknowledge, m.Manage, m.Unsubscribe},
	}
	for _, e := range m.Also {
		p.Also = append(p.Also, w.happening(m, e))
	}
	return p
}

// typeOf tells real events from those that are none.
func typeOf(kind string) string {
	switch noun, _, _ := strings.Cut(kind, "."); noun {
	case "channel":
		return "test"
	case "drill":
		return "drill"
	case "deadman":
		return "heartbeat"
	}
	return "event"
}

func (w *webhook) happening(m notice.Message, e notice.Event) happening {
	c, t := e.Content, w.env.words.event(m, e)
	h := happening{
		ID: e.ID, Kind: e.Kind, At: e.At, Subject: ref{e.Subject.Kind, e.Subject.ID}, Alarm: string(e.Alarm), Severity: string(e.Severity),
		Headline: t.Headline(), Title: t.Title, Status: c.Status, Impact: c.Impact, Body: c.Body, Text: markup.Text(t.Body), Staff: t.Note,
		Components: filled(c.Names), Keys: filled(e.Components), Groups: filled(e.Groups), Facts: c.Facts, Object: c.Object,
	}
	if h.Facts == nil {
		h.Facts = map[string]string{}
	}
	if !c.From.IsZero() {
		h.From = &c.From
	}
	if !c.To.IsZero() {
		h.To = &c.To
	}
	if m.Page != "" && c.Path != "" {
		h.Page = m.Page + c.Path
	}
	if t.Staff {
		if m.Hub != "" && c.Console != "" {
			h.Console = m.Hub + c.Console
		}
		h.Runbook = c.Runbook
	} else {
		h.Keys, h.Facts = []string{}, map[string]string{}
	}
	return h
}

// filled gives a list that is never null in JSON.
func filled(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
