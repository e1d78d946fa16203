package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/markup"
	"evenkeel/internal/notice"
)

// The limits of PagerDuty's events (Events API v2 reference).
const (
	maxSummary  = 1024
	maxDedupKey = 255
	maxDetail   = 4096
)

// pager is what both kinds for PagerDuty share.
type pager struct {
	env  *env
	base *url.URL
	key  string // the integration (routing) key
}

func openPager(e *env, c config.Channel) (pager, error) {
	var found collect
	base, err := e.secret("url", c.URL)
	found.take(err)
	if err == nil && base == "" {
		base = config.DefaultPagerDuty
	}
	u, err := webAddress("url", base)
	found.take(err)
	key, err := e.secret("token", c.Token)
	found.take(err)
	if err == nil && key == "" {
		found.add("token", "is missing: the integration key of an Events API v2 integration")
	}
	return pager{env: e, base: u, key: key}, found.Err()
}

// Close does nothing: connections belong to the house.
func (p *pager) Close() {}

// enqueue posts a body and judges the answer.
func (p *pager) enqueue(ctx context.Context, path string, body any) (notice.Receipt, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return notice.Receipt{}, &notice.Refusal{Permanent: true, Reason: "the message cannot be written as JSON", Err: err}
	}
	a, err := p.env.file.post(ctx, below(p.base, path), raw, nil)
	if err != nil {
		return notice.Receipt{}, err
	}
	r := judge(a, p.env.Now())
	if r == nil {
		return notice.Receipt{Mark: http.StatusText(a.status), ExactOnce: true}, nil
	}
	var said struct {
		Message string   `json:"message"`
		Errors  []string `json:"errors"`
	}
	if a.status == http.StatusBadRequest && json.Unmarshal(a.body, &said) == nil {
		r.Reason += ": " + line(said.Message+" "+strings.Join(said.Errors, ", "), maxTitle)
	}
	return notice.Receipt{}, r
}

// showRequest shows a body.
func (p *pager) showRequest(m notice.Message, path string, body any) (Shown, error) {
	raw, err := json.MarshalIndent(body, "", "  ")
	return Shown{To: below(p.base, path), Subject: p.env.words.telling(m).Headline(), JSON: string(raw)}, err
}

// pagerduty is the channel of kind pagerduty: alerts by the Events API v2. Its
// deduplication key is the subject, so that a repeat is known as one.
type pagerduty struct{ pager }

func openPagerDuty(e *env, _ config.File, c config.Channel) (channel, error) {
	p, err := openPager(e, c)
	if err != nil {
		return nil, err
	}
	return &pagerduty{p}, nil
}

// pagerEvent is the body of /v2/enqueue.
type pagerEvent struct {
	RoutingKey string        `json:"routing_key"`
	Action     string        `json:"event_action"` // trigger, acknowledge, resolve
	DedupKey   string        `json:"dedup_key"`
	Client     string        `json:"client,omitempty"`
	ClientURL  string        `json:"client_url,omitempty"`
	Payload    *pagerPayload `json:"payload,omitempty"` // of a trigger
	Links      []pagerLink   `json:"links,omitempty"`
}

type pagerPayload struct {
	Summary   string            `json:"summary"`
	Source    string            `json:"source"`
	Severity  string            `json:"severity,omitempty"` // critical, error, warning, info
	Timestamp string            `json:"timestamp,omitempty"`
	Component string            `json:"component,omitempty"`
	Group     string            `json:"group,omitempty"`
	Class     string            `json:"class,omitempty"`
	Details   map[string]string `json:"custom_details,omitempty"`
}

type pagerLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// Send posts what the message means for a pager. What neither begins, is
// acknowledged nor ends means nothing to it. A test is triggered and resolved.
func (p *pagerduty) Send(ctx context.Context, m notice.Message) (notice.Receipt, error) {
	events := p.events(m)
	if len(events) == 0 {
		return quiet("a pager hears of what begins, is acknowledged or ends")
	}
	var last notice.Receipt
	for _, e := range events {
		var err error
		if last, err = p.enqueue(ctx, "v2/enqueue", e); err != nil {
			return notice.Receipt{}, err
		}
	}
	last.Mark = events[0].Action
	return last, nil
}

func (p *pagerduty) show(m notice.Message) (Shown, error) {
	events := p.events(m)
	for i := range events {
		events[i].RoutingKey = "…"
	}
	return p.showRequest(m, "v2/enqueue", events)
}

// events gives what is posted for a message: one for each of its events that
// means something.
func (p *pagerduty) events(m notice.Message) []pagerEvent {
	out := []pagerEvent{}
	for _, e := range append([]notice.Event{m.Event}, m.Also...) {
		for _, action := range actions(e) {
			event := pagerEvent{RoutingKey: p.key, Action: action, DedupKey: cut(e.Subject.String(), maxDedupKey)}
			if action == "trigger" {
				event.describe(p.env.words.event(m, e), m, e)
			}
			out = append(out, event)
		}
	}
	return out
}

// actions gives what an event means for a pager.
func actions(e notice.Event) []string {
	switch {
	case e.Kind == "channel.test":
		return []string{"trigger", "resolve"}
	case e.Kind == "alert.acknowledged":
		return []string{"acknowledge"}
	case e.Kind == "alert.reminder", e.Kind == "alert.escalated", e.Kind == "drill.begun":
		return []string{"trigger"}
	case e.Alarm == notice.AlarmFire:
		return []string{"trigger"}
	case e.Alarm == notice.AlarmClear:
		return []string{"resolve"}
	}
	return nil
}

// pagerSeverities are PagerDuty's words.
var pagerSeverities = map[notice.Severity]string{
	notice.SeverityInfo: "info", notice.SeverityMinor: "warning", notice.SeverityMajor: "error", notice.SeverityCritical: "critical",
}

// describe fills in what people read.
func (e *pagerEvent) describe(t telling, m notice.Message, of notice.Event) {
	source := m.PageName
	if u, err := url.Parse(m.Page); err == nil && u.Host != "" {
		source = u.Host
	}
	if source == "" {
		source = "evenkeel"
	}
	severity, ok := pagerSeverities[of.Severity]
	if !ok {
		severity = "error"
	}
	details := map[string]string{"delivery": m.Delivery.ID}
	for _, f := range t.Facts {
		details[strings.ToLower(f.Name)] = f.Value
	}
	if t.Note != "" {
		details["why"] = cut(t.Note, maxDetail)
	}
	if t.Body != "" {
		details["text"] = cut(markup.Text(t.Body), maxDetail)
	}
	if m.Simulated {
		details["simulated"] = "this is a demo: nothing in it is real"
	}
	e.Payload = &pagerPayload{
		Summary: cut(t.Headline(), maxSummary), Source: source, Severity: severity, Timestamp: of.At.UTC().Format(time.RFC3339),
		Component: cut(names(of.Content.Names), maxTitle), Group: strings.Join(of.Groups, ", "), Class: of.Kind, Details: details,
	}
	e.Client = "Evenkeel"
	for i, l := range t.Links {
		if i == 0 {
			e.ClientURL = l.URL
		}
		e.Links = append(e.Links, pagerLink{Href: l.URL, Text: l.Label})
	}
}

// changes is the channel of kind pagerduty_change: PagerDuty's list of recent
// changes, by the change events of the Events API v2.
type changes struct{ pager }

func openChanges(e *env, _ config.File, c config.Channel) (channel, error) {
	p, err := openPager(e, c)
	if err != nil {
		return nil, err
	}
	return &changes{p}, nil
}

// change is the body of /v2/change/enqueue.
type change struct {
	RoutingKey string       `json:"routing_key"`
	Payload    pagerPayload `json:"payload"`
	Links      []pagerLink  `json:"links,omitempty"`
}

// Send posts one change.
func (c *changes) Send(ctx context.Context, m notice.Message) (notice.Receipt, error) {
	r, err := c.enqueue(ctx, "v2/change/enqueue", c.change(m))
	r.ExactOnce = false // changes have no key by which a repeat is known
	return r, err
}

func (c *changes) show(m notice.Message) (Shown, error) {
	body := c.change(m)
	body.RoutingKey = "…"
	return c.showRequest(m, "v2/change/enqueue", body)
}

func (c *changes) change(m notice.Message) change {
	var e pagerEvent
	e.describe(c.env.words.telling(m), m, m.Event)
	return change{RoutingKey: c.key, Links: e.Links, Payload: pagerPayload{
		Summary: e.Payload.Summary, Source: e.Payload.Source, Timestamp: e.Payload.Timestamp, Details: e.Payload.Details,
	}}
}
