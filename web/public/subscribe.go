package public

import (
	"encoding/json"
	"net/url"
	"slices"

	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Where subscriptions are made and changed.
const (
	SubscribePath = "/subscribe"
	sentPath      = SubscribePath + "/sent/"
)

// Offers says how visitors can be told, beside feeds.
type Offers struct{ Mail, Webhook, Slack bool }

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

// modeWords name the ways of being told, in the order of the page.
var modeWords = []struct {
	mode notice.Mode
	word string
}{{notice.ByMail, "E-mail"}, {notice.ByWebhook, "Webhook"}, {notice.BySlack, "Slack"}}

// impactChoices are the severities to pick from.
var impactChoices = []choiceView{
	{"none", "Everything", false}, {"minor", "Minor impact and worse", false}, {"major", "Major impact and worse", false}, {"critical", "Critical impact alone", false},
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
		v.Mail = o == Offers{Mail: true}
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

// subscription begins a page about one subscription.
func (s stage) subscription(p *status.Page, say, rest string, text ...string) subscriptionPage {
	d := subscriptionPage{frame: s.frame("subscription", p, "", trimDot(say)), Text: text}
	d.Here, d.Live = "subscribe", ""
	d.Verdict.Say, d.Verdict.Rest = say, rest
	return d
}

// sent renders what happens next. Errors: NotFound, Internal.
func (s stage) sent(p *status.Page, mode string) (sheet, error) {
	var d subscriptionPage
	switch notice.Mode(mode) {
	case notice.ByMail:
		d = s.subscription(p, "Check your mail.", "One more step.",
			"We have sent a link to the address you gave. Follow it, and you will be told; without it nothing more is sent.",
			"If nothing comes within a few minutes, look among the unwanted mail, or try again.")
	case notice.ByWebhook:
		d = s.subscription(p, "We are asking your endpoint.", "One more step.",
			"We post a challenge to the address you gave. When it answers with the same word, it will be told; without that nothing more is sent.")
	case notice.BySlack:
		d = s.subscription(p, "Look into your channel.", "One more step.",
			"We have posted a link to the channel behind the address you gave. Follow it, and the channel will be told; without it nothing more is posted.")
	default:
		return sheet{}, problem.NotFound("There is no such page.")
	}
	return s.page("subscription", d)
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

// Confirming asks whether to begin: mail programs follow links by themselves,
// so that following one decides nothing. Errors: Internal.
func (p *Photographer) Confirming(action string) (Answer, error) {
	d := p.stage.subscription(p.taken.Load().page, "Begin your subscription?", "One click.", "You will be told from then on. Every message holds a link to change or end it.")
	d.Action, d.Button = action, "Begin"
	return p.answer(p.stage.page("subscription", d))
}

// Confirmed tells that it began. Errors: Internal.
func (p *Photographer) Confirmed(s notice.Subscriber) (Answer, error) {
	d := p.stage.subscription(p.taken.Load().page, "You are subscribed.", "We will tell you.", "Messages go to "+s.Address+". Every one of them holds a link to change or end the subscription.")
	return p.answer(p.stage.page("subscription", d))
}

// Managing shows a subscription to whoever holds its link, to be changed at
// action or ended at end. Errors: Internal.
func (p *Photographer) Managing(s notice.Subscriber, f Form, action, end string, saved bool) (Answer, error) {
	page := p.taken.Load().page
	rest := map[string]string{notice.Pending: "It has not begun yet.", notice.Ended: "It has ended."}[s.State]
	if saved && f.Problem == "" {
		rest = "Your choice is saved."
	}
	d := p.stage.subscription(page, "Your subscription", rest, "Messages go to "+s.Address+".")
	d.Problem = f.Problem
	switch {
	case s.State == notice.Ended:
		d.Text = []string{"Nothing is sent to you any more. You can subscribe again at any time."}
	case s.Incident != "":
		d.Text = append(d.Text, "They are about one incident alone, and end with it.")
		d.End = end
	default:
		c := choices(page, f)
		d.Choices, d.Action, d.Button, d.End = &c, action, "Save", end
	}
	return p.answer(p.stage.page("subscription", d))
}

// Unsubscribing asks before a subscription ends. Errors: Internal.
func (p *Photographer) Unsubscribing(s notice.Subscriber, action string) (Answer, error) {
	if s.State == notice.Ended {
		return p.Unsubscribed()
	}
	d := p.stage.subscription(p.taken.Load().page, "Unsubscribe?", "One click.", "Nothing more will be sent to "+s.Address+".")
	d.Action, d.Button = action, "Unsubscribe"
	return p.answer(p.stage.page("subscription", d))
}

// Lost answers a link that leads nowhere any more. Errors: Internal.
func (p *Photographer) Lost() (Answer, error) {
	d := p.stage.subscription(p.taken.Load().page, "This link does not work any more.", "", "It may be cut short, or its subscription is gone. You can subscribe again to get a new one.")
	return p.answer(p.stage.page("subscription", d))
}

// Unsubscribed tells that a subscription ended. Errors: Internal.
func (p *Photographer) Unsubscribed() (Answer, error) {
	d := p.stage.subscription(p.taken.Load().page, "You are unsubscribed.", "Nothing more is sent to you.", "You can subscribe again at any time.")
	return p.answer(p.stage.page("subscription", d))
}

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
