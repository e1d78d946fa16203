package statuspage

import (
	"net/http"

	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

// subscriberOf shows a subscriber.
func (c *call) subscriberOf(s *notice.Subscriber) shownSubscriber {
	out := shownSubscriber{ID: s.ID, Mode: string(s.Mode), CreatedAt: moment(s.CreatedAt), SkipConfirm: s.State == notice.Active, Components: []string{}}
	if s.Mode == notice.ByMail {
		out.Email = optional(s.Address)
	} else {
		out.Endpoint = optional(s.Address)
	}
	for _, key := range s.Components {
		out.Components = append(out.Components, c.idOf(key))
	}
	return out
}

// idOf gives the id of a component; one that is gone is named by its key.
func (c *call) idOf(key string) string {
	for n := range c.catalog.Components {
		if comp := &c.catalog.Components[n]; comp.Key == key {
			return comp.ID
		}
	}
	return key
}

// states are Statuspage's words for where a subscriber stands.
var states = map[string]string{"": notice.Active, "active": notice.Active, "unconfirmed": notice.Pending}

func subscribers(c *call) (int, any, error) {
	from, to, err := c.sheet()
	if err != nil {
		return 0, nil, err
	}
	words := c.r.URL.Query()
	q := notice.SubscriberQuery{Mode: notice.Mode(words.Get("type")), Search: words.Get("q"), Limit: notice.MaxPage}
	if s := words.Get("state"); s != "all" {
		var ok bool
		if q.State, ok = states[s]; !ok {
			return 0, nil, problem.Invalid("state", "Choose active, unconfirmed or all.")
		}
	}
	out := []shownSubscriber{}
	for len(out) < to {
		found, err := c.Notices.Subscribers(c.ctx, c.by, q)
		if err != nil {
			return 0, nil, err
		}
		for n := range found {
			out = append(out, c.subscriberOf(&found[n]))
		}
		if len(found) < q.Limit {
			break
		}
		q.After = found[len(found)-1].ID
	}
	return http.StatusOK, part(out, from, to), nil
}

func oneSubscriber(c *call) (int, any, error) {
	s, err := c.Notices.Subscriber(c.ctx, c.by, c.r.PathValue("id"))
	return http.StatusOK, c.subscriberOf(&s), err
}

// createSubscriber subscribes an address: a mail address, or an endpoint alone.
func createSubscriber(c *call) (int, any, error) {
	var in sentSubscriber
	if err := c.read("subscriber", &in); err != nil {
		return 0, nil, err
	}
	sub := notice.Subscription{Mode: notice.ByMail, Address: in.Email, Source: "api", Wishes: notice.Wishes{Maintenance: true}}
	if in.Endpoint != "" {
		sub.Mode, sub.Address = notice.ByWebhook, in.Endpoint
	}
	for _, id := range in.ComponentIDs {
		comp, err := c.defined(id)
		if err != nil {
			return 0, nil, problem.Invalid("subscriber.component_ids", "There is no component %q.", id)
		}
		sub.Components = append(sub.Components, comp.Key)
	}
	s, err := c.Notices.Add(c.ctx, c.by, sub, bool(in.SkipConfirm))
	return http.StatusCreated, c.subscriberOf(&s), err
}

func deleteSubscriber(c *call) (int, any, error) {
	s, err := c.Notices.Subscriber(c.ctx, c.by, c.r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.subscriberOf(&s), c.Notices.Remove(c.ctx, c.by, s.ID)
}
