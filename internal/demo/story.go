package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/app"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/internal/people"
)

// readers is how many simulated readers are told of incidents.
const readers = 24

// chapter is one incident of the generated past, or the one under way.
type chapter struct {
	name      string
	component string
	status    string
	impact    incident.Impact
	began     time.Time
	over      time.Time // zero = it is under way
	said      []said
	review    string
}

// said is one line of a chapter, counted from when it began.
type said struct {
	after time.Duration
	kind  incident.EntryKind
	state incident.State
	by    access.Role
	words string
}

// pastChapters are the incidents behind the generated troubles: what was said
// of them at the time.
func pastChapters(now time.Time) []chapter {
	midnight := now.Truncate(24 * time.Hour)
	var out []chapter
	for _, t := range troubles {
		words, known := pastWords[t.component+t.text]
		if !known {
			continue
		}
		c := chapter{name: words.name, component: t.component, status: string(t.status), impact: incident.ImpactOf(string(t.status)), review: words.review}
		c.began = midnight.AddDate(0, 0, -t.daysAgo).Add(t.at)
		c.over = c.began.Add(t.lasted)
		c.said = []said{
			{min(4*time.Minute, t.lasted/3), incident.KindUpdate, incident.Investigating, access.RoleOperator, words.first},
			{t.lasted / 2, incident.KindUpdate, incident.Identified, access.RoleSupport, words.cause},
			{t.lasted, incident.KindUpdate, incident.Resolved, access.RoleOperator, words.last},
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b chapter) int { return a.began.Compare(b.began) })
	return out
}

// pastWords are the words of past incidents, by component and trouble.
var pastWords = map[string]struct{ name, first, cause, last, review string }{
	"mailAnswers were slower than usual.": {
		name: "Mail is answered late", first: "The mailbox takes long to answer. We are looking for the cause.",
		cause: "A backup ran into the morning and took the disk for itself.", last: "The backup was moved to the night. Mail is quick again.",
	},
	"searchSearches for some dates came back empty.": {
		name: "Search by date finds nothing", first: "Searches for some dates come back empty. Search by name works.",
		cause: "Orders since Monday were missing from the index by date. It is being built anew.", last: "The index is whole again; every date is found.",
		review: "**What happened.** A job that fills the index by date stopped after a change of its time zone.\n\n**What changes.** The job reports to a heartbeat now, so that we hear of its silence before you do.",
	},
	"checkoutSome payments were refused.": {
		name: "Some payments are refused", first: "Some payments are refused. Baskets are kept.",
		cause: "One of two connections to the payment service had an old certificate.", last: "Payments work. Nobody was charged twice.",
	},
	"namesNames led to an old server.": {
		name: "Our names lead to an old server", first: "Some visitors reach a server that is no longer ours.",
		cause: "An old record was published again by mistake; it is gone.", last: "All names lead where they should.",
	},
	"mailEvery other connection was refused.": {
		name: "Mail is refused now and then", first: "Every other connection to the mailbox is refused. Nothing is lost: senders try again.",
		cause: "One of two servers had run out of memory.", last: "Both servers answer. What waited was delivered.",
	},
}

// present is the incident under way, as the demo begins.
func present(now time.Time) chapter {
	return chapter{
		name: "Orders reach the warehouse late", component: "export", status: "partial_outage", impact: incident.ImpactMajor, began: now.Add(-26 * time.Minute),
		said: []said{
			{3 * time.Minute, incident.KindUpdate, incident.Investigating, access.RoleOperator, "Some orders reach the warehouse late. We are looking for the cause. No order is lost."},
			{6 * time.Minute, incident.KindNote, "", access.RoleSRE, "The export job stops **half-way through every other run** and reports nothing. Same picture as in October?"},
			{12 * time.Minute, incident.KindUpdate, incident.Identified, access.RoleSupport, "The job that hands orders over stops now and then. It is started again by hand while we mend it."},
			{15 * time.Minute, incident.KindNote, "", access.RoleOperator, "140 orders wait, and fewer by the minute. I watch it until none do."},
		},
	}
}

// Tell writes what people did in the generated past, and an incident under way,
// into a fresh hub, so that a newcomer finds its rooms in use. Readers are told
// of the incident under way, as far as the demo tells anybody.
func (e *Estate) Tell(ctx context.Context, s app.Stage) error {
	if !e.fresh {
		return nil
	}
	now := time.Now().UTC().Truncate(time.Second)
	for n := range readers {
		r := notice.Subscription{Mode: notice.ByMail, Address: fmt.Sprintf("reader-%02d@example.net", n+1), Source: "demo"}
		if _, err := s.Notices.Add(ctx, access.Host, r, true); err != nil {
			return fmt.Errorf("add a reader: %w", err)
		}
	}
	staff, err := cast(ctx, s.Accounts)
	if err != nil {
		return err
	}
	for _, c := range append(pastChapters(now), present(now)) {
		if err := c.write(ctx, s, staff); err != nil {
			return fmt.Errorf("write the incident %q: %w", c.name, err)
		}
	}
	return nil
}

// cast gives somebody of the staff for every role.
func cast(ctx context.Context, accounts *people.Accounts) (map[access.Role]people.Person, error) {
	all, err := accounts.List(ctx, access.Host)
	out := map[access.Role]people.Person{}
	for _, p := range all {
		for _, g := range p.Grants {
			out[g.Role] = p
		}
	}
	return out, err
}

// write stores a chapter with its own times: as if it had been lived through here.
func (c chapter) write(ctx context.Context, s app.Stage, staff map[access.Role]people.Person) error {
	key := ""
	for _, one := range s.Components {
		if one.ID == c.component {
			key = one.Key
		}
	}
	if key == "" {
		return fmt.Errorf("there is no component %q", c.component)
	}
	i := c.incident(key, staff)
	return s.Work.Do(ctx, staff[access.RoleOperator].Actor(), func(tx journal.Tx) error {
		i.ChangedAt = tx.Now()
		if err := s.Incidents.PutIncident(ctx, tx, &i); err != nil {
			return err
		}
		if err := tx.Append(c.entry(&i, "incident.declared", "", i.OpenedAt)); err != nil {
			return err
		}
		before := "operational"
		for _, line := range c.said {
			at := c.began.Add(line.after)
			u := incident.Update{
				ID: journal.NewID(), Incident: i.ID, Kind: line.kind, State: line.state, Body: line.words, Author: staff[line.by].Actor().ID,
				CreatedAt: at, DisplayAt: at,
			}
			verb := "incident.noted"
			if line.kind == incident.KindUpdate {
				u.PublishedAt, u.Deliver, verb = at, true, "incident.updated"
				switch {
				case before == "operational":
					u.Components, verb = []incident.Change{{Component: key, From: before, To: c.status}}, "incident.published"
				case line.state == incident.Resolved:
					u.Components, verb = []incident.Change{{Component: key, From: c.status, To: "operational"}}, "incident.resolved"
				}
				before = c.status
			}
			if err := s.Incidents.PutUpdate(ctx, tx, &u); err != nil {
				return err
			}
			if err := tx.Append(c.entry(&i, verb, u.ID, at)); err != nil {
				return err
			}
		}
		return nil
	})
}

// incident gives the chapter as it stands now.
func (c chapter) incident(key string, staff map[access.Role]people.Person) incident.Incident {
	i := incident.Incident{
		ID: strings.ToLower(rand.Text()[:16]), Name: c.name, State: incident.Resolved, Impact: c.impact, Worst: c.impact, Visibility: incident.Public,
		Origin: incident.ByPerson, StartedAt: c.began, OpenedAt: c.began.Add(c.said[0].after), PublishedAt: c.began.Add(c.said[0].after), ResolvedAt: c.over,
		Components: []incident.Affected{{Component: key, Status: c.status, Since: c.began}}, Lines: len(c.said),
	}
	give := func(role string, to access.Role) {
		i.Roles = append(i.Roles, incident.Duty{Role: role, Person: staff[to].ID, Since: i.OpenedAt})
	}
	give(incident.Commander, access.RoleSRE)
	if c.review != "" {
		i.State = incident.Postmortem
		i.Review = incident.Review{Body: c.review, PublishedAt: c.over.Add(20 * time.Hour), EditedAt: c.over.Add(20 * time.Hour), By: staff[access.RoleSRE].Actor().ID}
	}
	if !c.over.IsZero() {
		return i
	}
	last := c.began
	for _, line := range c.said {
		if line.kind == incident.KindUpdate {
			i.State, last = line.state, c.began.Add(line.after)
		}
	}
	i.NextUpdateAt, i.ReminderEvery, i.Promised = last.Add(30*time.Minute), 30*time.Minute, true
	i.RunbookURL = "https://example.org/runbooks/export"
	give(incident.Communications, access.RoleSupport)
	give(incident.Scribe, access.RoleDeveloper)
	operator, sre := staff[access.RoleOperator], staff[access.RoleSRE]
	for _, t := range []struct {
		words string
		owner people.Person
		done  bool
	}{
		{"Start the job again by hand", sre, true}, {"Watch the orders that wait", operator, false}, {"Find out why it stops half-way", sre, false},
	} {
		task := incident.Task{ID: strings.ToLower(rand.Text()[:16]), Text: t.words, Owner: t.owner.ID, Done: t.done, At: last}
		if t.done {
			task.By = t.owner.ID
		}
		i.Tasks = append(i.Tasks, task)
	}
	i.Links = []incident.Link{{URL: "https://example.org/graphs/export", Title: "Orders that wait", Relation: incident.Related, By: operator.Actor().ID, At: last}}
	return i
}

// entry is the journal entry of a line. Of what is over, nobody is told again.
func (c chapter) entry(i *incident.Incident, verb, update string, at time.Time) journal.Entry {
	e := journal.Entry{Verb: verb, Subject: journal.Ref{Kind: "incident", ID: i.ID}, EffectiveAt: at, Audience: journal.AudiencePublic, Payload: map[string]string{
		"number": strconv.FormatInt(i.Number, 10), "state": string(i.State), "impact": string(i.Impact), "visibility": string(i.Visibility),
		"components": i.Components[0].Component, "origin": "generated", "deliver": "1", "publish": "1",
	}}
	if update != "" {
		e.Payload["update"] = update
	}
	if verb == "incident.noted" {
		e.Audience = journal.AudienceStaff
	}
	if !c.over.IsZero() {
		e.Payload["backfilled"] = "1"
	}
	return e
}
