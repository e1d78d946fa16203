package console

import (
	"context"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/web/door"
)

// incidentPage is the data of incident.html.
type incidentPage struct {
	ID, Path, Label, Name string
	Version               string
	Mark, Impact          Mark
	Steps                 []stepRow
	Seen, Origin          string
	Suspected, Over       bool
	Private, Machine      bool
	PublishAfter          Stamp
	Proposed              bool // all is well: resolving is proposed
	Age                   Stamp
	Lasted                string
	Due                   Stamp
	DueIn, DueTone        string
	Update                *updateForm // nil when this person may write none
	Scheduled             []draftRow
	Later                 int // of them that are not about to go out
	Affected              []affectedRow
	Known                 []Option
	Statuses              []Option
	Timeline              timeline
	Duties                []dutyRow
	Tasks                 []taskRow
	Done                  int
	Links                 []linkRow
	Relations             []Option
	Runbook               string
	RunbookLink           bool
	Told                  toldAll
	Alerts                []alertRow
	Waiting               *waitingView // who wrote in about it; nil where there is no desk
	Review                reviewForm
	Impacts, Promises     []Option
	Start, Zone           string
	Others                []Option // incidents to merge into
	False                 []find   // components whose outage may have been none
	May                   map[string]bool
	Wrong                 []string
	Sent                  url.Values // what was sent when something was wrong with it
}

// stepRow is one state in the head.
type stepRow struct {
	Word       string
	At         Stamp
	Done, Here bool
}

// affectedRow is one component of an incident: measured beside published.
type affectedRow struct {
	Key, Name, Path     string
	Line                line
	Measured, Published Mark
	Observed, Said      string // statuses
	Why                 string
	Match               bool // what checks see is worse or better than what is published
	Statuses            []Option
}

type dutyRow struct {
	ID, Word, Person string
	Since            Stamp
	Mine             bool
	People           []Option
}

type taskRow struct {
	ID, Text, Owner, By string
	Done                bool
}

type linkRow struct {
	Relation, Title, Path string
	Kind, ID, URL         string
}

// reviewForm is the postmortem.
type reviewForm struct {
	Body      string
	HTML      template.HTML
	Published Stamp
	Offered   bool
}

// incidentRoom shows one incident.
func (c *Console) incidentRoom(w http.ResponseWriter, r *http.Request) error {
	return c.showIncident(w, r, nil, nil)
}

// showIncident shows the room; sent and wrong are a form that was not taken.
func (c *Console) showIncident(w http.ResponseWriter, r *http.Request, sent url.Values, wrong error) error {
	ctx, g := r.Context(), guestOf(r)
	i, lines, err := c.deps.Room.Get(ctx, g.Actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	if i.MergedInto != "" {
		c.See(w, r, incidentsPath+"/"+i.MergedInto, &Said{Text: incidentName(i) + " was merged into this incident"})
		return nil
	}
	s, err := c.roll.state(ctx)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	f, _ := faultsOf(wrong)
	for field, msg := range f.fields {
		f.rest = append(f.rest, fieldWord(field)+msg)
	}
	d := incidentPage{
		ID: i.ID, Path: incidentsPath + "/" + i.ID, Label: incidentName(i), Name: i.Name, Version: strconv.FormatInt(i.Version, 10),
		Mark: incidentMark(&i), Impact: markOfImpact(string(i.Impact)), Seen: visibilityWord(&i), Origin: openedWords[i.Origin],
		Suspected: i.State == incident.Suspected, Over: !i.Open(), Private: i.Visibility == incident.Private, Machine: i.Machine,
		PublishAfter: k.At(i.PublishAfter), Proposed: i.Open() && !i.GreenSince.IsZero(), Age: k.At(i.StartedAt), Zone: k.Zone.String(),
		Steps: steps(&i, lines, k), Sent: sent, Wrong: f.rest, May: rightsOf(g, incidentRights),
	}
	d.head(&i, k)
	if d.May["note"] {
		if d.Update, err = c.updateForm(r, &i, lines, s, sent); err != nil {
			if _, invalid := faultsOf(err); !invalid || d.Update == nil {
				return err
			}
			d.Wrong = append(d.Wrong, problem.Public(err))
		}
		d.Scheduled = c.scheduled(ctx, &i, lines, k)
		for _, row := range d.Scheduled {
			if !row.Soon {
				d.Later++
			}
		}
	}
	d.Affected = c.affectedRows(ctx, &i, s, k)
	for _, one := range s.components {
		d.Known = append(d.Known, Option{Value: one.Name})
	}
	d.Statuses = statusOptions(string(status.MajorOutage))
	d.Timeline = c.timelineOf(r, &i, lines, s, k)
	if d.Told, err = c.toldOf(ctx, g.Actor, i.ID); err != nil {
		return err
	}
	d.Timeline.tell(d.Told)
	if err := c.incidentSide(ctx, &d, &i, g, k); err != nil {
		return err
	}
	if d.Waiting, err = c.waiting(ctx, g, i.ID, d.Label, k); err != nil {
		return err
	}
	page := Page{
		Title: i.Name, Section: "incidents", Template: "incident", Data: d, OwnHead: true, Bleed: true, Class: "incident",
		Live: "incident component monitor alert delivery ticket", Every: 15, Crumbs: []Crumb{{"Incidents", incidentsPath}, {Word: d.Label}},
		Keys: []Key{{[]string{"u"}, "update"}, {[]string{"n"}, "note"}, {[]string{"s"}, "state"}, {[]string{"j", "k"}, "timeline"}},
	}
	if wrong != nil {
		page.Code = c.deps.Problem(wrong).Status
		if page.Code == http.StatusBadRequest {
			page.Code = http.StatusUnprocessableEntity
		}
	}
	c.Page(w, r, page)
	return nil
}

// fieldWord says which field a fault belongs to, where the fault does not.
func fieldWord(field string) string {
	if field == "" || field == "body" || field == "components" {
		return ""
	}
	return stateWord(incident.State(strings.ReplaceAll(field, "_", " "))) + ": "
}

// incidentRights are what one may do in the room, by the words of its template.
var incidentRights = map[string]access.Action{
	"update": access.IncidentUpdate, "note": access.IncidentNote, "review": access.IncidentReview, "private": access.IncidentPrivate,
	"told": access.DeliveryRead, "ack": access.AlertAck,
}

// rightsOf tells which of some actions a person may do, by word.
func rightsOf(g door.Guest, rights map[string]access.Action) map[string]bool {
	may := make(map[string]bool, len(rights))
	for word, act := range rights {
		may[word] = g.Actor.May(act)
	}
	return may
}

// soonFor is the part of the time between two updates below which it is soon.
const soonFor = 5

// head fills in the large facts.
func (d *incidentPage) head(i *incident.Incident, k Clock) {
	if d.Over {
		d.Lasted = length(max(i.ResolvedAt.Sub(i.StartedAt), 0).Truncate(time.Second))
		return
	}
	if i.NextUpdateAt.IsZero() {
		return
	}
	every := i.ReminderEvery
	if every == 0 {
		every = incident.UpdateEvery
	}
	d.Due = k.At(i.NextUpdateAt)
	rest := i.NextUpdateAt.Sub(k.Now)
	d.DueIn = left(rest)
	switch {
	case rest < 0:
		d.DueTone = "late"
	case rest < every/soonFor:
		d.DueTone = "soon"
	}
}

// steps gives the states an incident went through, with when it first did.
func steps(i *incident.Incident, lines []incident.Update, k Clock) []stepRow {
	first := map[incident.State]time.Time{incident.Resolved: i.ResolvedAt, incident.Postmortem: i.Review.PublishedAt}
	for n := range lines {
		u := &lines[n]
		if at, known := first[u.State]; u.Kind == incident.KindUpdate && !u.PublishedAt.IsZero() && (!known || at.IsZero()) && u.State != incident.Resolved {
			first[u.State] = u.DisplayAt
		}
	}
	here := slices.Index(stepsOf, i.State)
	out := make([]stepRow, 0, len(stepsOf))
	for n, st := range stepsOf {
		row := stepRow{Word: stateWord(st), Here: n == here}
		if at := first[st]; !at.IsZero() && n <= here {
			row.At, row.Done = k.At(at), n < here
		}
		out = append(out, row)
	}
	return out
}

// affectedRows puts what checks see beside what is published.
func (c *Console) affectedRows(ctx context.Context, i *incident.Incident, s *state, k Clock) []affectedRow {
	var out []affectedRow
	works := c.works(ctx, k.Now)
	for _, a := range i.Components {
		row := affectedRow{Key: a.Component, Name: a.Component, Said: a.Status, Published: markOf(status.Status(a.Status))}
		row.Statuses = statusOptions(a.Status, Option{Word: "Says nothing"})
		one := s.byKey[a.Component]
		if one == nil {
			row.Measured, row.Why = markOf(status.NotMeasured), "It is no longer watched."
			out = append(out, row)
			continue
		}
		row.Name, row.Path = one.Name, "/console/components/"+one.ID
		row.Measured, row.Observed = markOf(one.Observed.Status), string(one.Observed.Status)
		row.Line = c.drawn(ctx, one, c.cell(one, s, works, k), false, k.Now).Line
		if one.Observed.Status != status.Operational && one.Observed.Status != status.NotMeasured {
			row.Why = c.reason(one, s) + " since " + k.Exact(one.Observed.From).Text
		} else if !one.Observed.From.IsZero() {
			row.Why = "since " + k.Exact(one.Observed.From).Text
		}
		if !i.Seen() || !i.Open() || a.Status == "" {
			row.Published = markOf(one.Published.Status)
		}
		row.Match = i.Open() && one.Observed.Status != status.NotMeasured && one.Observed.Status != status.UnderMaintenance && row.Observed != a.Status
		out = append(out, row)
	}
	return out
}

// mergeChoices bounds the incidents that a form offers to merge into.
const mergeChoices = 50

// incidentSide fills the column at the right.
func (c *Console) incidentSide(ctx context.Context, d *incidentPage, i *incident.Incident, g door.Guest, k Clock) error {
	people, err := c.roster(ctx)
	if err != nil {
		return err
	}
	for _, duty := range dutyWords {
		row := dutyRow{ID: duty.id, Word: duty.word}
		on := ""
		for _, has := range i.Roles {
			if has.Role == duty.id && has.Person != "" {
				on, row.Person, row.Since, row.Mine = has.Person, c.name(ctx, has.Person), k.At(has.Since), has.Person == g.Person.ID
			}
		}
		row.People = peopleOptions(people, on)
		d.Duties = append(d.Duties, row)
	}
	for _, t := range i.Tasks {
		row := taskRow{ID: t.ID, Text: t.Text, Done: t.Done}
		if t.Owner != "" {
			row.Owner = c.name(ctx, t.Owner)
		}
		if t.Done {
			d.Done++
			row.By = c.name(ctx, t.By)
		}
		d.Tasks = append(d.Tasks, row)
	}
	for _, l := range i.Links {
		d.Links = append(d.Links, linkOf(l))
	}
	d.Relations = options(relationWords, incident.Related)
	d.Runbook, d.RunbookLink = i.RunbookURL, strings.HasPrefix(i.RunbookURL, "https://")
	impact := string(i.Impact)
	if !i.Overridden {
		impact = string(incident.ImpactAuto)
	}
	d.Impacts, d.Promises = options(impactWords, impact), promiseOptions(i.ReminderEvery)
	d.False = c.falseAlarms(ctx, i, g)
	d.Start = i.StartedAt.In(k.Zone).Format(localForm)
	d.Review = reviewForm{Body: i.Review.Body, HTML: markdown(i.Review.Body), Published: k.At(i.Review.PublishedAt), Offered: !i.Open()}
	if d.Sent.Has("review") {
		d.Review.Body = d.Sent.Get("review")
	}
	if d.May["update"] {
		open, err := c.openIncidents(ctx, g.Actor)
		if err != nil {
			return err
		}
		for _, o := range open[:min(len(open), mergeChoices)] {
			if o.ID != i.ID {
				d.Others = append(d.Others, Option{Value: o.ID, Word: incidentName(o) + " " + cut(o.Name, 60)})
			}
		}
	}
	if c.deps.Told == nil || !d.May["told"] {
		return nil
	}
	alerts, err := c.deps.Told.Alerts(ctx, g.Actor, notice.AlertQuery{Subject: incidentRef(i.ID), Open: true, Limit: maxAlertsHere})
	for _, a := range alerts {
		d.Alerts = append(d.Alerts, c.alertRow(ctx, a, nil, k))
	}
	return err
}

// maxAlertsHere bounds the alerts that stand above an incident.
const maxAlertsHere = 5

// falseAlarms leads to where the outage of each component that an incident was
// about can be marked as none, by who may correct it.
func (c *Console) falseAlarms(ctx context.Context, i *incident.Incident, g door.Guest) []find {
	s, err := c.roll.state(ctx)
	if err != nil || i.Open() || c.deps.Desk == nil {
		return nil
	}
	var out []find
	for _, a := range i.Components {
		if one := s.byKey[a.Component]; one != nil && mayOn(g.Actor, access.MonthCorrect, one) {
			out = append(out, find{Word: one.Name, Path: "/console/components/" + one.ID + "/false-alarm?from=" + url.QueryEscape(i.StartedAt.Format(time.RFC3339Nano)) +
				"&to=" + url.QueryEscape(i.ResolvedAt.Format(time.RFC3339Nano))})
		}
	}
	return out
}

// linkOf is a link as it is shown.
func linkOf(l incident.Link) linkRow {
	row := linkRow{Relation: wordOf(relationWords, l.Relation), Title: l.Title, Path: l.URL, Kind: l.Ref.Kind, ID: l.Ref.ID, URL: l.URL}
	if l.URL == "" {
		row.Title = l.Ref.Kind + " " + l.Ref.ID
		switch l.Ref.Kind {
		case "incident", "monitor", "component":
			row.Path = "/console/" + l.Ref.Kind + "s/" + url.PathEscape(l.Ref.ID)
		}
	}
	return row
}

// roster gives the names of the staff by id; none where nobody keeps them.
func (c *Console) roster(ctx context.Context) (map[string]string, error) {
	if c.deps.Roster != nil {
		return c.deps.Roster(ctx)
	}
	return c.names(ctx)
}

// peopleOptions are people to choose from, by name; the first is nobody.
func peopleOptions(people map[string]string, on string) []Option {
	ids := slices.SortedFunc(maps.Keys(people), func(a, b string) int { return strings.Compare(people[a]+a, people[b]+b) })
	out := []Option{{Word: "Nobody", On: on == ""}}
	for _, id := range ids {
		out = append(out, Option{Value: id, Word: people[id], On: id == on})
	}
	return out
}
