package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/markup"
	"evenkeel/internal/notice"
)

// alertFor is how long Alertmanager takes an alert for firing when it hears
// nothing more of it. The end is told and cannot get lost, so this only bounds
// what an alert leaves behind when this hub is taken away.
const alertFor = 7 * 24 * time.Hour

// alertmanager is the channel of kind alertmanager: our alerts among those of a
// Prometheus Alertmanager (API v2), so that a team keeps one router.
type alertmanager struct {
	env    *env
	to     string
	header http.Header
}

func openAlertmanager(e *env, _ config.File, c config.Channel) (channel, error) {
	var found collect
	base, err := e.secret("url", c.URL)
	found.take(err)
	var to *url.URL
	if err == nil {
		to, err = webAddress("url", base)
		found.take(err)
	}
	token, err := e.secret("token", c.Token)
	found.take(err)
	if err := found.Err(); err != nil {
		return nil, err
	}
	return &alertmanager{env: e, to: below(to, "api/v2/alerts"), header: bearer(token)}, nil
}

// Close does nothing: connections belong to the house.
func (a *alertmanager) Close() {}

// alert is one alert as Alertmanager takes it. Its labels are its identity.
type alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	EndsAt      time.Time         `json:"endsAt"`
	Generator   string            `json:"generatorURL,omitempty"`
}

// Send posts the alert of the message as it stands.
func (a *alertmanager) Send(ctx context.Context, m notice.Message) (notice.Receipt, error) {
	alerts := a.alerts(m)
	if len(alerts) == 0 {
		return quiet("Alertmanager hears of what begins or ends")
	}
	body, err := json.Marshal(alerts)
	if err != nil {
		return notice.Receipt{}, &notice.Refusal{Permanent: true, Reason: "the message cannot be written as JSON", Err: err}
	}
	got, err := a.env.file.post(ctx, a.to, body, a.header)
	if err != nil {
		return notice.Receipt{}, err
	}
	if r := judge(got, a.env.Now()); r != nil {
		return notice.Receipt{}, r
	}
	return notice.Receipt{Mark: strconv.Itoa(got.status), ExactOnce: true}, nil
}

func (a *alertmanager) show(m notice.Message) (Shown, error) {
	body, err := json.MarshalIndent(a.alerts(m), "", "  ")
	return Shown{To: place(a.to), Subject: a.env.words.telling(m).Headline(), JSON: string(body)}, err
}

// alerts gives what is posted for a message. Labels are what alerts are known
// by, severity among them, so that the alert under each other severity is ended
// along with it: an alert that got worse does not stay behind as it was.
func (a *alertmanager) alerts(m notice.Message) []alert {
	out := []alert{}
	now := a.env.Now().UTC()
	for _, e := range append([]notice.Event{m.Event}, m.Also...) {
		fires := e.Alarm == notice.AlarmFire || e.Kind == "alert.reminder" || e.Kind == "alert.escalated" || e.Kind == "drill.begun"
		if !fires && e.Alarm != notice.AlarmClear && e.Kind != "channel.test" {
			continue
		}
		t := a.env.words.event(m, e)
		began := e.At.UTC()
		if !e.Content.From.IsZero() && e.Content.From.Before(began) {
			began = e.Content.From.UTC()
		}
		for _, severity := range []notice.Severity{notice.SeverityInfo, notice.SeverityMinor, notice.SeverityMajor, notice.SeverityCritical} {
			one := alert{
				Labels: map[string]string{
					"alertname": "Evenkeel" + strings.ToUpper(e.Subject.Kind[:min(1, len(e.Subject.Kind))]) + e.Subject.Kind[min(1, len(e.Subject.Kind)):],
					"subject":   e.Subject.String(), "severity": string(severity), "page": m.PageName,
				},
				Annotations: annotations(t), StartsAt: began, EndsAt: now,
			}
			if len(t.Links) > 0 {
				one.Generator = t.Links[0].URL
			}
			if fires && severity == e.Severity {
				one.EndsAt = now.Add(alertFor)
			}
			if one.EndsAt.Before(one.StartsAt) {
				one.StartsAt = one.EndsAt
			}
			out = append(out, one)
		}
	}
	return out
}

// annotations gives what people read of an alert.
func annotations(t telling) map[string]string {
	out := map[string]string{"summary": t.Headline()}
	if text := strings.TrimSpace(markup.Text(t.Body) + "\n\n" + t.Note); text != "" {
		out["description"] = text
	}
	for _, f := range t.Facts {
		out[strings.ToLower(f.Name)] = f.Value
	}
	for _, l := range t.Links {
		if l.Label == "Run-book" {
			out["runbook_url"] = l.URL
		}
	}
	return out
}
