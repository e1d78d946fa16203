package console

import (
	"net/http"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/web/door"
)

const deliveriesPath = "/console/deliveries"

// deliveryRows is how many deliveries one page holds.
const deliveryRows = 60

// deliveryRoutes are the addresses of who was told what.
func (c *Console) deliveryRoutes() []door.Route {
	if c.deps.Told == nil {
		return nil
	}
	one := deliveriesPath + "/{id}"
	return []door.Route{
		{Method: http.MethodGet, Path: deliveriesPath, Action: access.DeliveryRead, Handler: c.handle(c.deliveryList)},
		{Method: http.MethodGet, Path: one, Action: access.DeliveryRead, Handler: c.handle(c.delivery)},
		{Method: http.MethodPost, Path: one + "/resend", Action: access.DeliveryResend, Handler: c.handle(c.resend)},
		{Method: http.MethodPost, Path: one + "/dismiss", Action: access.DeliveryResend, Handler: c.handle(c.dismiss)},
	}
}

// deliveryStates are the states of a delivery with their marks, in the order of
// the filter.
var deliveryStates = []struct {
	state notice.State
	mark  Mark
}{
	{notice.Failed, Mark{"major", "Not delivered"}}, {notice.Retrying, Mark{"degraded", "Trying again"}}, {notice.Queued, Mark{"unknown", "Waiting"}},
	{notice.Sending, Mark{"unknown", "Being sent"}}, {notice.Sent, Mark{"ok", "Sent"}}, {notice.Suppressed, Mark{"maint", "Not told"}},
}

// waitingState seeks all that is not yet where it should be.
const waitingState = "waiting"

func markOfDelivery(st notice.State) Mark {
	for _, x := range deliveryStates {
		if x.state == st {
			return x.mark
		}
	}
	return Mark{"unknown", string(st)}
}

// deliveryRow is one delivery in words.
type deliveryRow struct {
	ID, Path, What, Who, Channel string
	About, AboutPath             string
	Mark                         Mark
	Why                          string
	At, Next                     Stamp
	Attempts                     int
	Failed, CanResend            bool
}

// deliveriesPage is the data of deliveries.html.
type deliveriesPage struct {
	Tabs             []Tab
	Channels         []Option
	State, Subject   string
	Alert, Recipient string
	Event            string
	Rows             []deliveryRow
	Pager            Pager
	Narrowed         bool
	CanResend        bool
	Back             string
}

// eventWords say what somebody was told, by the kind of the event.
var eventWords = map[string]string{
	"incident.opened": "A new incident", "incident.updated": "An update", "incident.resolved": "It is over", "incident.reopened": "It is open again", "incident.reviewed": "The postmortem",
	"component.down": "It is down", "component.recovered": "It works again", "alert.reminder": "A reminder", "alert.escalated": "An escalation", "alert.acknowledged": "Somebody is on it",
	"subscriber.confirm": "Please confirm", "subscriber.known": "You are subscribed already", "subscriber.challenge": "The question to a webhook",
	"channel.test": "A test", "drill.begun": "A drill", "deadman.pulse": "A heartbeat",
}

func eventWord(kind string) string {
	if w := eventWords[kind]; w != "" {
		return w
	}
	return stateWordOf(strings.NewReplacer(".", " ", "_", " ").Replace(kind))
}

// stateWordOf begins a phrase with a capital.
func stateWordOf(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// deliveryList lists who was told what, when and through which channel, and who
// was not, and why.
func (c *Console) deliveryList(w http.ResponseWriter, r *http.Request) error {
	ctx, g, q := r.Context(), guestOf(r), r.URL.Query()
	s, err := c.roll.state(ctx)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	d := deliveriesPage{State: q.Get("state"), Subject: q.Get("subject"), Alert: q.Get("alert"), Recipient: q.Get("who"), Event: q.Get("event"), CanResend: g.Actor.May(access.DeliveryResend), Back: r.URL.RequestURI()}
	look := notice.Query{Alert: d.Alert, Recipient: d.Recipient, Event: d.Event, Channel: q.Get("channel")}
	look.Subject.Kind, look.Subject.ID, _ = strings.Cut(d.Subject, "/")
	look.Subject = c.incidentRefOf(ctx, look.Subject)
	d.Narrowed = len(q) > 0
	t, err := c.deps.Told.Tally(ctx, g.Actor, look)
	if err != nil {
		return err
	}
	all := int64(0)
	for _, n := range t.States {
		all += n
	}
	d.Tabs = []Tab{{Word: "All", Count: grouped(float64(all)), Path: with(r.URL, "state", "", "before", ""), Here: d.State == ""}}
	for _, x := range deliveryStates {
		if n := t.States[x.state]; n > 0 || d.State == string(x.state) {
			d.Tabs = append(d.Tabs, Tab{Word: x.mark.Word, Count: grouped(float64(n)), Path: with(r.URL, "state", string(x.state), "before", ""), Here: d.State == string(x.state)})
		}
	}
	switch d.State {
	case "":
	case waitingState:
		d.Tabs = append(d.Tabs, Tab{Word: "All that waits", Path: with(r.URL, "before", ""), Here: true})
		look.States = []notice.State{notice.Queued, notice.Sending, notice.Retrying}
	default:
		look.States = []notice.State{notice.State(d.State)}
	}
	look.Before, look.Limit = cut(q.Get("before"), 64), deliveryRows+1
	list, err := c.deps.Told.Deliveries(ctx, g.Actor, look)
	if err != nil {
		return err
	}
	for _, x := range list[:min(len(list), deliveryRows)] {
		d.Rows = append(d.Rows, c.deliveryRow(r, x, s, k))
	}
	if len(list) > deliveryRows {
		d.Pager.After = with(r.URL, "before", list[deliveryRows-1].ID)
	}
	if look.Before != "" {
		d.Pager.Before = with(r.URL, "before", "")
	}
	d.Channels = []Option{{Word: "Every channel"}}
	if c.deps.Channels != nil {
		h, err := c.deps.Channels.Health(ctx, g.Actor)
		if err != nil {
			return err
		}
		for _, ch := range h.Channels {
			d.Channels = append(d.Channels, Option{Value: ch.Spec.ID, Word: ch.Spec.ID})
		}
	}
	d.Channels = options(d.Channels, look.Channel)
	page := Page{
		Title: "Deliveries", Section: "deliveries", Template: "deliveries", Data: d, Live: "delivery incident alert channel", Every: 15,
		Sub: []string{"Who was told what, and who was not, and why."}, Keys: []Key{{[]string{"j", "k"}, "move"}, {[]string{"o"}, "open"}},
	}
	if d.Subject == "" && d.Event != "" && len(list) > 0 {
		look.Subject = list[0].Subject
	}
	if look.Subject.ID != "" {
		words, _ := c.subjectOf(ctx, look.Subject, s)
		page.Sub = []string{"About: " + words}
	}
	if d.Event != "" && t.Fan.Passed > 0 {
		page.Sub = append(page.Sub, plural(int(t.Fan.Passed), "subscriber did not ask for this", "subscribers did not ask for this"))
	}
	c.Page(w, r, page)
	return nil
}

// deliveryRow puts a delivery into words.
func (c *Console) deliveryRow(r *http.Request, x notice.Delivery, s *state, k Clock) deliveryRow {
	row := deliveryRow{
		ID: x.ID, Path: deliveriesPath + "/" + x.ID, What: eventWord(x.Kind), Channel: x.Channel, Mark: markOfDelivery(x.State), Why: x.Reason,
		At: k.Exact(x.CreatedAt), Attempts: x.Attempts, Failed: x.State == notice.Failed, CanResend: x.State == notice.Failed || x.State == notice.Suppressed && x.Channel != "",
	}
	if x.State == notice.Sent {
		row.At = k.Exact(x.SentAt)
	}
	if x.State == notice.Retrying {
		row.Next = k.Exact(x.NextAt)
	}
	row.About, row.AboutPath = c.subjectOf(r.Context(), x.Subject, s)
	row.Who = c.recipientOf(r, x.Recipient)
	return row
}

// recipientOf names whom a delivery goes to, never by an address.
func (c *Console) recipientOf(r *http.Request, ref string) string {
	kind, id, _ := strings.Cut(ref, "/")
	switch kind {
	case "person":
		return c.name(r.Context(), id)
	case "subscriber":
		return "Subscriber " + id[max(len(id)-6, 0):] // the end of an id tells neighbours apart
	case "route":
		return "Staff by the route " + id
	case "channel":
		return "The channel " + id
	}
	return ref
}

// deliveryPage is the data of delivery.html.
type deliveryPage struct {
	Row          deliveryRow
	Title, Mark  string
	Queued, Sent Stamp
	ExactOnce    bool
	Fallback     string
	Bundle       string
	CanResend    bool
	Letter       *Letter
	ShowAlert    string
}

// delivery shows one delivery, and what was sent where it is kept.
func (c *Console) delivery(w http.ResponseWriter, r *http.Request) error {
	ctx, g := r.Context(), guestOf(r)
	x, e, err := c.deps.Told.Delivery(ctx, g.Actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	s, err := c.roll.state(ctx)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	d := deliveryPage{
		Row: c.deliveryRow(r, x, s, k), Title: e.Content.Title, Mark: x.Mark, Queued: k.Exact(x.QueuedAt), Sent: k.Exact(x.SentAt), ExactOnce: x.ExactOnce,
		Fallback: x.Fallback, Bundle: x.Bundle, CanResend: g.Actor.May(access.DeliveryResend), ShowAlert: x.Alert,
	}
	if x.Subject.Kind == "incident" && !c.mayKnow(r, x.Subject) {
		d.Title = "" // what it was called is for those who may see it
	} else if c.deps.Outbox != nil && g.Actor.May(access.SubscriberRead) { // it shows the address
		for _, l := range c.deps.Outbox() {
			if l.ID == x.ID {
				d.Letter = &l
				break
			}
		}
	}
	c.Page(w, r, Page{
		Title: d.Row.What, Section: "deliveries", Template: "delivery", Data: d, Mark: d.Row.Mark, Live: "delivery", Every: 15,
		Crumbs: []Crumb{{"Deliveries", deliveriesPath}, {Word: d.Row.What}},
	})
	return nil
}

// mayKnow reports whether who asks may see the incident that something is about.
func (c *Console) mayKnow(r *http.Request, ref journal.Ref) bool {
	if c.deps.Room == nil {
		return false
	}
	_, _, err := c.deps.Room.Get(r.Context(), guestOf(r).Actor, ref.ID)
	return err == nil
}

func (c *Console) resend(w http.ResponseWriter, r *http.Request) error {
	x, err := c.deps.Told.Resend(r.Context(), guestOf(r).Actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	c.See(w, r, backOf(r, deliveriesPath+"/"+x.ID), &Said{Text: "It is in the queue again"})
	return nil
}

func (c *Console) dismiss(w http.ResponseWriter, r *http.Request) error {
	x, err := c.deps.Told.Dismiss(r.Context(), guestOf(r).Actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	c.See(w, r, backOf(r, deliveriesPath+"/"+x.ID), &Said{Text: "It is off the list of what was not delivered"})
	return nil
}
