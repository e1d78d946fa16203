package public

import (
	"net/http"

	"evenkeel/internal/notice"
	"evenkeel/internal/status"
)

// Here and in words.go stand the words that are put together in Go; whole
// sentences that never change stand in the templates.

// stateLooks are the words for the states of an incident.
var stateLooks = map[string]string{
	"investigating": "Investigating", "identified": "Identified", "monitoring": "Monitoring", "resolved": "Resolved", "postmortem": "Resolved",
}

// impactWords name how bad an incident is.
var impactWords = map[string]string{"none": "No impact", "minor": "Minor impact", "major": "Major impact", "critical": "Critical impact"}

// factWords say what checks saw of a component: what stands before its name, and after.
var factWords = map[status.Status][2]string{
	status.Operational: {"Our checks see", "working again"}, status.Degraded: {"Our checks see", "degraded"}, status.PartialOutage: {"Our checks see", "partly down"},
	status.MajorOutage: {"Our checks see", "down"}, status.UnderMaintenance: {"Planned maintenance of", "begins"},
}

// errorWords are the headline and its second tone, by status code.
var errorWords = map[int][2]string{
	http.StatusNotFound:            {"There is no such page.", "It may have been renamed, or never was."},
	http.StatusMethodNotAllowed:    {"That cannot be done here.", "This address can only be read."},
	http.StatusTooManyRequests:     {"Too many requests.", "Please wait a moment and try again."},
	http.StatusServiceUnavailable:  {"This page is starting.", "Please try again in a few seconds."},
	http.StatusForbidden:           {"That was refused.", "It came from another site."},
	http.StatusBadRequest:          {"We could not read that request.", ""},
	http.StatusInternalServerError: {"Something went wrong on our side.", "The services themselves may well be fine."},
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

// tellView is the form by which somebody asks to be told of one thing.
type tellView struct{ ID, Incident, Component, Label, Note, Button string }

// tell gives a form of one line; nil where mail is off.
func (s stage) tell(v tellView) *tellView {
	if !s.offers().Mail {
		return nil
	}
	return &v
}

// tellIncident, tellComponent and tellAll are the forms that pages offer.
func tellIncident(id string) tellView {
	return tellView{ID: "tell-" + id, Incident: id, Label: "Tell me when it is over", Note: "Mails about this incident alone.", Button: "Tell me"}
}

func tellComponent(id string) tellView {
	return tellView{ID: "tell", Component: id, Label: "Tell me about it", Note: "Mails about this component alone.", Button: "Tell me"}
}

func tellAll() tellView { return tellView{ID: "mail", Label: "Email address", Button: "Subscribe"} }

// stepWords are what a page about a subscription says: in its two tones, as
// text, in which %s is the address, and on its button.
type stepWords struct {
	say, rest, button string
	text              []string
}

// steps are the pages about a subscription, by what happens there.
var steps = map[string]stepWords{
	sentPath + string(notice.ByMail): {say: "Check your mail.", rest: "One more step.", text: []string{
		"We have sent a link to the address you gave. Follow it, and you will be told; without it nothing more is sent.",
		"If nothing comes within a few minutes, look among the unwanted mail, or try again."}},
	sentPath + string(notice.ByWebhook): {say: "We are asking your endpoint.", rest: "One more step.", text: []string{
		"We post a challenge to the address you gave. When it answers with the same word, it will be told; without that nothing more is sent."}},
	sentPath + string(notice.BySlack): {say: "Look into your channel.", rest: "One more step.", text: []string{
		"We have posted a link to the channel behind the address you gave. Follow it, and the channel will be told; without it nothing more is posted."}},
	"confirming": {say: "Begin your subscription?", rest: "One click.", button: "Begin", text: []string{
		"You will be told from then on. Every message holds a link to change or end it."}},
	"confirmed": {say: "You are subscribed.", rest: "We will tell you.", text: []string{
		"Messages go to %s. Every one of them holds a link to change or end the subscription."}},
	"managing":      {say: "Your subscription", button: "Save", text: []string{"Messages go to %s."}},
	"one incident":  {say: "Your subscription", text: []string{"Messages go to %s.", "They are about one incident alone, and end with it."}},
	"ended":         {say: "Your subscription", rest: "It has ended.", text: []string{"Nothing is sent to you any more. You can subscribe again at any time."}},
	"unsubscribing": {say: "Unsubscribe?", rest: "One click.", button: "Unsubscribe", text: []string{"Nothing more will be sent to %s."}},
	"unsubscribed":  {say: "You are unsubscribed.", rest: "Nothing more is sent to you.", text: []string{"You can subscribe again at any time."}},
	"acknowledging": {say: "Are you on it?", rest: "One click.", button: "I am on it", text: []string{
		"Reminders stop, nobody else is called, and those who were told hear that you look after it."}},
	"acknowledged": {say: "It is yours.", rest: "Reminders have stopped.", text: []string{"Those who were told hear that you look after it."}},
	ReportedPath: {say: "Thank you.", rest: "A person reads it.", text: []string{
		"We answer to the address you gave. If what you saw is an outage, this page tells of it as soon as we know more."}},
	"lost": {say: "This link does not work any more.", text: []string{"It may be cut short, or its subscription is gone. You can subscribe again to get a new one."}},
}

// The second tone of a subscription that is being managed.
const (
	restPending = "It has not begun yet."
	restSaved   = "Your choice is saved."
)
