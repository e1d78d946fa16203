package notifytest

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"
	"unicode/utf8"
)

// PagerDutyKey is the integration key that the fake takes.
const PagerDutyKey = "0123456789abcdef0123456789abcdef"

// PagerDuty is the Events API v2: it checks what it is sent as the real one does,
// and keeps what became of each alert.
type PagerDuty struct {
	*Endpoint
	incidents []PagerIncident
	changes   []string
}

// PagerIncident is what the events of one key made of it.
type PagerIncident struct {
	Key      string
	Status   string // triggered, acknowledged, resolved
	Severity string
	Summary  string
	Triggers int
}

// NewPagerDuty starts one.
func NewPagerDuty(tb testing.TB) *PagerDuty {
	tb.Helper()
	p := &PagerDuty{Endpoint: NewEndpoint(tb)}
	p.Answer(p.serve)
	return p
}

// Incidents gives every incident, in order of their beginning.
func (p *PagerDuty) Incidents() []PagerIncident {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]PagerIncident(nil), p.incidents...)
}

// Changes gives the summaries of the changes that were told.
func (p *PagerDuty) Changes() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.changes...)
}

// pagerEvent is an event or a change.
type pagerEvent struct {
	RoutingKey string `json:"routing_key"`
	Action     string `json:"event_action"`
	DedupKey   string `json:"dedup_key"`
	Payload    *struct {
		Summary   string `json:"summary"`
		Source    string `json:"source"`
		Severity  string `json:"severity"`
		Timestamp string `json:"timestamp"`
	} `json:"payload"`
	Links []struct {
		Href string `json:"href"`
	} `json:"links"`
}

func (p *PagerDuty) serve(w http.ResponseWriter, r *http.Request) {
	var e pagerEvent
	refuse := func(what string) {
		p.complain("%s", what)
		answerJSON(w, http.StatusBadRequest, map[string]any{"status": "invalid event", "message": "Event object is invalid", "errors": []string{what}})
	}
	err := json.NewDecoder(r.Body).Decode(&e)
	change := r.URL.Path == "/v2/change/enqueue"
	switch {
	case r.Method != http.MethodPost || !change && r.URL.Path != "/v2/enqueue":
		http.NotFound(w, r)
		return
	case err != nil:
		refuse("the body is no JSON")
		return
	case e.RoutingKey != PagerDutyKey:
		refuse("'routing_key' is invalid")
		return
	case !change && !slices.Contains([]string{"trigger", "acknowledge", "resolve"}, e.Action):
		refuse("'event_action' is invalid")
		return
	case !change && (e.DedupKey == "" && e.Action != "trigger" || len(e.DedupKey) > 255):
		refuse("'dedup_key' is invalid")
		return
	case change || e.Action == "trigger":
		if fault := e.fault(change); fault != "" {
			refuse(fault)
			return
		}
	}
	if change {
		p.mu.Lock()
		p.changes = append(p.changes, e.Payload.Summary)
		p.mu.Unlock()
	} else {
		p.happen(e)
	}
	answerJSON(w, http.StatusAccepted, map[string]any{"status": "success", "message": "Event processed", "dedup_key": e.DedupKey})
}

// fault says what is wrong with the payload; "" for nothing.
func (e pagerEvent) fault(change bool) string {
	switch {
	case e.Payload == nil:
		return "'payload' is missing"
	case e.Payload.Summary == "" || utf8.RuneCountInString(e.Payload.Summary) > 1024:
		return "'payload.summary' is invalid"
	case !change && e.Payload.Source == "":
		return "'payload.source' is missing"
	case !change && !slices.Contains([]string{"critical", "error", "warning", "info"}, e.Payload.Severity):
		return "'payload.severity' is invalid"
	}
	if e.Payload.Timestamp != "" {
		if _, err := time.Parse(time.RFC3339, e.Payload.Timestamp); err != nil {
			return "'payload.timestamp' is invalid"
		}
	}
	for _, l := range e.Links {
		if l.Href == "" {
			return "'links' is invalid"
		}
	}
	return ""
}

// happen applies an event: a trigger with a key that is open is the same incident.
func (p *PagerDuty) happen(e pagerEvent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.incidents, func(x PagerIncident) bool { return x.Key == e.DedupKey && x.Status != "resolved" })
	switch {
	case e.Action == "trigger" && i < 0:
		p.incidents = append(p.incidents, PagerIncident{Key: e.DedupKey, Status: "triggered", Severity: e.Payload.Severity, Summary: e.Payload.Summary, Triggers: 1})
	case e.Action == "trigger":
		p.incidents[i].Triggers++
	case i < 0: // nothing is open under this key: taken, and nothing happens
	case e.Action == "acknowledge":
		p.incidents[i].Status = "acknowledged"
	default:
		p.incidents[i].Status = "resolved"
	}
}
