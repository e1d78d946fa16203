package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"evenkeel/internal/api"
	"evenkeel/internal/importer"
)

var verbImport = verb{name: "import", summary: "take over what another status page has", run: runImport}

// importVerbs are the verbs below import.
func importVerbs() []verb {
	return []verb{
		{"statuspage", "take over incidents, maintenance and subscribers of an Atlassian Statuspage", runImportStatuspage},
	}
}

func runImport(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return dispatch(ctx, "evenkeel import", "Take over what another status page has.", importVerbs(), args, stdout, stderr)
}

// runImportStatuspage reads the files of an export and tells them to a hub.
func runImportStatuspage(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb: "import statuspage", args: "FILE…",
		what: "Read JSON that a Statuspage's API answered (incidents, scheduled maintenance, components, groups, subscribers; version 1 or 2), print its components as YAML for evenkeel.yaml, " +
			"and enter the rest into the hub at EVENKEEL_URL with the token EVENKEEL_TOKEN. Nobody is told. Running it again enters nothing twice.",
		example: "evenkeel import statuspage --dry-run export/*.json >> evenkeel.yaml\nEVENKEEL_URL=https://hub.example.org EVENKEEL_TOKEN_FILE=token evenkeel import statuspage export/*.json",
	}, stdout, stderr)
	dry := c.flags.Bool("dry-run", false, "read the files and print the YAML; send nothing")
	leave := c.flags.Bool("leave-out", false, "enter incidents without the components that the hub does not have")
	rest, code, done := c.parse(args, 1, maxImportFiles)
	if done {
		return code
	}
	export, err := readExport(rest)
	if err != nil {
		return c.fail(err)
	}
	told := &imported{OK: true, YAML: export.YAML(), Problems: []string{}}
	if !*dry {
		hub, err := hubFrom(os.Getenv)
		if err != nil {
			return c.misuse(err.Error())
		}
		if err := told.send(ctx, hub, export, *leave); err != nil {
			return c.fail(err)
		}
	}
	if c.json {
		c.printJSON(told)
	} else {
		fmt.Fprint(stdout, told.YAML)
	}
	for _, p := range told.Problems {
		fmt.Fprintf(stderr, "%s\n", p)
	}
	if !*dry {
		fmt.Fprintf(stderr, "Entered %s, %s and %s; %d were there already, %d were left out.\n", count(told.Incidents, "incident"),
			count(told.Maintenances, "maintenance"), count(told.Subscribers, "subscriber"), told.Known, told.LeftOut)
	}
	if !told.OK {
		return exitFailed
	}
	return exitOK
}

// maxImportFiles bounds the files of one export.
const maxImportFiles = 200

// readExport reads the files. Errors: of reading, and problem.Errors.
func readExport(names []string) (*importer.Export, error) {
	files := make([]importer.File, 0, len(names))
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("read the export: %w", err)
		}
		body, err := io.ReadAll(io.LimitReader(f, importer.MaxFile+1))
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("read the export: %w", err)
		}
		files = append(files, importer.File{Name: name, Body: body})
	}
	return importer.Statuspage(files)
}

// imported is what an import did.
type imported struct {
	OK           bool     `json:"ok"`
	Incidents    int      `json:"incidents"`
	Maintenances int      `json:"maintenances"`
	Subscribers  int      `json:"subscribers"`
	Known        int      `json:"known"`    // there already
	LeftOut      int      `json:"left_out"` // past maintenance, and subscribers of a kind that the hub does not have
	Problems     []string `json:"problems"` // one a line, for people
	YAML         string   `json:"yaml"`
}

// send enters everything into the hub. It stops before the first write when a
// component is missing there; afterwards it goes on and tells what was refused.
func (d *imported) send(ctx context.Context, hub *hubClient, e *importer.Export, leave bool) error {
	ids, missing, err := hub.components(ctx, e)
	if err != nil {
		return err
	}
	if len(missing) > 0 && !leave {
		return fmt.Errorf("the hub has no component for %s.\nAdd them first: evenkeel import statuspage --dry-run prints them as YAML. Or give --leave-out", strings.Join(missing, ", "))
	}
	there, err := hub.known(ctx)
	if err != nil {
		return err
	}
	for _, i := range e.Incidents {
		if there[nameAndStart(i.Name, i.StartedAt)] {
			d.Known++
			continue
		}
		d.count(&d.Incidents, "incident "+i.Name, hub.post(ctx, "/api/v1/incidents", "statuspage-incident-"+i.ID, newIncident(i, ids), nil))
	}
	if there, err = hub.planned(ctx); err != nil {
		return err
	}
	now := time.Now()
	for _, m := range e.Maintenances {
		switch {
		case m.Over || !m.To.After(now):
			d.LeftOut++
		case there[nameAndStart(m.Name, m.From)]:
			d.Known++
		default:
			d.count(&d.Maintenances, "maintenance "+m.Name, hub.post(ctx, "/api/v1/maintenances", "statuspage-maintenance-"+m.ID, api.NewMaintenance{
				Title: m.Name, Description: m.Body, Components: renamed(m.Components, ids), From: m.From, To: m.To,
			}, nil))
		}
	}
	for _, s := range e.Subscribers {
		wants := renamed(s.Components, ids)
		if s.Away || !slices.Contains([]string{"email", "webhook", "slack"}, s.Mode) || len(wants) == 0 && len(s.Components) > 0 {
			d.LeftOut++ // somebody who asked for what is not here must not be told everything
			continue
		}
		err := hub.post(ctx, "/api/v1/subscribers", "statuspage-subscriber-"+s.ID, api.NewSubscriber{
			Mode: s.Mode, Address: s.Address, Confirmed: true, Wishes: api.Wishes{Components: wants, MinImpact: "none"},
		}, nil)
		d.count(&d.Subscribers, "subscriber "+s.ID, err)
	}
	return nil
}

// count counts what was entered, was there already, or was refused.
func (d *imported) count(n *int, what string, err error) {
	switch p, refused := errors.AsType[*api.Problem](err); {
	case err == nil:
		*n++
	case refused && p.Status == 409:
		d.Known++
	default:
		d.OK = false
		d.Problems = append(d.Problems, what+": "+err.Error())
	}
}

// newIncident says an incident in the words of the API. One that is over is
// entered with its whole story, one that is open with its last word.
func newIncident(i importer.Incident, ids map[string]string) api.NewIncident {
	out := api.NewIncident{Name: i.Name, Impact: i.Impact, StartedAt: i.StartedAt, Deliver: new(bool)}
	for _, a := range i.Components {
		if id := ids[a.Component]; id != "" {
			out.Components = append(out.Components, api.Says{ID: id, Status: a.Status})
		}
	}
	if i.ResolvedAt.IsZero() {
		out.Publish, out.State = true, "investigating"
		if n := len(i.Updates); n > 0 {
			out.State, out.Body = i.Updates[n-1].State, i.Updates[n-1].Body
		}
		return out
	}
	out.ResolvedAt, out.Postmortem = i.ResolvedAt, i.Review
	for _, u := range i.Updates {
		out.Updates = append(out.Updates, api.PastUpdate{State: u.State, Body: u.Body, At: u.At})
	}
	return out
}

// renamed gives the hub's ids of components, without those that it does not have.
func renamed(there []string, ids map[string]string) []string {
	out := make([]string, 0, len(there))
	for _, id := range there {
		if here := ids[id]; here != "" {
			out = append(out, here)
		}
	}
	return out
}

// nameAndStart is by what an entry is known again.
func nameAndStart(name string, start time.Time) string {
	return start.UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano) + " " + name
}

// components gives the hub's id of each component of an export, by slug or name,
// and the names of those that the hub does not have.
func (h *hubClient) components(ctx context.Context, e *importer.Export) (ids map[string]string, missing []string, err error) {
	var have api.Components
	if err := h.get(ctx, "/api/v1/components", &have); err != nil {
		return nil, nil, err
	}
	ids = map[string]string{}
	for _, c := range e.Components {
		n := slices.IndexFunc(have.Components, func(x api.Component) bool { return x.ID == c.Slug || strings.EqualFold(x.Name, c.Name) })
		if n < 0 {
			missing = append(missing, c.Name)
			continue
		}
		ids[c.ID] = have.Components[n].ID
	}
	return ids, missing, nil
}

// known gives what incidents the hub has.
func (h *hubClient) known(ctx context.Context) (map[string]bool, error) {
	there := map[string]bool{}
	for after := ""; ; {
		var page api.Incidents
		if err := h.get(ctx, "/api/v1/incidents?limit=200&after="+url.QueryEscape(after), &page); err != nil {
			return nil, err
		}
		for _, i := range page.Incidents {
			there[nameAndStart(i.Name, i.StartedAt)] = true
		}
		if after = page.Next; after == "" {
			return there, nil
		}
	}
}

// planned gives what maintenance the hub has.
func (h *hubClient) planned(ctx context.Context) (map[string]bool, error) {
	there := map[string]bool{}
	for after := ""; ; {
		var page api.Maintenances
		if err := h.get(ctx, "/api/v1/maintenances?limit=200&after="+url.QueryEscape(after), &page); err != nil {
			return nil, err
		}
		for _, m := range page.Maintenances {
			there[nameAndStart(m.Title, m.From)] = true
		}
		if after = page.Next; after == "" {
			return there, nil
		}
	}
}
