package notify

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"strconv"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/notice"
)

// statuspage is the channel of kind statuspage, and what endpoints of
// subscribers get: JSON in the shape of Atlassian Statuspage's webhooks, which
// many receivers read already. It says what the page says, to whomever it goes.
type statuspage struct{ hook }

func openStatuspage(e *env, _ config.File, c config.Channel) (channel, error) {
	h, err := openHook(e, c)
	if err != nil {
		return nil, err
	}
	return &statuspage{h}, nil
}

// Send posts the object of the event. Events that the page does not show, which
// have none, are nothing to this kind of receiver.
func (s *statuspage) Send(ctx context.Context, m notice.Message) (notice.Receipt, error) {
	var last notice.Receipt
	sent := false
	for n, e := range append([]notice.Event{m.Event}, m.Also...) {
		payload, ok := s.payload(m, e)
		if !ok {
			continue
		}
		body, err := json.Marshal(payload)
		if err != nil {
			return notice.Receipt{}, &notice.Refusal{Permanent: true, Reason: "the message cannot be written as JSON", Err: err}
		}
		id := m.Delivery.ID
		if n > 0 { // requests of their own, which no receiver may take for repeats
			id += "." + strconv.Itoa(n)
		}
		if last, err = s.deliver(ctx, m, id, body); err != nil {
			return notice.Receipt{}, err
		}
		sent = true
	}
	if !sent {
		return quiet("the page shows nothing of it")
	}
	return last, nil
}

func (s *statuspage) show(m notice.Message) (Shown, error) {
	payload, ok := s.payload(m, m.Event)
	if !ok {
		payload = map[string]any{}
	}
	return s.request(m, payload)
}

// payload gives the body for one event: meta, page, and the object, which is
// {"incident": …}, or {"component": …, "component_update": …}. A test has meta
// and page alone. ok is false for what the page does not show.
func (s *statuspage) payload(m notice.Message, e notice.Event) (body map[string]any, ok bool) {
	object := e.Content.Object
	if len(object) == 0 && e.Kind != "channel.test" {
		return nil, false
	}
	meta := map[string]any{
		"unsubscribe": cmp.Or(m.Manage, m.Page), "documentation": m.Page, "generated_at": stamp(s.env.Now()), "simulated": m.Simulated,
	}
	standing := Standing{ID: "page", Indicator: "none", Description: "All Systems Operational"}
	if s.env.Standing != nil {
		standing = s.env.Standing()
	}
	if id, ok := object["page_id"].(string); ok {
		standing.ID = id
	}
	body = map[string]any{
		"meta": meta,
		"page": map[string]any{"id": standing.ID, "status_indicator": standing.Indicator, "status_description": standing.Description},
	}
	if _, whole := object["component_update"]; whole {
		maps.Copy(body, object)
	} else if len(object) > 0 {
		body["incident"] = object
	}
	return body, true
}

// Standing is what the page says as a whole, in Statuspage's words.
type Standing struct{ ID, Indicator, Description string }

// stamp is how Statuspage writes moments.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
