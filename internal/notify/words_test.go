package notify

import (
	"net/mail"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
)

// TestHeadlines: every event there is, in one line.
func TestHeadlines(t *testing.T) {
	for _, row := range []struct {
		kind, status string
		facts        map[string]string
		want         string
		tone         tone
	}{
		{"incident.declared", "investigating", nil, "Declared: Payments fail", toneMajor},
		{"incident.suspected", "suspected", nil, "Suspected: Payments fail", toneMajor},
		{"incident.opened", "investigating", nil, "Investigating: Payments fail", toneMajor},
		{"incident.updated", "identified", nil, "Identified: Payments fail", toneMajor},
		{"incident.updated", "monitoring", nil, "Monitoring: Payments fail", toneMajor},
		{"incident.resolved", "resolved", nil, "Resolved: Payments fail", toneGood},
		{"incident.reopened", "investigating", nil, "Open again: Payments fail", toneMajor},
		{"incident.postmortem", "postmortem", nil, "Postmortem: Payments fail", toneInfo},
		{"incident.dropped", "resolved", nil, "Dropped: Payments fail", toneInfo},
		{"incident.merged", "investigating", nil, "Merged into another: Payments fail", toneInfo},
		{"component.down", "major_outage", nil, "Major outage: Payments fail", toneCritical},
		{"component.down", "degraded_performance", nil, "Degraded performance: Payments fail", toneMinor},
		{"component.recovered", "monitoring", nil, "All well again: Payments fail", toneGood},
		{"maintenance.scheduled", "scheduled", nil, "Maintenance scheduled: Payments fail", toneMaintenance},
		{"maintenance.started", "in_progress", nil, "Maintenance in progress: Payments fail", toneMaintenance},
		{"maintenance.reminder", "scheduled", nil, "Maintenance soon: Payments fail", toneMaintenance},
		{"maintenance.extended", "in_progress", nil, "Maintenance takes longer: Payments fail", toneMaintenance},
		{"maintenance.completed", "completed", nil, "Maintenance completed: Payments fail", toneMaintenance},
		{"maintenance.overdue", "in_progress", nil, "Maintenance is overdue: Payments fail", toneMinor},
		{"attention.raised", "", nil, "Needs attention: Payments fail", toneMinor},
		{"attention.settled", "", nil, "No longer needs attention: Payments fail", toneGood},
		{"alert.reminder", "major_outage", map[string]string{"reminder": "2"}, "Reminder 2: Major outage: Payments fail", toneCritical},
		{"alert.reminder", "major_outage", map[string]string{"reminder": "0"}, "Reminder: Major outage: Payments fail", toneCritical},
		{"alert.escalated", "major_outage", nil, "Escalated: Major outage: Payments fail", toneCritical},
		{"alert.acknowledged", "investigating", nil, "Acknowledged: Investigating: Payments fail", toneMajor},
		{"channel.test", "test", nil, "Test: this channel works", toneInfo},
		{"drill.begun", "drill", nil, "Drill: please acknowledge", toneMajor},
		{"subscriber.confirm", "", nil, "Please confirm your subscription", toneInfo},
		{"subscriber.known", "", nil, "You are subscribed already", toneInfo},
		{"something.new", "unheard_of", nil, "Payments fail", toneMajor},
	} {
		e := incidentEvent(row.kind, row.status)
		e.Content.Facts = row.facts
		got := inUTC.telling(toTeam(e))
		if got.Headline() != row.want || got.Tone != row.tone {
			t.Errorf("%s: %q in %s, want %q in %s", row.kind, got.Headline(), got.Tone, row.want, row.tone)
		}
		if colours[got.Tone] == "" {
			t.Errorf("%s has no colour", got.Tone)
		}
	}
}

// inUTC writes moments in UTC and names nobody.
var inUTC = wording{zone: time.UTC}

// TestAcknowledgedByWhom: staff read who is on it, customers never who did what.
func TestAcknowledgedByWhom(t *testing.T) {
	w := wording{zone: time.UTC, name: func(actor string) string { return map[string]string{"person/01": "Ann"}[actor] }}
	e := incidentEvent("alert.acknowledged", "investigating")
	e.Content.Facts = map[string]string{"by": "person/01"}
	if text := w.telling(toTeam(e)).text(); !strings.Contains(text, "By: Ann") {
		t.Errorf("%s", text)
	}
	if text := w.telling(toSubscriber(e)).text(); strings.Contains(text, "Ann") {
		t.Errorf("%s", text)
	}
}

func TestMoments(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 11, 21, 23, 30, 0, 0, time.UTC)
	for _, row := range []struct {
		got, want string
	}{
		{inUTC.moment(from), "21 November 2026, 23:30 UTC"},
		{wording{zone: berlin}.moment(from), "22 November 2026, 00:30 CET (23:30 UTC)"},
		{wording{zone: berlin}.span(from, from.Add(time.Hour)), "22 November 2026, 00:30 to 01:30 CET (23:30 to 00:30 UTC)"},
		{inUTC.span(from, from.Add(time.Hour)), "21 November 2026, 23:30 UTC to 22 November 2026, 00:30 UTC"},
		{inUTC.span(from.Add(-2*time.Hour), from), "21 November 2026, 21:30 to 23:30 UTC"},
		{lasted(0), "1 minute"}, {lasted(61 * time.Minute), "1 hour 1 minute"}, {lasted(26*time.Hour + 10*time.Minute), "1 day 2 hours"}, {lasted(2 * time.Minute), "2 minutes"},
	} {
		if row.got != row.want {
			t.Errorf("got %q, want %q", row.got, row.want)
		}
	}
}

func TestMaintenanceSaysWhen(t *testing.T) {
	e := incidentEvent("maintenance.scheduled", "scheduled")
	e.Subject = journal.Ref{Kind: "maintenance", ID: "01m"}
	e.Content.Impact, e.Content.To = "maintenance", began.Add(2*time.Hour)
	text := inUTC.telling(toSubscriber(e)).text()
	if !strings.Contains(text, "When: 21 November 2026, 03:02 to 05:02 UTC") || strings.Contains(text, "Impact") {
		t.Errorf("%s", text)
	}
}

// TestTogether: one message that tells of many says so, and how many it leaves out.
func TestTogether(t *testing.T) {
	m := toTeam(incidentEvent("component.down", "major_outage"))
	for range maxAlso + 5 {
		m.Also = append(m.Also, incidentEvent("component.down", "degraded_performance"))
	}
	got := inUTC.telling(m)
	if got.Subject() != "[Example status] Major outage: Payments fail (and 25 more)" || got.More != 5 || len(got.Also) != maxAlso {
		t.Errorf("%q, %d more of %d", got.Subject(), got.More, len(got.Also))
	}
	html, err := got.html()
	if err != nil || strings.Count(html, "<h2") != 1+maxAlso || !strings.Contains(html, "and 5 more") {
		t.Errorf("%v", err)
	}
}

// TestDemoSaysSo: nothing that leaves a demo can be taken for real.
func TestDemoSaysSo(t *testing.T) {
	for _, m := range []notice.Message{toTeam(incidentEvent("incident.opened", "investigating")), toSubscriber(incidentEvent("incident.opened", "investigating"))} {
		m.Simulated = true
		h := house(t)
		got := h.env.words.telling(m)
		html, err := got.html()
		if err != nil {
			t.Fatal(err)
		}
		slack := slackLook{}.message(got, m)
		webhook := (&webhook{hook{env: h.env}}).payload(m)
		page, _ := (&statuspage{hook{env: h.env}}).payload(m, m.Event)
		if !strings.HasPrefix(got.Subject(), "[Demo] ") || !strings.Contains(got.text(), "This is a demo") || !strings.Contains(html, "This is a demo") ||
			!strings.HasPrefix(slack.Text, "Demo") || !webhook.Simulated || page["meta"].(map[string]any)["simulated"] != true {
			t.Errorf("%s", got.text())
		}
	}
}

// FuzzMessage: whatever the words are, every form can be made of them, and no
// header gets a second line.
func FuzzMessage(f *testing.F) {
	f.Add("Payments fail", "We *see* it", "refused", "Checkout", "ann@example.org", "incident.opened", "investigating")
	f.Add("a\r\nBcc: x@y.z", "<script>", "\x00\xff", "<!channel>", "a@b\r\n", "alert.reminder", "{{.}}")
	h := NewHouse(Env{})
	f.Fuzz(func(t *testing.T, title, body, staff, name, address, kind, status string) {
		e := incidentEvent(kind, status)
		e.Content.Title, e.Content.Body, e.Content.Staff, e.Content.Names = title, body, staff, []string{name}
		for _, m := range []notice.Message{toTeam(e), toSubscriber(e)} {
			m.PageName, m.To.Name, m.Thread = name, title, title
			m.To.Address = address
			got := h.env.words.telling(m)
			if strings.ContainsAny(got.Subject(), "\r\n\x00") {
				t.Errorf("subject %q", got.Subject())
			}
			if !got.Staff && staff != "" && got.Note != "" {
				t.Error("a customer reads what is for staff")
			}
			mailer := &mailer{env: h.env}
			mailer.from, _ = parseAddress("status@example.org")
			if l, err := mailer.letter(m); err == nil {
				if _, err := l.compose(t.Context(), "evenkeel"); err != nil {
					t.Errorf("compose: %v", err)
				}
			}
			slackLook{}.message(got, m)
		}
	})
}

func parseAddress(text string) (*mail.Address, error) { return address("from", text) }
