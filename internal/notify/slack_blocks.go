package notify

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"evenkeel/internal/markup"
	"evenkeel/internal/notice"
)

// The limits of Slack's blocks, in characters (its Block Kit reference).
const (
	maxSection = 2900 // 3000, less an ellipsis and the marks around it
	maxButton  = 75
	// maxAlsoText is how much is shown of what is told along with a message.
	maxAlsoText = 120
)

// ActionAcknowledge is the action id of the button that acknowledges: its value
// is the id of the alert.
const ActionAcknowledge = "evenkeel_acknowledge"

// slackMessage is the body of chat.postMessage, chat.update and of an incoming
// webhook. The line of text stands above the attachment, and alone in previews.
type slackMessage struct {
	Channel     string            `json:"channel,omitempty"`
	Text        string            `json:"text"`
	Timestamp   string            `json:"ts,omitempty"` // chat.update: of the message to change
	Thread      string            `json:"thread_ts,omitempty"`
	Broadcast   bool              `json:"reply_broadcast,omitempty"`
	UnfurlLinks bool              `json:"unfurl_links"`
	UnfurlMedia bool              `json:"unfurl_media"`
	Attachments []slackAttachment `json:"attachments"`
	Metadata    *slackMetadata    `json:"metadata,omitempty"`
}

type slackMetadata struct {
	EventType string            `json:"event_type"`
	Payload   map[string]string `json:"event_payload"`
}

type slackAttachment struct {
	Color    string       `json:"color"`
	Fallback string       `json:"fallback"`
	Blocks   []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type     string         `json:"type"` // section, context, actions, divider
	Text     *slackText     `json:"text,omitempty"`
	Elements []slackElement `json:"elements,omitempty"`
}

type slackText struct {
	Type string `json:"type"` // mrkdwn, plain_text
	Text string `json:"text"`
}

// slackElement is a text of a context block, whose text is a string, or a button,
// whose text is an object.
type slackElement struct {
	Type     string `json:"type"` // mrkdwn, button
	Text     any    `json:"text"`
	ActionID string `json:"action_id,omitempty"`
	Value    string `json:"value,omitempty"`
	URL      string `json:"url,omitempty"`
	Style    string `json:"style,omitempty"`
}

// slackLook is how one channel wants its messages.
type slackLook struct {
	mention     string
	interactive bool
}

// calls reports whether a message may call people: something begins, gets worse,
// or nobody reacts.
func calls(m notice.Message) bool {
	switch m.Event.Kind {
	case "alert.escalated", "alert.reminder", "drill.begun":
		return true
	}
	return m.Event.Alarm == notice.AlarmFire
}

// message gives a message its form.
func (l slackLook) message(t telling, m notice.Message) slackMessage {
	out := l.head(t, m)
	if l.mention != "" && t.Staff && calls(m) {
		out.Text = l.mention + " " + out.Text
	}
	return out
}

// head is message without anybody being called: what a thread begins with, too.
func (l slackLook) head(t telling, m notice.Message) slackMessage {
	text := "*" + bold(t.Headline()) + "*"
	if !t.Staff {
		text = markup.Plain(t.Page) + ": " + text
	}
	if t.Simulated {
		text = "Demo, nothing in it is real: " + text
	}
	a := slackAttachment{Color: string(colours[t.Tone]), Fallback: markup.Plain(t.Headline()), Blocks: blocks(t)}
	var also []string
	for _, other := range t.Also {
		also = append(also, "• *"+bold(cut(other.Headline(), maxAlsoText))+"*")
	}
	if t.More > 0 {
		also = append(also, "and "+strconv.Itoa(t.More)+" more")
	}
	if len(also) > 0 {
		a.Blocks = append(a.Blocks, slackBlock{Type: "divider"}, section(strings.Join(also, "\n")))
	}
	if t.Again {
		a.Blocks = append(a.Blocks, contextOf("This was sent before and may be here already."))
	}
	if buttons := l.buttons(t, m); len(buttons) > 0 {
		a.Blocks = append(a.Blocks, slackBlock{Type: "actions", Elements: buttons})
	}
	return slackMessage{Text: text, Attachments: []slackAttachment{a}}
}

// bold takes the marks out of words that stand between two stars.
func bold(s string) string { return strings.ReplaceAll(markup.Plain(s), "*", "∗") }

// blocks gives what stands under a headline.
func blocks(t telling) []slackBlock {
	out := []slackBlock{}
	if body := markup.Mrkdwn(t.Body); body != "" {
		out = append(out, section(body))
	}
	if t.Note != "" {
		out = append(out, section("```\n"+strings.ReplaceAll(cutMrkdwn(escaped(t.Note), maxSection-10), "```", "'''")+"\n```"))
	}
	var said []string
	for _, f := range t.Facts {
		said = append(said, "*"+f.Name+"* "+markup.Plain(f.Value))
	}
	if len(said) > 0 {
		out = append(out, contextOf(strings.Join(said, "  ·  ")))
	}
	return out
}

// escaped escapes text of several lines.
func escaped(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = markup.Plain(lines[i])
	}
	return strings.Join(lines, "\n")
}

func section(mrkdwn string) slackBlock {
	return slackBlock{Type: "section", Text: &slackText{Type: "mrkdwn", Text: cutMrkdwn(mrkdwn, maxSection)}}
}

func contextOf(mrkdwn string) slackBlock {
	return slackBlock{Type: "context", Elements: []slackElement{{Type: "mrkdwn", Text: cutMrkdwn(mrkdwn, maxSection)}}}
}

// cutMrkdwn shortens to so many bytes, never within a link or an entity.
func cutMrkdwn(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	s = s[:limit]
	for len(s) > 0 && !utf8.ValidString(s[max(len(s)-utf8.UTFMax, 0):]) {
		s = s[:len(s)-1]
	}
	if open := strings.LastIndexByte(s, '<'); open > strings.LastIndexByte(s, '>') {
		s = s[:open]
	}
	if amp := strings.LastIndexByte(s, '&'); amp > strings.LastIndexByte(s, ';') && len(s)-amp <= len("&amp") {
		s = s[:amp]
	}
	return s + "…"
}

// buttons gives what can be pressed.
func (l slackLook) buttons(t telling, m notice.Message) []slackElement {
	var out []slackElement
	switch alert := m.Delivery.Alert; {
	case t.Acknowledge == "" && (alert == "" || !l.interactive):
	case l.interactive && alert != "" && t.Staff && m.Event.Alarm != notice.AlarmClear && m.Event.Kind != "alert.acknowledged":
		out = append(out, slackElement{Type: "button", Text: label("Acknowledge"), ActionID: ActionAcknowledge, Value: alert, Style: "primary"})
	case t.Acknowledge != "":
		out = append(out, slackElement{Type: "button", Text: label("Acknowledge"), ActionID: "evenkeel_open_acknowledge", URL: t.Acknowledge, Style: "primary"})
	}
	if t.Confirm != "" {
		out = append(out, slackElement{Type: "button", Text: label("Confirm"), ActionID: "evenkeel_open_confirm", URL: t.Confirm, Style: "primary"})
	}
	for i, link := range t.Links {
		out = append(out, slackElement{Type: "button", Text: label(link.Label), ActionID: "evenkeel_open_" + strconv.Itoa(i), URL: link.URL})
	}
	if t.Manage != "" {
		out = append(out, slackElement{Type: "button", Text: label("Choose what you get"), ActionID: "evenkeel_open_manage", URL: t.Manage})
	}
	return out
}

func label(text string) slackText { return slackText{Type: "plain_text", Text: cut(text, maxButton)} }

// plain gives the words of a message without its form, for the outbox.
func (s slackMessage) plain() string {
	lines := []string{s.Text}
	for _, a := range s.Attachments {
		for _, b := range a.Blocks {
			if b.Text != nil {
				lines = append(lines, b.Text.Text)
			}
			for _, e := range b.Elements {
				switch text := e.Text.(type) {
				case string:
					lines = append(lines, text)
				case slackText:
					lines = append(lines, "["+text.Text+"]")
				}
			}
		}
	}
	return strings.Join(lines, "\n")
}
