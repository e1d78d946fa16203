package notifytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// SlackToken is the bot token that the fake takes.
const SlackToken = "xoxb-test-token"

// Slack is a workspace: the web API below /api/, incoming webhooks below
// /services/. It checks what it is sent as the real one does, and keeps messages.
type Slack struct {
	*Endpoint
	// Users are the addresses of users, by id.
	Users map[string]string

	posts []SlackMessage
	fail  string
}

// SlackMessage is a message as it stands in a channel now.
type SlackMessage struct {
	Channel, TS, Thread string
	Text                string
	Blocks              string // the words of all blocks, one a line
	Buttons             []SlackButton
	Broadcast           bool
	Edited              int
}

// SlackButton is a button of a message.
type SlackButton struct{ Text, ActionID, Value, URL string }

// NewSlack starts one.
func NewSlack(tb testing.TB) *Slack {
	tb.Helper()
	s := &Slack{Endpoint: NewEndpoint(tb), Users: map[string]string{}}
	s.Answer(s.serve)
	return s
}

// API is the base address of its web API.
func (s *Slack) API() string { return s.URL + "/api/" }

// Hook is the address of an incoming webhook.
func (s *Slack) Hook() string { return s.URL + "/services/T000/B000/secret" }

// Fail makes every call of the API fail with a code; "" ends that.
func (s *Slack) Fail(code string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = code
}

// Messages gives what stands in its channels, in order of posting.
func (s *Slack) Messages() []SlackMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]SlackMessage(nil), s.posts...)
}

func (s *Slack) serve(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/services/") {
		if m, ok := s.read(r); ok && m.Channel == "" {
			s.post(m)
			_, _ = w.Write([]byte("ok"))
			return
		}
		http.Error(w, "invalid_payload", http.StatusBadRequest)
		return
	}
	method := strings.TrimPrefix(r.URL.Path, "/api/")
	if r.Header.Get("Authorization") != "Bearer "+SlackToken {
		answerJSON(w, http.StatusOK, map[string]any{"ok": false, "error": "invalid_auth"})
		return
	}
	s.mu.Lock()
	fail := s.fail
	s.mu.Unlock()
	if fail == "ratelimited" {
		w.Header().Set("Retry-After", "7")
		answerJSON(w, http.StatusTooManyRequests, map[string]any{"ok": false, "error": fail})
		return
	}
	if fail != "" {
		answerJSON(w, http.StatusOK, map[string]any{"ok": false, "error": fail})
		return
	}
	switch method {
	case "chat.postMessage", "chat.update":
		m, ok := s.read(r)
		if !ok || m.Channel == "" {
			answerJSON(w, http.StatusOK, map[string]any{"ok": false, "error": "invalid_arguments"})
			return
		}
		if method == "chat.update" {
			s.update(w, m)
			return
		}
		if m.Thread != "" && !s.has(m.Channel, m.Thread) {
			answerJSON(w, http.StatusOK, map[string]any{"ok": false, "error": "thread_not_found"})
			return
		}
		answerJSON(w, http.StatusOK, map[string]any{"ok": true, "channel": m.Channel, "ts": s.post(m)})
	case "users.info":
		email, ok := s.Users[r.URL.Query().Get("user")]
		if !ok {
			answerJSON(w, http.StatusOK, map[string]any{"ok": false, "error": "user_not_found"})
			return
		}
		answerJSON(w, http.StatusOK, map[string]any{"ok": true, "user": map[string]any{"profile": map[string]any{"email": email}}})
	default:
		answerJSON(w, http.StatusOK, map[string]any{"ok": false, "error": "unknown_method"})
	}
}

func (s *Slack) has(channel, ts string) bool {
	for _, m := range s.Messages() {
		if m.Channel == channel && m.TS == ts {
			return true
		}
	}
	return false
}

func (s *Slack) post(m SlackMessage) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.TS = fmt.Sprintf("1700000000.%06d", len(s.posts)+1)
	s.posts = append(s.posts, m)
	return m.TS
}

func (s *Slack) update(w http.ResponseWriter, m SlackMessage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.posts {
		if p := &s.posts[i]; p.Channel == m.Channel && p.TS == m.TS {
			p.Text, p.Blocks, p.Buttons = m.Text, m.Blocks, m.Buttons
			p.Edited++
			answerJSON(w, http.StatusOK, map[string]any{"ok": true, "channel": m.Channel, "ts": m.TS})
			return
		}
	}
	answerJSON(w, http.StatusOK, map[string]any{"ok": false, "error": "message_not_found"})
}

// The limits of Slack's messages, in characters.
const (
	slackText    = 40_000
	slackSection = 3_000
	slackButton  = 75
	slackBlocks  = 50
)

// read reads a message and complains of what Slack refuses.
func (s *Slack) read(r *http.Request) (SlackMessage, bool) {
	var in struct {
		Channel     string `json:"channel"`
		Text        string `json:"text"`
		TS          string `json:"ts"`
		Thread      string `json:"thread_ts"`
		Broadcast   bool   `json:"reply_broadcast"`
		Attachments []struct {
			Blocks []struct {
				Type     string `json:"type"`
				Text     *text  `json:"text"`
				Elements []struct {
					Type     string          `json:"type"`
					Text     json.RawMessage `json:"text"`
					ActionID string          `json:"action_id"`
					Value    string          `json:"value"`
					URL      string          `json:"url"`
				} `json:"elements"`
			} `json:"blocks"`
		} `json:"attachments"`
	}
	d := json.NewDecoder(r.Body)
	if r.Header.Get("Content-Type") != "application/json" || d.Decode(&in) != nil || in.Text == "" || utf8.RuneCountInString(in.Text) > slackText {
		s.complain("not a message: %s", r.Header.Get("Content-Type"))
		return SlackMessage{}, false
	}
	m := SlackMessage{Channel: in.Channel, TS: in.TS, Thread: in.Thread, Text: in.Text, Broadcast: in.Broadcast}
	ok := true
	fault := func(format string, args ...any) { s.complain(format, args...); ok = false }
	actions := map[string]bool{}
	for _, a := range in.Attachments {
		if len(a.Blocks) > slackBlocks {
			fault("%d blocks", len(a.Blocks))
		}
		for _, b := range a.Blocks {
			switch b.Type {
			case "section":
				if b.Text == nil || b.Text.Text == "" || utf8.RuneCountInString(b.Text.Text) > slackSection {
					fault("a section without text, or with too much")
				} else {
					m.Blocks += b.Text.Text + "\n"
				}
			case "context", "actions":
				if len(b.Elements) == 0 || len(b.Elements) > 25 || b.Type == "context" && len(b.Elements) > 10 {
					fault("%s of %d elements", b.Type, len(b.Elements))
				}
			case "divider":
			default:
				fault("a block of type %q", b.Type)
			}
			for _, e := range b.Elements {
				switch e.Type {
				case "mrkdwn":
					var words string
					if json.Unmarshal(e.Text, &words) != nil || words == "" || utf8.RuneCountInString(words) > slackSection {
						fault("an element without words, or with too many")
					}
					m.Blocks += words + "\n"
				case "button":
					var words text
					if json.Unmarshal(e.Text, &words) != nil || words.Type != "plain_text" || words.Text == "" || utf8.RuneCountInString(words.Text) > slackButton {
						fault("a button without a label: %s", e.Text)
					}
					if e.ActionID == "" || actions[e.ActionID] {
						fault("a button whose action_id is %q", e.ActionID)
					}
					actions[e.ActionID] = true
					m.Buttons = append(m.Buttons, SlackButton{words.Text, e.ActionID, e.Value, e.URL})
				default:
					fault("an element of type %q", e.Type)
				}
			}
		}
	}
	return m, ok
}

type text struct {
	Type string `json:"type"`
	Text string `json:"text"`
}
