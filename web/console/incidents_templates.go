package console

import (
	"net/http"
	"strconv"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/problem"
)

const templatesPath = incidentsPath + "/templates"

// templateShown is how much of a template's words a row shows, in letters.
const templateShown = 160

// templatesPage is the data of the page of templates.
type templatesPage struct {
	Rows                             []templateRow
	CanEdit                          bool
	ID, Version                      string // of the one that is being changed
	Name, Title, Body, State, Impact Field
	Wrong                            []string
}

// templateRow is one template.
type templateRow struct{ ID, Version, Name, Title, Body, State string }

// templates lists the words that are kept for a next time; id=ID opens one.
func (c *Console) templates(w http.ResponseWriter, r *http.Request) error {
	return c.showTemplates(w, r, incident.Template{ID: cut(r.URL.Query().Get("id"), 64)}, nil)
}

func (c *Console) showTemplates(w http.ResponseWriter, r *http.Request, t incident.Template, wrong error) error {
	g := guestOf(r)
	list, err := c.deps.Room.Templates(r.Context(), g.Actor)
	if err != nil {
		return err
	}
	d := templatesPage{CanEdit: g.Actor.May(access.IncidentUpdate)}
	known := false
	for _, x := range list {
		d.Rows = append(d.Rows, templateRow{x.ID, strconv.FormatInt(x.Version, 10), x.Name, x.Title, cut(x.Body, templateShown), stateWord(x.State)})
		if x.ID == t.ID {
			known = true
			if wrong == nil {
				t = x
			}
		}
	}
	if t.ID != "" && !known {
		return problem.NotFound("There is no such template.")
	}
	f, _ := faultsOf(wrong)
	d.ID, d.Version = t.ID, strconv.FormatInt(t.Version, 10)
	d.Name = Field{Name: "name", Label: "Name", Value: t.Name, Required: true, Error: f.of("name"), Hint: "For staff."}
	d.Title = Field{Name: "title", Label: "Title of the incident", Value: t.Title, Optional: true, Error: f.of("title")}
	d.Body = Field{Kind: "area", Name: "body", Label: "Update", Value: t.Body, Rows: 6, Error: f.of("body"), Hint: "Markdown. {{components}}, {{label}}, {{started}} and {{duration}} are filled in."}
	states := []Option{{Word: "As it is"}}
	for _, st := range sayable {
		states = append(states, Option{Value: string(st), Word: stateWord(st)})
	}
	d.State = Field{Kind: "select", Name: "state", Label: "State", Options: options(states, string(t.State)), Error: f.of("state")}
	impacts := append([]Option{{Word: "As it is"}}, impactWords[1:]...)
	d.Impact = Field{Kind: "select", Name: "impact", Label: "Impact", Options: options(impacts, string(t.Impact)), Error: f.of("impact")}
	d.Wrong = f.left()
	page := Page{Title: "Templates", Section: "incidents", Template: "templates", Data: d, Bleed: true, Crumbs: []Crumb{{"Incidents", incidentsPath}, {Word: "Templates"}}, Sub: []string{"Words kept for a next time."}}
	if wrong != nil {
		page.Code = http.StatusUnprocessableEntity
	}
	c.Page(w, r, page)
	return nil
}

// putTemplate keeps a template.
func (c *Console) putTemplate(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	t := incident.Template{ID: v.Get("id"), Name: v.Get("name"), Title: v.Get("title"), Body: v.Get("body"), State: incident.State(v.Get("state")), Impact: incident.Impact(v.Get("impact"))}
	t.Version, _ = strconv.ParseInt(v.Get("version"), 10, 64) // none: a new one
	_, err = c.deps.Room.PutTemplate(r.Context(), guestOf(r).Actor, t)
	if _, ok := faultsOf(err); ok {
		return c.showTemplates(w, r, t, err)
	}
	if err != nil {
		return err
	}
	c.See(w, r, templatesPath, &Said{Text: "Kept: " + cut(t.Name, 60)})
	return nil
}

// dropTemplate deletes a template.
func (c *Console) dropTemplate(w http.ResponseWriter, r *http.Request) error {
	version, err := strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	if err != nil {
		return problem.Invalid("version", "Look at the template again.")
	}
	if err := c.deps.Room.DropTemplate(r.Context(), guestOf(r).Actor, r.PathValue("id"), version); err != nil {
		return err
	}
	c.See(w, r, templatesPath, &Said{Text: "The template is deleted"})
	return nil
}
