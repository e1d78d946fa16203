package console

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"evenkeel/internal/status"
)

// Limits of the handover.
const (
	handoverHours    = 8
	maxHandoverHours = 48
	maxHandoverLines = 200
)

// handoverPage is the data of handover.html.
type handoverPage struct {
	From, To  Stamp
	Hours     []Tab
	Incidents []wallIncident
	Trouble   []wallCell
	Loose     []Loose
	Quiet     []quietLine
	Works     []workLine
	Changed   []wallChange
	More      bool
	Call      []wallTurn
}

// quietLine is something whose alerts are kept quiet or held.
type quietLine struct {
	Name, Why, Path string
	Until           Stamp
}

// workLine is maintenance that is under way or ahead.
type workLine struct {
	ID, Title, Names string
	Mark             Mark
	From, To         Stamp
}

// handover shows what the next shift must know, for the screen and for paper.
func (c *Console) handover(w http.ResponseWriter, r *http.Request) error {
	ctx, g := r.Context(), guestOf(r)
	s, err := c.roll.state(ctx)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	hours, err := strconv.Atoi(r.URL.Query().Get("hours"))
	if err != nil || hours < 1 || hours > maxHandoverHours {
		hours = handoverHours
	}
	from := k.Now.Add(-time.Duration(hours) * time.Hour)
	d := handoverPage{From: k.Day(from), To: k.Day(k.Now)}
	for _, n := range []int{8, 12, 24, 48} {
		d.Hours = append(d.Hours, Tab{Word: strconv.Itoa(n) + " h", Path: with(r.URL, "hours", strconv.Itoa(n)), Here: n == hours})
	}
	var side wallPage
	if err := c.wallSide(ctx, &side, s, g, k); err != nil {
		return err
	}
	open, err := c.openIncidents(ctx, g.Actor)
	if err != nil {
		return err
	}
	for _, i := range open {
		d.Incidents = append(d.Incidents, incidentCell(i, k))
	}
	if d.Loose, err = c.looseEnds(ctx, s, g, k.Now); err != nil {
		return err
	}
	works := c.works(ctx, k.Now)
	for _, one := range s.components {
		if st := shownStatus(one); st.Worse(status.Operational) {
			cell := c.cell(one, s, works, k)
			if cell.Value == "" {
				cell.Value = "since " + k.At(one.Observed.From).Text
			}
			d.Trouble = append(d.Trouble, cell)
		}
	}
	if d.Quiet, err = c.quietLines(ctx, s, g, k); err != nil {
		return err
	}
	if d.Works, err = c.workLines(ctx, s, k); err != nil {
		return err
	}
	d.Changed, d.More = c.changedSince(ctx, s, k, from)
	c.wallFoot(ctx, &side, s, g, k)
	d.Call = side.Call
	c.Page(w, r, Page{
		Title: "Handover", Section: "wall", Template: "handover", Data: d, Crumbs: []Crumb{{"Wall", Home}, {Word: "Handover"}},
		Sub: []string{d.From.Text + " to " + d.To.Text + ", " + k.Zone.String()},
	})
	return nil
}

// workLines lists maintenance from now to the end of the next day.
func (c *Console) workLines(ctx context.Context, s *state, k Clock) ([]workLine, error) {
	found, err := c.deps.Record.Occurrences(ctx, k.Now, k.Now.Add(48*time.Hour))
	if err != nil {
		return nil, err
	}
	var out []workLine
	for _, o := range found {
		if !o.Over() {
			out = append(out, workLine{ID: o.ID, Title: o.Title, Names: namesOf(s, o.Components), Mark: markOfWork(o.State), From: k.Day(o.From), To: k.Day(o.To)})
		}
	}
	return out, nil
}

// changedSince lists what changed, newest first, from the journal itself.
func (c *Console) changedSince(ctx context.Context, s *state, k Clock, from time.Time) (out []wallChange, more bool) {
	if c.deps.Journal == nil {
		return nil, false
	}
	head, _, err := c.deps.Journal.Head(ctx)
	if err != nil {
		return nil, false
	}
	const page = 500
	for end := head; end > 0 && len(out) < maxHandoverLines; end -= page {
		entries, err := c.deps.Journal.After(ctx, max(end-page, 0), int(min(page, end)))
		if err != nil || len(entries) == 0 {
			return out, false
		}
		for i := len(entries) - 1; i >= 0; i-- {
			if entries[i].RecordedAt.Before(from) {
				return out, false
			}
			if line, ok := c.changeLine(entries[i], s, k); ok {
				if len(out) == maxHandoverLines {
					return out, true
				}
				out = append(out, line)
			}
		}
	}
	return out, len(out) >= maxHandoverLines
}
