package hooks

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// slackRoom is what stands behind commands: one incident, one alert, two people.
type slackRoom struct {
	mu       sync.Mutex
	now      time.Time
	settings SlackSettings
	asked    int // times Slack was asked for an address
	done     []string
	alerts   []notice.Alert
	replies  []string
	away     bool
}

func (s *slackRoom) init() {
	s.now = time.Date(2026, 11, 21, 3, 2, 0, 0, time.UTC)
	s.settings = SlackSettings{
		Secret: "signing", Page: "https://status.example.org", Users: map[string]string{"U0OPS": "ops@example.org"},
		Email: func(_ context.Context, user string) (string, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.asked++
			switch user {
			case "U0VIEW":
				return "viewer@example.org", nil
			case "U0NEW":
				return "stranger@example.org", nil
			case "U0AWAY":
				return "", problem.Unavailable(nil, "away")
			}
			return "", problem.NotFound("no")
		},
	}
	s.alerts = []notice.Alert{{ID: "01alert", Subject: journal.Ref{Kind: "incident", ID: "01inc"}, State: notice.Firing, Severity: notice.SeverityMajor, OpenedAt: s.now}}
}

func (s *slackRoom) deps() SlackDeps {
	return SlackDeps{
		Settings: func() SlackSettings { return s.settings }, People: s, Incidents: s, Alerts: s, Page: s, Tickets: slackDesk{s},
		Reply: func(_ context.Context, address, text string) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.replies = append(s.replies, address+" "+text)
			return nil
		},
	}
}

func (s *slackRoom) did(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = append(s.done, what)
}

func (s *slackRoom) ByEmail(_ context.Context, email string) (people.Person, error) {
	switch email {
	case "ops@example.org":
		return people.Person{ID: "01ops", Name: "Ops", Grants: []access.Grant{{Role: access.RoleOperator}}}, nil
	case "viewer@example.org":
		return people.Person{ID: "01view", Name: "Viewer", Grants: []access.Grant{{Role: access.RoleViewer}}}, nil
	}
	return people.Person{}, problem.NotFound("no")
}

func (s *slackRoom) Names(context.Context) (map[string]string, error) {
	return map[string]string{"01ops": "Ann <!channel>"}, nil
}

func (s *slackRoom) incident() incident.Incident {
	return incident.Incident{ID: "01inc", Number: 7, Name: "Payments <!here> fail", State: incident.Investigating, Impact: incident.ImpactMajor, StartedAt: s.now}
}

func (s *slackRoom) Find(_ context.Context, _ access.Actor, id string) (incident.Incident, error) {
	if id == "INC-7" || id == "7" || id == "01inc" {
		return s.incident(), nil
	}
	return incident.Incident{}, problem.NotFound("There is no incident %s.", id)
}

func (s *slackRoom) Open(_ context.Context, by access.Actor) ([]incident.Incident, error) {
	if s.away {
		return nil, problem.Unavailable(nil, "SELECT failed on 10.0.0.1")
	}
	return []incident.Incident{s.incident()}, by.Check(access.IncidentRead)
}

func (s *slackRoom) Declare(_ context.Context, by access.Actor, d incident.Declaration) (incident.Incident, error) {
	if err := by.Check(access.IncidentDeclare); err != nil {
		return incident.Incident{}, err
	}
	s.did("declare " + d.Name + " by " + by.ID)
	i := s.incident()
	i.Name = d.Name
	return i, nil
}

func (s *slackRoom) Note(ctx context.Context, by access.Actor, id, body string) (incident.Update, error) {
	if _, err := s.Find(ctx, by, id); err != nil {
		return incident.Update{}, err
	}
	s.did("note " + id + " " + body)
	return incident.Update{}, by.Check(access.IncidentNote)
}

func (s *slackRoom) Publish(ctx context.Context, by access.Actor, id string, p incident.Publication) (incident.Incident, incident.Update, error) {
	if err := by.Check(access.IncidentUpdate); err != nil {
		return incident.Incident{}, incident.Update{}, err
	}
	i, err := s.Find(ctx, by, id)
	i.Visibility, i.PublishedAt = incident.Public, s.now
	s.did("publish " + id + " " + string(p.State) + " " + p.Body + " " + strconv.FormatBool(p.Deliver))
	return i, incident.Update{}, err
}

func (s *slackRoom) Alerts(_ context.Context, by access.Actor, _ notice.AlertQuery) ([]notice.Alert, error) {
	return s.alerts, by.Check(access.DeliveryRead)
}

func (s *slackRoom) Acknowledge(_ context.Context, by access.Actor, id string) (notice.Alert, error) {
	if err := by.Check(access.AlertAck); err != nil {
		return notice.Alert{}, err
	}
	if id != "01alert" && id != "02alert" {
		return notice.Alert{}, problem.NotFound("There is no alert %s.", id)
	}
	s.did("acknowledge " + id + " by " + by.ID)
	return notice.Alert{ID: id}, nil
}

func (s *slackRoom) OnCall(context.Context, time.Time) ([]notice.Turn, error) {
	return []notice.Turn{{Rotation: "desk", Person: "01ops", To: s.now.Add(time.Hour)}, {Rotation: "night"}}, nil
}

func (s *slackRoom) Rotations() []notice.Rotation {
	return []notice.Rotation{{ID: "desk", Name: "Service desk"}, {ID: "night", Name: "Nights"}}
}

func (s *slackRoom) Page(time.Time) *status.Page {
	return &status.Page{
		Headline: status.Headline{Title: "Checkout <b> fails.", Rest: "Everything else is working."},
		Groups: []status.PageGroup{{Components: []status.PageComponent{
			{Name: "Checkout & co", Status: status.MajorOutage}, {Name: "API", Status: status.Operational}}}},
	}
}

// signed posts a form as Slack does.
func (s *scene) signed(t testing.TB, form url.Values, secret string, at time.Time) (int, string) {
	t.Helper()
	body := form.Encode()
	req, err := http.NewRequest(http.MethodPost, s.URL+"/hooks/slack/token", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(answer)
}

// command gives what a user is answered.
func (s *scene) command(t testing.TB, user, text string) string {
	t.Helper()
	code, answer := s.signed(t, url.Values{"command": {"/evenkeel"}, "user_id": {user}, "text": {text}}, "signing", s.room.now)
	var said struct {
		Type string `json:"response_type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal([]byte(answer), &said); err != nil || code != http.StatusOK || said.Type != "ephemeral" {
		t.Fatalf("%q: answered %d %s", text, code, answer)
	}
	return said.Text
}

// TestSlackSignature (S2-27): what is not signed, is old, or was changed does nothing.
func TestSlackSignature(t *testing.T) {
	form := url.Values{"user_id": {"U0OPS"}, "text": {"declare It burns"}}
	for _, row := range []struct {
		name, secret string
		age          time.Duration
		none         bool // no secret is configured
		want         int
	}{
		{"signed", "signing", 0, false, 200},
		{"a little old", "signing", 4 * time.Minute, false, 200},
		{"another secret", "other", 0, false, 401},
		{"too old", "signing", 6 * time.Minute, false, 401},
		{"from the future", "signing", -6 * time.Minute, false, 401},
		{"no secret is known", "", 0, true, 401},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newScene(t)
			if row.none {
				s.room.settings.Secret = ""
			}
			code, _ := s.signed(t, form, row.secret, s.room.now.Add(-row.age))
			if code != row.want || (len(s.room.done) == 1) != (row.want == 200) {
				t.Errorf("answered %d, did %q", code, s.room.done)
			}
		})
	}
	s := newScene(t)
	for _, header := range []string{"", "v0=", "v0=zz", "v1=00"} {
		req, _ := http.NewRequest(http.MethodPost, s.URL+"/hooks/slack/token", strings.NewReader(form.Encode()))
		req.Header.Set("X-Slack-Request-Timestamp", strconv.FormatInt(s.room.now.Unix(), 10))
		req.Header.Set("X-Slack-Signature", header)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%q: answered %d", header, resp.StatusCode)
		}
	}
	if len(s.room.done) > 0 {
		t.Errorf("did %q", s.room.done)
	}
}

func TestSlackCommands(t *testing.T) {
	s := newScene(t)
	for _, row := range []struct {
		user, text string
		want       string // in the answer
		did        string // "" = nothing
	}{
		{"U0OPS", "", "*/evenkeel* understands", ""},
		{"U0OPS", "help", "`update ID [STATE] TEXT`", ""},
		{"U0OPS", "dance <!channel>", "I do not know dance", ""},
		{"U0NOBODY", "status", "*Checkout &lt;b&gt; fails.* Everything else is working.\n• Checkout &amp; co: major outage", ""},
		{"U0OPS", "incidents", "<https://status.example.org/console/incidents/01inc|INC-7 Payments &lt;!here&gt; fail>: investigating, impact major, not public", ""},
		{"U0OPS", "ack", "Acknowledged", "acknowledge 01alert by person/01ops"},
		{"U0OPS", "ack INC-7", "Acknowledged", "acknowledge 01alert by person/01ops"},
		{"U0OPS", "ack 01alert", "Acknowledged", "acknowledge 01alert by person/01ops"},
		{"U0OPS", "ack INC-8", "No open alert is INC-8", ""},
		{"U0OPS", "declare Payments &amp; more &lt;fail&gt;", "Opened <https://status.example.org/console/incidents/01inc|", "declare Payments & more <fail> by person/01ops"},
		{"U0OPS", "note 7 looked at <https://graphs.example.org/x|the graph> with <@U123|ann>", "Noted in 7", "note 7 looked at https://graphs.example.org/x with @ann"},
		{"U0OPS", "update INC-7 Identified  The cause is known.", "Published in", "publish INC-7 identified The cause is known. true"},
		{"U0OPS", "update INC-7 The cause is sought.", "Published in", "publish INC-7  The cause is sought. true"},
		{"U0OPS", "update INC-7 resolved", "An update needs words", ""},
		{"U0OPS", "update INC-9 x", "There is no incident INC-9.", "publish INC-9  x true"},
		{"U0OPS", "oncall", "*Service desk*: Ann &lt;!channel&gt;, until 21 Nov 04:02 UTC\n• *Nights*: nobody", ""},
		{"U0OPS", "ticket The &lt;b&gt; door is shut\nsince noon", "Opened <https://status.example.org/console/tickets/01tk|TK-7 The &lt;b&gt; door is shut>", "ticket slack The <b> door is shut by person/01ops"},
		{"U0OPS", "ticket", "TK-8 No heating>, on hold, due 21 Nov 03:22 UTC", ""},
		{"U0VIEW", "ticket Fire", "viewer may not do ticket.open.", ""},
		{"U0VIEW", "incidents", "INC-7", ""},
		{"U0VIEW", "declare Fire", "viewer may not do incident.declare.", ""},
		{"U0VIEW", "ack", "viewer may not do alert.acknowledge.", ""},
		{"U0NOBODY", "incidents", "Your Slack user belongs to no account here.", ""},
		{"U0NEW", "declare Fire", "Your Slack user belongs to no account here.", ""},
		{"", "declare Fire", "Your Slack user belongs to no account here.", ""},
		{"U0AWAY", "incidents", "cannot do this just now", ""},
	} {
		s.room.done = nil
		got := s.command(t, row.user, row.text)
		if !strings.Contains(got, row.want) {
			t.Errorf("%q of %s: %q, want %q", row.text, row.user, got, row.want)
		}
		if strings.Join(s.room.done, "; ") != row.did {
			t.Errorf("%q of %s did %q, want %q", row.text, row.user, s.room.done, row.did)
		}
		if strings.Contains(got, "<!") {
			t.Errorf("%q calls somebody: %q", row.text, got)
		}
	}
	if s.room.asked > 6 {
		t.Errorf("Slack was asked %d times", s.room.asked)
	}
	s.room.away = true
	if got := s.command(t, "U0OPS", "incidents"); strings.Contains(got, "10.0.0.1") || !strings.Contains(got, "just now") {
		t.Errorf("%q", got)
	}
}

func TestSlackAckAsksWhichOne(t *testing.T) {
	s := newScene(t)
	s.room.alerts = append(s.room.alerts, notice.Alert{ID: "02alert", State: notice.Firing, Subject: journal.Ref{Kind: "incident", ID: "02inc"}})
	if got := s.command(t, "U0OPS", "ack"); !strings.Contains(got, "Which one?") || !strings.Contains(got, "`ack 02alert`") || len(s.room.done) > 0 {
		t.Errorf("%q, did %q", got, s.room.done)
	}
	s.room.alerts = nil
	if got := s.command(t, "U0OPS", "ack"); got != "Nothing asks to be acknowledged." {
		t.Errorf("%q", got)
	}
}

func TestSlackButton(t *testing.T) {
	press := func(s *scene, user, action, value string) int {
		payload, _ := json.Marshal(map[string]any{
			"type": "block_actions", "user": map[string]any{"id": user}, "response_url": "https://hooks.slack.com/actions/x",
			"actions": []map[string]any{{"action_id": action, "value": value}},
		})
		code, _ := s.signed(t, url.Values{"payload": {string(payload)}}, "signing", s.room.now)
		return code
	}
	s := newScene(t)
	if code := press(s, "U0OPS", actionAcknowledge, "01alert"); code != 200 || len(s.room.done) != 1 || len(s.room.replies) != 0 {
		t.Errorf("answered %d, did %q, said %q", code, s.room.done, s.room.replies)
	}
	if code := press(s, "U0OPS", "evenkeel_open_0", ""); code != 200 || len(s.room.done) != 1 {
		t.Errorf("answered %d, did %q", code, s.room.done)
	}
	press(s, "U0NOBODY", actionAcknowledge, "01alert")
	press(s, "U0OPS", actionAcknowledge, "09alert")
	if len(s.room.done) != 1 || len(s.room.replies) != 2 || !strings.Contains(s.room.replies[0], "belongs to no account") || !strings.Contains(s.room.replies[1], "There is no alert 09alert.") {
		t.Errorf("did %q, said %q", s.room.done, s.room.replies)
	}
	if code, _ := s.signed(t, url.Values{"payload": {"{"}}, "signing", s.room.now); code != 400 {
		t.Errorf("a payload that is none: %d", code)
	}
	if code, _ := s.signed(t, url.Values{"ssl_check": {"1"}}, "signing", s.room.now); code != 200 {
		t.Errorf("ssl_check: %d", code)
	}
}

// FuzzUnescape: what is typed comes back as text, whatever it holds.
func FuzzUnescape(f *testing.F) {
	f.Add("a <https://x|y> <@U1|ann> &lt;b&gt; <unclosed")
	f.Fuzz(func(t *testing.T, s string) { unescape(s) })
}
