package console

import (
	"context"
	"net/http"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/web/door"
)

const alertsPath = "/console/alerts"

// alertRows is how many alerts one page holds.
const alertRows = 50

// alertRoutes are the addresses of alerts: what asks staff to react.
func (c *Console) alertRoutes() []door.Route {
	if c.deps.Told == nil {
		return nil
	}
	post, one := http.MethodPost, alertsPath+"/{id}"
	return []door.Route{
		{Method: http.MethodGet, Path: alertsPath, Action: access.DeliveryRead, Handler: c.handle(c.alertList)},
		{Method: post, Path: one + "/acknowledge", Action: access.AlertAck, Handler: c.handle(c.acknowledge)},
		{Method: post, Path: one + "/end", Action: access.AlertAck, Handler: c.handle(c.endAlert)},
		{Method: post, Path: one + "/silence", Action: access.AlertSilence, Handler: c.handle(c.silenceAlert)},
		{Method: post, Path: one + "/wake", Action: access.AlertSilence, Handler: c.handle(c.wakeAlert)},
	}
}

// alertRow is one alert in words.
type alertRow struct {
	ID, About, Path       string
	Mark                  Mark
	State                 string
	Since                 Stamp
	Note                  string
	Next                  Stamp // when it reminds or escalates again
	Open, CanAck, IsQuiet bool
	DeliveriesPath        string
	SilenceFor            []Option
}

// severityMarks are the severities as they are shown.
var severityMarks = map[notice.Severity]Mark{
	notice.SeverityInfo: {"unknown", "Info"}, notice.SeverityMinor: {"degraded", "Minor"}, notice.SeverityMajor: {"partial", "Major"}, notice.SeverityCritical: {"major", "Critical"},
}

// alertWords are the states of an alert.
var alertWords = map[notice.AlertState]string{
	notice.Firing: "Nobody is on it", notice.Acknowledged: "Somebody is on it", notice.Silenced: "Silenced", notice.Smothered: "Kept quiet", notice.Over: "Over",
}

// alertRow puts an alert into words; s may be nil.
func (c *Console) alertRow(ctx context.Context, a notice.Alert, s *state, k Clock) alertRow {
	row := alertRow{
		ID: a.ID, Mark: severityMarks[a.Severity], State: alertWords[a.State], Since: k.At(a.OpenedAt), Note: a.Reason, Open: a.Open(),
		CanAck: a.Open() && a.State != notice.Acknowledged, IsQuiet: a.State == notice.Silenced || a.State == notice.Smothered,
		DeliveriesPath: deliveriesPath + "?alert=" + a.ID, SilenceFor: lengthOptions(),
	}
	row.About, row.Path = c.subjectOf(ctx, a.Subject, s)
	if a.Subject.Kind == "incident" && c.deps.Room != nil {
		if i, err := c.deps.Room.Find(ctx, door.Acting(ctx), a.Subject.ID); err == nil { // who may not see it knows its number alone
			row.About += " " + i.Name
		}
	}
	switch {
	case a.State == notice.Acknowledged:
		row.Note = c.name(ctx, a.AckedBy) + " since " + k.At(a.AckedAt).Text
	case a.State == notice.Silenced:
		row.Note = strings.TrimSpace("until " + k.At(a.Until).Text + " " + a.Reason)
	case a.State == notice.Over:
		row.Note = "over at " + k.At(a.OverAt).Text
	case a.State == notice.Firing:
		row.Next = k.At(a.NextAt)
	}
	return row
}

// subjectOf says what an alert or a delivery is about, and where that is.
func (c *Console) subjectOf(ctx context.Context, ref journal.Ref, s *state) (words, path string) {
	switch ref.Kind {
	case "incident":
		if label := c.incidentLabel(ctx, ref.ID); label != "" {
			return label, incidentsPath + "/" + ref.ID
		}
		return "An incident", incidentsPath + "/" + ref.ID
	case "maintenance":
		return "Maintenance", "/console/calendar/" + ref.ID
	case "component":
		if s != nil && s.byKey[ref.ID] != nil {
			return s.byKey[ref.ID].Name, "/console/components/" + s.byKey[ref.ID].ID
		}
		return ref.ID, ""
	case "channel":
		return "Test of " + ref.ID, ""
	case "drill":
		return "A drill", ""
	case "subscriber":
		return "A subscription", ""
	}
	return strings.ReplaceAll(ref.Kind, "_", " ") + " " + ref.ID, ""
}

// lengthOptions are how long something is kept quiet.
func lengthOptions() []Option {
	out := make([]Option, 0, len(silenceFor))
	for _, x := range silenceFor {
		out = append(out, Option{Value: x.d.String(), Word: x.word, On: x.d == time.Hour})
	}
	return out
}

// alertsPage is the data of alerts.html.
type alertsPage struct {
	Tabs  []Tab
	Rows  []alertRow
	All   bool
	May   map[string]bool
	Back  string
	Pager Pager
}

var alertRights = map[string]access.Action{"ack": access.AlertAck, "silence": access.AlertSilence}

// alertList lists alerts, those that are open first of all.
func (c *Console) alertList(w http.ResponseWriter, r *http.Request) error {
	ctx, g, q := r.Context(), guestOf(r), r.URL.Query()
	s, err := c.roll.state(ctx)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	d := alertsPage{All: q.Get("show") == "all", May: rightsOf(g, alertRights), Back: r.URL.RequestURI()}
	list, err := c.deps.Told.Alerts(ctx, g.Actor, notice.AlertQuery{Open: !d.All, Before: cut(q.Get("before"), 64), Limit: alertRows + 1})
	if err != nil {
		return err
	}
	for _, a := range list[:min(len(list), alertRows)] {
		d.Rows = append(d.Rows, c.alertRow(ctx, a, s, k))
	}
	if len(list) > alertRows {
		d.Pager.After = with(r.URL, "before", list[alertRows-1].ID)
	}
	if q.Get("before") != "" {
		d.Pager.Before = with(r.URL, "before", "")
	}
	d.Tabs = []Tab{{Word: "Open", Path: alertsPath, Here: !d.All}, {Word: "All", Path: alertsPath + "?show=all", Here: d.All}}
	c.Page(w, r, Page{
		Title: "Alerts", Section: "attention", Template: "alerts", Data: d, Live: "alert incident", Every: 30, Crumbs: []Crumb{{"Loose ends", attentionPath}, {Word: "Alerts"}},
		Sub: []string{"What reminds and escalates until somebody is on it."}, Keys: []Key{{[]string{"j", "k"}, "move"}, {[]string{"o"}, "open"}},
	})
	return nil
}

// back is the page a form came from.
func backOf(r *http.Request, other string) string {
	if back := r.PostFormValue("back"); back != "" {
		return back
	}
	return other
}

func (c *Console) acknowledge(w http.ResponseWriter, r *http.Request) error {
	if _, err := c.deps.Told.Acknowledge(r.Context(), guestOf(r).Actor, r.PathValue("id")); err != nil {
		return err
	}
	c.See(w, r, backOf(r, alertsPath), &Said{Text: "You are on it; reminders and escalation have ended"})
	return nil
}

func (c *Console) endAlert(w http.ResponseWriter, r *http.Request) error {
	if _, err := c.deps.Told.End(r.Context(), guestOf(r).Actor, r.PathValue("id")); err != nil {
		return err
	}
	c.See(w, r, backOf(r, alertsPath), &Said{Text: "The alert is over"})
	return nil
}

func (c *Console) silenceAlert(w http.ResponseWriter, r *http.Request) error {
	lasts, err := lengthOf(r)
	if err != nil {
		return err
	}
	id := r.PathValue("id")
	if strings.TrimSpace(r.PostFormValue("reason")) == "" {
		return problem.Invalid("reason", "Say why it is kept quiet.")
	}
	if _, err := c.deps.Told.Silence(r.Context(), guestOf(r).Actor, id, c.deps.Now().Add(lasts), r.PostFormValue("reason")); err != nil {
		return err
	}
	back := backOf(r, alertsPath)
	c.See(w, r, back, &Said{Text: "Quiet for " + length(lasts), Undo: alertsPath + "/" + id + "/wake", With: map[string]string{"back": back}})
	return nil
}

func (c *Console) wakeAlert(w http.ResponseWriter, r *http.Request) error {
	if _, err := c.deps.Told.Wake(r.Context(), guestOf(r).Actor, r.PathValue("id")); err != nil {
		return err
	}
	c.See(w, r, backOf(r, alertsPath), &Said{Text: "It calls for somebody again"})
	return nil
}
