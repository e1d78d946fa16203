package public

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Where subscriptions are made and changed.
const (
	SubscribePath = "/subscribe"
	sentPath      = SubscribePath + "/sent/"
)

// Offers says how visitors can be told, beside feeds, and whether somebody reads
// what they report.
type Offers struct{ Mail, Webhook, Slack, Report bool }

// Any reports whether there is a form to fill in at all.
func (o Offers) Any() bool { return o.Mail || o.Webhook || o.Slack }

// Form is what somebody filled in to be told. Components and groups are named by ID.
type Form struct {
	Mode        notice.Mode
	Address     string
	Incident    string // this incident alone
	Components  []string
	Groups      []string
	MinImpact   string
	Maintenance bool
	Problem     string // what is wrong with it, when it is shown again
}

// ReadForm takes a form as a browser sent it.
func ReadForm(v url.Values) Form {
	f := Form{
		Mode: notice.Mode(v.Get("mode")), Address: v.Get("address"), Incident: v.Get("incident"), Components: v["component"], Groups: v["group"],
		MinImpact: v.Get("min_impact"), Maintenance: v.Get("maintenance") != "",
	}
	if f.Mode == "" {
		f.Mode = notice.ByMail
	}
	return f
}

// Wishes gives what the form asks for, by keys. Errors: Invalid for a component,
// group or open incident that is not on the page.
func (p *Photographer) Wishes(f Form) (notice.Wishes, error) {
	w, page := notice.Wishes{MinImpact: f.MinImpact, Maintenance: f.Maintenance}, p.taken.Load().page
	if f.Incident != "" && !slices.ContainsFunc(page.Incidents, func(i status.Incident) bool { return i.ID == f.Incident }) {
		return w, problem.Invalid("incident", "That incident is over, or is not on this page.")
	}
	keys, groups := map[string]string{}, map[string]bool{}
	for _, g := range page.Groups {
		groups[g.ID] = g.ID != ""
		for _, c := range g.Components {
			keys[c.ID] = c.Key
		}
	}
	for _, id := range f.Components {
		key := keys[id]
		if key == "" {
			return w, problem.Invalid("component", "There is no component %q on this page.", clip(id, 80))
		}
		w.Components = append(w.Components, key)
	}
	for _, id := range f.Groups {
		if !groups[id] {
			return w, problem.Invalid("group", "There is no group %q on this page.", clip(id, 80))
		}
		w.Groups = append(w.Groups, id)
	}
	return w, nil
}

// FormOf gives the form that a subscriber would fill in now.
func (p *Photographer) FormOf(s notice.Subscriber) Form {
	f := Form{Mode: s.Mode, Address: s.Address, Incident: s.Incident, Groups: s.Groups, MinImpact: s.MinImpact, Maintenance: s.Maintenance}
	for _, g := range p.taken.Load().page.Groups {
		for _, c := range g.Components {
			if slices.Contains(s.Components, c.Key) {
				f.Components = append(f.Components, c.ID)
			}
		}
	}
	return f
}

// SentPath is where the answer to a request to be told stands. It is the same
// for everybody, whether the address was known or not.
func SentPath(m notice.Mode) string { return sentPath + url.PathEscape(string(m)) }

// subscribePage is the data of subscribe.html.
type subscribePage struct {
	frame
	Form    *formView // nil where nothing is offered
	Problem string
}

// formView is the form of a subscription.
type formView struct {
	Modes   []choiceView // none when mail alone is offered
	Address string
	Mail    bool // the address is one of mail
	Choices choicesView
}

// choicesView is what somebody may want to hear of.
type choicesView struct {
	Incident    string // this incident alone: there is nothing to choose
	Groups      []groupChoice
	Impacts     []choiceView
	Maintenance bool
	Some        bool // something is chosen already: it is shown
}

// groupChoice is a group with its components.
type groupChoice struct {
	choiceView
	Components []choiceView
}

// choiceView is one box to tick, or one entry to pick.
type choiceView struct {
	Value, Word string
	Chosen      bool
}

// offered reports whether a mode is.
func (o Offers) offered(m notice.Mode) bool {
	return o.Mail && m == notice.ByMail || o.Webhook && m == notice.ByWebhook || o.Slack && m == notice.BySlack
}

// choices makes the boxes of a form.
func choices(p *status.Page, f Form) choicesView {
	v := choicesView{Incident: f.Incident, Maintenance: f.Maintenance, Some: len(f.Components)+len(f.Groups) > 0}
	chosen := make(map[string]bool, len(f.Components))
	for _, id := range f.Components {
		chosen[id] = true
	}
	for _, g := range p.Groups {
		c := groupChoice{choiceView: choiceView{g.ID, g.Name, slices.Contains(f.Groups, g.ID)}}
		for _, x := range g.Components {
			c.Components = append(c.Components, choiceView{x.ID, x.Name, chosen[x.ID]})
		}
		v.Groups = append(v.Groups, c)
	}
	v.Impacts = slices.Clone(impactChoices)
	for n := range v.Impacts {
		v.Impacts[n].Chosen = v.Impacts[n].Value == f.MinImpact || f.MinImpact == "" && n == 0
	}
	return v
}

// subscribe renders the ways to follow the page; a form without a mode is an
// empty one. Errors: Internal.
func (s stage) subscribe(p *status.Page, f Form) (sheet, error) {
	d := subscribePage{frame: s.frame("subscribe", p, "", "Subscribe"), Problem: f.Problem}
	d.Here = "subscribe"
	d.Verdict.Say, d.Verdict.Rest = "Subscribe", "Be told instead of looking."
	if o := s.offers(); o.Any() {
		if f.Mode == "" {
			f.Maintenance = true
		}
		v := formView{Address: f.Address}
		for _, m := range modeWords {
			if o.offered(m.mode) {
				v.Modes = append(v.Modes, choiceView{string(m.mode), m.word, m.mode == f.Mode})
			}
		}
		if !slices.ContainsFunc(v.Modes, func(c choiceView) bool { return c.Chosen }) {
			v.Modes[0].Chosen = true
		}
		v.Mail = o.Mail && !o.Webhook && !o.Slack
		v.Choices = choices(p, f)
		d.Form = &v
	}
	return s.page("subscribe", d)
}

// subscriptionPage is the data of subscription.html: a page about one
// subscription, or about what happens next.
type subscriptionPage struct {
	frame
	Text    []string
	Problem string
	Action  string // where the form leads; "" = there is none
	Button  string
	Choices *choicesView
	End     string // where a second form leads, which ends the subscription
}

// subscription begins a page about one subscription; step is what happens there.
func (s stage) subscription(p *status.Page, step, address string) subscriptionPage {
	w := steps[step]
	d := subscriptionPage{frame: s.frame("subscription", p, "", trimDot(w.say)), Button: w.button}
	d.Here, d.Live = "subscribe", ""
	d.Verdict.Say, d.Verdict.Rest = w.say, w.rest
	for _, text := range w.text {
		d.Text = append(d.Text, strings.ReplaceAll(text, "%s", address))
	}
	return d
}

// sent renders what happens next. Errors: NotFound, Internal.
func (s stage) sent(p *status.Page, mode string) (sheet, error) {
	if _, ok := steps[sentPath+mode]; !ok {
		return sheet{}, problem.NotFound("There is no such page.")
	}
	return s.page("subscription", s.subscription(p, sentPath+mode, ""))
}

// Answer is a page that is for one visitor alone: it is never kept.
type Answer struct {
	Body   []byte
	Policy string
}

// answer renders for one visitor.
func (p *Photographer) answer(s sheet, err error) (Answer, error) {
	return Answer{s.body, s.policy}, err
}

// Again gives the form with what is wrong with it. Errors: Internal.
func (p *Photographer) Again(f Form) (Answer, error) {
	return p.answer(p.stage.subscribe(p.taken.Load().page, f))
}

// step renders a page about one subscription, with a button that leads to action.
func (p *Photographer) step(step, address, action string) (Answer, error) {
	d := p.stage.subscription(p.taken.Load().page, step, address)
	d.Action = action
	return p.answer(p.stage.page("subscription", d))
}

// Confirming asks whether to begin: mail programs follow links by themselves,
// so that following one decides nothing. Errors: Internal.
func (p *Photographer) Confirming(action string) (Answer, error) {
	return p.step("confirming", "", action)
}

// Confirmed tells that it began. Errors: Internal.
func (p *Photographer) Confirmed(s notice.Subscriber) (Answer, error) {
	return p.step("confirmed", s.Address, "")
}

// Managing shows a subscription to whoever holds its link, to be changed at
// action or ended at end. Errors: Internal.
func (p *Photographer) Managing(s notice.Subscriber, f Form, action, end string, saved bool) (Answer, error) {
	page := p.taken.Load().page
	switch {
	case s.State == notice.Ended:
		return p.step("ended", "", "")
	case s.Incident != "":
		d := p.stage.subscription(page, "one incident", s.Address)
		d.End = end
		return p.answer(p.stage.page("subscription", d))
	}
	d := p.stage.subscription(page, "managing", s.Address)
	switch {
	case saved && f.Problem == "":
		d.Verdict.Rest = restSaved
	case s.State == notice.Pending:
		d.Verdict.Rest = restPending
	}
	c := choices(page, f)
	d.Problem, d.Choices, d.Action, d.End = f.Problem, &c, action, end
	return p.answer(p.stage.page("subscription", d))
}

// Unsubscribing asks before a subscription ends. Errors: Internal.
func (p *Photographer) Unsubscribing(s notice.Subscriber, action string) (Answer, error) {
	if s.State == notice.Ended {
		return p.Unsubscribed()
	}
	return p.step("unsubscribing", s.Address, action)
}

// Unsubscribed tells that a subscription ended. Errors: Internal.
func (p *Photographer) Unsubscribed() (Answer, error) { return p.step("unsubscribed", "", "") }

// Lost answers a link that leads nowhere any more. Errors: Internal.
func (p *Photographer) Lost() (Answer, error) { return p.step("lost", "", "") }

// Groups tells the groups of the page, by ID.
func (p *Photographer) Groups() map[string]bool {
	out := map[string]bool{}
	for _, g := range p.taken.Load().page.Groups {
		if g.ID != "" {
			out[g.ID] = true
		}
	}
	return out
}

// V2Page writes what the page is, in Statuspage's shape. Errors: Internal.
func (p *Photographer) V2Page() (json.RawMessage, error) {
	return json.Marshal(v2PageOf(p.taken.Load().page))
}
