package console

import (
	"net/http"

	"evenkeel/internal/access"
	"evenkeel/web/door"
)

const sessionsPath = settingsPath + "/sessions"

// sessionsRoutes are everybody's sessions.
func (c *Console) sessionsRoutes() []door.Route {
	return []door.Route{
		{Method: http.MethodGet, Path: sessionsPath, Action: access.PersonRead, Handler: c.handle(c.allSessions)},
		{Method: http.MethodPost, Path: sessionsPath + "/{id}/end", Action: access.PersonEdit, Handler: c.sure(sessionsPath, c.endSession)},
	}
}

// maxSessionsShown bounds the list.
const maxSessionsShown = 500

// sessionsPage is the data of sessions.html.
type sessionsPage struct {
	Rows    []sessionRow
	More    int // that are not shown
	CanEdit bool
}

// allSessions lists every browser that is signed in.
func (c *Console) allSessions(w http.ResponseWriter, r *http.Request) error {
	g, accounts := guestOf(r), c.deps.Doors.Accounts
	all, err := accounts.Sessions(r.Context(), g.Actor, "")
	if err != nil {
		return err
	}
	names, err := accounts.Names(r.Context())
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	data := sessionsPage{CanEdit: g.Actor.MayOn(access.PersonEdit), More: max(len(all)-maxSessionsShown, 0)}
	for _, s := range all[:min(len(all), maxSessionsShown)] {
		row := c.sessionRow(k, s, g.Session.ID)
		row.Person, row.PersonPath = names[s.Person], peoplePath+"/"+s.Person
		data.Rows = append(data.Rows, row)
	}
	c.Page(w, r, Page{
		Title: "Sessions", Section: "settings", Template: "sessions", Data: data, Live: "session person", Crumbs: settingsCrumbs("Sessions"),
		Sub: []string{plural(len(all), "browser is signed in", "browsers are signed in")},
	})
	return nil
}

// endSession signs somebody's browser out.
func (c *Console) endSession(w http.ResponseWriter, r *http.Request) error {
	if err := c.deps.Doors.Accounts.EndSession(r.Context(), guestOf(r).Actor, r.PathValue("id")); err != nil {
		return err
	}
	c.See(w, r, door.LocalPage(r.PostFormValue("back")), &Said{Text: "That browser is signed out"})
	return nil
}
