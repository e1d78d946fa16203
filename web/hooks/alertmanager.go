package hooks

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

const (
	// maxAlerts bounds a message of Alertmanager, in bytes.
	maxAlerts = 1 << 20
	// takeTries is how often a message is handed over when somebody else changed
	// the same incidents meanwhile.
	takeTries = 3
)

// Alarms takes alerts, each once; *incident.Room does. Errors: Invalid, Conflict,
// Unavailable.
type Alarms interface {
	Signals(ctx context.Context, by access.Actor, list []incident.Signal) error
}

// Components knows what components there are.
type Components interface {
	Known() []incident.Component
}

// alertmanager takes a webhook of Prometheus Alertmanager (or Grafana, which
// sends the same). It is answered with success only once everything in it is
// stored: Alertmanager sends again after a 5xx, and never after a 4xx, so that a
// 4xx is for what can never be taken.
func (i *Inbound) alertmanager(w http.ResponseWriter, r *http.Request) {
	hook, err := i.Doors.Open(r.Context(), "alertmanager", r.PathValue("token"))
	if err != nil {
		i.Problem(w, r, err)
		return
	}
	body, err := read(r, maxAlerts)
	if err != nil {
		i.Log.Warn("a message of alertmanager was not read", "hook", hook.ID, "err", err)
		i.Problem(w, r, err)
		return
	}
	m, err := readAlerts(body)
	if err != nil {
		i.Log.Warn("a message of alertmanager cannot be understood", "hook", hook.ID, "err", err)
		i.Problem(w, r, err)
		return
	}
	if m.unread > 0 {
		i.Log.Warn("alerts that cannot be understood were left out", "hook", hook.ID, "alerts", m.unread)
	}
	if m.Truncated > 0 {
		i.Log.Warn("alertmanager left alerts out of its message", "hook", hook.ID, "alerts", m.Truncated)
	}
	if err := i.take(r.Context(), hook, m.signals(hook, i.Parts.Known())); err != nil {
		i.Problem(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// take hands alerts over, in pieces that the wing takes. What goes wrong here is
// ours and passes: Alertmanager is asked to come again, and what was taken
// already is known the next time.
func (i *Inbound) take(ctx context.Context, hook people.Hook, list []incident.Signal) error {
	for batch := range slices.Chunk(list, incident.MaxSignals) {
		var err error
		for range takeTries {
			if err = i.Alarms.Signals(ctx, hook.Actor(), batch); problem.KindOf(err) != problem.KindConflict {
				break
			}
		}
		if err != nil {
			i.Log.Error("alerts were not taken", "hook", hook.ID, "alerts", len(batch), "err", err)
			return problem.Unavailable(err, "The alerts cannot be stored now; send them again.")
		}
	}
	return nil
}

// message is version 4 of Alertmanager's webhook, as far as we read it. Keys that
// we do not know are fine.
type message struct {
	Status    string            `json:"status"`
	Truncated int               `json:"truncatedAlerts"`
	Raw       []json.RawMessage `json:"alerts"`

	alerts []alert
	unread int // alerts that cannot be understood
}

// alert is one alert of a message.
type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	Generator   string            `json:"generatorURL"`
	Fingerprint string            `json:"fingerprint"`
}

// readAlerts reads a message. One alert that cannot be read does not take the
// others with it. Errors: Invalid when nothing in it can ever be read.
func readAlerts(body []byte) (message, error) {
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		return m, &problem.Error{Kind: problem.KindInvalid, Msg: "This is not a webhook of Alertmanager.", Err: err}
	}
	if m.Raw == nil {
		return m, problem.Invalid("alerts", "This is not a webhook of Alertmanager: it has no alerts.")
	}
	for _, raw := range m.Raw {
		var a alert
		if json.Unmarshal(raw, &a) != nil || a.StartsAt.IsZero() || a.StartsAt.Year() > 9999 {
			m.unread++
			continue
		}
		if a.Status = cmp.Or(a.Status, m.Status); a.Status != "firing" && a.Status != "resolved" {
			m.unread++
			continue
		}
		a.Fingerprint = a.print()
		m.alerts = append(m.alerts, a)
	}
	m.Raw = nil
	if m.unread > 0 && len(m.alerts) == 0 {
		return m, problem.Invalid("alerts", "None of the alerts can be understood: each needs a status, labels and startsAt.")
	}
	return m, nil
}

// fingerprint is what Alertmanager's have the shape of.
var fingerprint = regexp.MustCompile(`^[0-9A-Za-z]{1,64}$`)

// print gives the fingerprint of an alert; one that brings none that can be kept
// is known by its labels.
func (a *alert) print() string {
	if fingerprint.MatchString(a.Fingerprint) {
		return a.Fingerprint
	}
	sum := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		fmt.Fprintf(sum, "%q=%q\n", name, a.Labels[name])
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// The lines of a hook's mapping: "service=checkout": web says which component a
// label means, "severity=page": critical how bad it is (none leaves alerts of it
// out), and component or severity by themselves name the label to look at.
const (
	mapComponent = "component"
	mapSeverity  = "severity"
)

// signals turns a message into the wing's alerts.
func (m *message) signals(hook people.Hook, known []incident.Component) []incident.Signal {
	names := newNames(known)
	out := make([]incident.Signal, 0, len(m.alerts))
	for n := range m.alerts {
		a := &m.alerts[n]
		status, loud := a.grade(hook.Mapping)
		if !loud {
			continue
		}
		out = append(out, incident.Signal{
			Source: hook.ID, Fingerprint: a.Fingerprint, StartsAt: a.StartsAt.UTC().Truncate(time.Microsecond), Firing: a.Status == "firing",
			Component: names.of(a.Labels, hook.Mapping), Status: status, Name: a.name(), Why: a.why(m.Truncated),
		})
	}
	return out
}

// grades are the words for how bad an alert is, and what each means for a
// component. Alerts of words that mean nothing to customers are left out: a
// watchdog fires for ever.
var grades = map[string]string{
	"critical": "major_outage", "page": "major_outage", "emergency": "major_outage", "fatal": "major_outage", "disaster": "major_outage", "p1": "major_outage",
	"major": "partial_outage", "error": "partial_outage", "high": "partial_outage", "p2": "partial_outage",
	"minor": "degraded_performance", "warning": "degraded_performance", "warn": "degraded_performance", "medium": "degraded_performance", "p3": "degraded_performance",
	"none": "", "info": "", "informational": "", "low": "", "notice": "", "debug": "", "ok": "",
}

// grade gives what an alert means for its component; loud is false for one that
// nobody is told of.
func (a *alert) grade(mapping map[string]string) (status string, loud bool) {
	label := cmp.Or(mapping[mapSeverity], "severity")
	word := strings.ToLower(strings.TrimSpace(a.Labels[label]))
	if mapped, ok := mapping[label+"="+a.Labels[label]]; ok {
		word = strings.ToLower(mapped)
	}
	status, known := grades[word]
	if !known {
		return "degraded_performance", true // somebody thought it worth an alert
	}
	return status, status != ""
}

// name gives what an alert is called.
func (a *alert) name() string {
	return cmp.Or(strings.TrimSpace(a.Annotations["summary"]), strings.TrimSpace(a.Labels["alertname"]), "Alert")
}

// why gives what staff should know.
func (a *alert) why(truncated int) string {
	var lines []string
	add := func(prefix, text string) {
		if text = strings.TrimSpace(text); text != "" {
			lines = append(lines, prefix+text)
		}
	}
	add("", cmp.Or(a.Annotations["description"], a.Annotations["message"]))
	add("Alert: ", a.Labels["alertname"])
	add("Run-book: ", a.Annotations["runbook_url"])
	add("From: ", a.Generator)
	if truncated > 0 {
		lines = append(lines, fmt.Sprintf("Alertmanager left %d more alerts out of its message.", truncated))
	}
	return strings.Join(lines, "\n")
}

// names finds components by what labels say.
type names struct{ byID, byName map[string]string }

func newNames(known []incident.Component) names {
	n := names{byID: make(map[string]string, len(known)), byName: make(map[string]string, len(known))}
	for _, c := range known {
		n.byID[c.ID] = c.Key
		n.byName[strings.ToLower(c.Name)] = c.Key
	}
	return n
}

// of gives the key of the component that labels name; "" when it is none of ours.
func (n names) of(labels, mapping map[string]string) string {
	look := []string{"component", "service"}
	if label := mapping[mapComponent]; label != "" {
		look = append([]string{label}, look...)
	}
	for _, label := range look {
		value := labels[label]
		if value == "" {
			continue
		}
		if key, ok := n.byID[value]; ok {
			return key
		}
		if key, ok := n.byID[mapping[label+"="+value]]; ok {
			return key
		}
		if key, ok := n.byName[strings.ToLower(value)]; ok {
			return key
		}
	}
	for _, label := range slices.Sorted(maps.Keys(labels)) { // any other label that the mapping speaks of
		if key, ok := n.byID[mapping[label+"="+labels[label]]]; ok {
			return key
		}
	}
	return ""
}
