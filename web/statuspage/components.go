package statuspage

import (
	"context"
	"net/http"
	"time"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// present gives what the page says of each component now, by key.
func present(ctx context.Context, spans Spans) (map[string]status.Status, error) {
	open, err := spans.OpenSpans(ctx)
	out := make(map[string]status.Status, len(open))
	for _, s := range open {
		if s.Track == status.Published {
			out[s.Component] = s.Status
		}
	}
	return out, err
}

// componentOf shows a component in a status; "" and what is not measured show as
// operational, because the vocabulary has no word for it.
func (c *call) componentOf(comp *status.Component, st status.Status) shownComponent {
	if st == "" || st == status.NotMeasured {
		st = status.Operational
	}
	return shownComponent{
		ID: comp.ID, PageID: c.page, GroupID: optional(comp.Group), CreatedAt: moment(comp.CreatedAt), UpdatedAt: moment(comp.CreatedAt),
		Name: comp.Name, Description: optional(comp.Description), Position: comp.Position, Status: string(st), Showcase: comp.Public,
	}
}

// defined finds a component by id. Errors: NotFound.
func (c *call) defined(id string) (*status.Component, error) {
	for n := range c.catalog.Components {
		if comp := &c.catalog.Components[n]; comp.ID == id {
			return comp, nil
		}
	}
	return nil, problem.NotFound("There is no component %q.", id)
}

func components(c *call) (int, any, error) {
	from, to, err := c.sheet()
	if err != nil {
		return 0, nil, err
	}
	var out []shownComponent
	for n := range c.catalog.Components {
		comp := &c.catalog.Components[n]
		out = append(out, c.componentOf(comp, c.present[comp.Key]))
	}
	return http.StatusOK, part(out, from, to), nil
}

func oneComponent(c *call) (int, any, error) {
	comp, err := c.defined(c.r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.componentOf(comp, c.present[comp.Key]), nil
}

// saidHere is the reason that staff read of a status given by this way.
const saidHere = "Set through the Statuspage API."

// editComponent gives a component a status by hand. Operational takes it back:
// the page then says what incidents and checks say, rather than hide the next
// outage for good. Names stand in the configuration.
func editComponent(c *call) (int, any, error) {
	comp, err := c.defined(c.r.PathValue("id"))
	if err != nil {
		return 0, nil, err
	}
	var in sentComponent
	if err := c.read("component", &in); err != nil {
		return 0, nil, err
	}
	if in.Name != nil && *in.Name != comp.Name || in.Description != nil && *in.Description != comp.Description {
		return 0, nil, problem.Invalid("component.name", "Names and descriptions stand in the configuration; change them there.")
	}
	if in.Status == nil {
		return oneComponent(c)
	}
	st := status.Status(*in.Status)
	if st != status.Operational {
		_, err := c.Desk.Say(c.ctx, c.by, comp.ID, st, time.Time{}, saidHere)
		return http.StatusOK, c.componentOf(comp, st), err
	}
	if err := c.Desk.Unsay(c.ctx, c.by, comp.ID); err != nil && problem.KindOf(err) != problem.KindConflict {
		return 0, nil, err // a conflict says that nothing was said of it
	}
	return oneComponent(c)
}

func (c *call) groupOf(g *status.Group) shownGroup {
	out := shownGroup{
		ID: g.ID, PageID: c.page, Name: g.Name, Components: []string{}, Position: g.Position, CreatedAt: moment(g.CreatedAt), UpdatedAt: moment(g.CreatedAt),
	}
	for n := range c.catalog.Components {
		if comp := &c.catalog.Components[n]; comp.Group == g.ID {
			out.Components = append(out.Components, comp.ID)
		}
	}
	return out
}

func groups(c *call) (int, any, error) {
	from, to, err := c.sheet()
	var out []shownGroup
	for n := range c.catalog.Groups {
		out = append(out, c.groupOf(&c.catalog.Groups[n]))
	}
	return http.StatusOK, part(out, from, to), err
}

func oneGroup(c *call) (int, any, error) {
	for n := range c.catalog.Groups {
		if g := &c.catalog.Groups[n]; g.ID == c.r.PathValue("id") {
			return http.StatusOK, c.groupOf(g), nil
		}
	}
	return 0, nil, problem.NotFound("There is no group %q.", c.r.PathValue("id"))
}

// pageOf shows the page.
func (c *call) pageOf() shownPage {
	site := c.catalog.Site
	zone := site.Zone
	if zone == "" {
		zone = "Etc/UTC"
	}
	out := shownPage{ID: c.page, Name: site.Name, Domain: optional(c.page), URL: optional(site.URL), SupportURL: optional(site.ReportURL), TimeZone: zone}
	for n := range c.catalog.Components { // a page is as old as what it shows
		at := c.catalog.Components[n].CreatedAt
		if m := moment(at); m != nil && (out.CreatedAt == nil || *m < *out.CreatedAt) {
			out.CreatedAt = m
		}
		if m := moment(at); m != nil && (out.UpdatedAt == nil || *m > *out.UpdatedAt) {
			out.UpdatedAt = m
		}
	}
	return out
}

func pages(c *call) (int, any, error) { return http.StatusOK, []shownPage{c.pageOf()}, nil }

func onePage(c *call) (int, any, error) { return http.StatusOK, c.pageOf(), nil }
