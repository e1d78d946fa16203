package console

import (
	"net/http"
	"time"

	"evenkeel/internal/access"
	"evenkeel/web/door"
)

// frameRoutes are the addresses of the frame itself.
func (c *Console) frameRoutes() []door.Route {
	return []door.Route{
		{Method: http.MethodGet, Path: "/console", Action: access.PageRead, Handler: c.home},
		{Method: http.MethodGet, Path: "/console/live", Action: access.WallRead, Handler: c.listen},
		{Method: http.MethodGet, Path: "/console/go", Action: access.ComponentRead, Handler: c.handle(c.jump)},
		{Method: http.MethodGet, Path: "/console/keys", Action: access.PageRead, Handler: c.keySheet},
		{Method: http.MethodPost, Path: "/console/theme", Action: access.PageRead, Handler: c.theme},
	}
}

// home leads to the wall, and who may not see it to their own account.
func (c *Console) home(w http.ResponseWriter, r *http.Request) {
	path := Home
	if c.paths[accountPath] && !guestOf(r).Actor.May(access.ComponentRead) { // such as a client, who only signs things off
		path = accountPath
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
}

// themeCookie keeps whether somebody wants light or dark whatever the system says.
const themeCookie = "evenkeel-theme"

// themeKept is for how long.
const themeKept = 365 * 24 * time.Hour

// themeOf gives light, dark, or "" for the system's.
func themeOf(r *http.Request) string {
	cookie, err := r.Cookie(themeCookie)
	if err != nil || cookie.Value != "light" && cookie.Value != "dark" {
		return ""
	}
	return cookie.Value
}

// nextTheme is what the button changes to: system, light, dark, system.
var nextTheme = map[string]string{"": "dark", "dark": "light", "light": ""}

// NextTheme says what the button does, in words.
func (f frame) NextTheme() string {
	return map[string]string{"": "Dark theme", "dark": "Light theme", "light": "System theme"}[f.Theme]
}

// theme changes how the console looks for this browser.
func (c *Console) theme(w http.ResponseWriter, r *http.Request) {
	cookie := &http.Cookie{Name: themeCookie, Path: "/console/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: c.secure(r), MaxAge: -1}
	if next := nextTheme[themeOf(r)]; next != "" {
		cookie.Value, cookie.MaxAge = next, int(themeKept/time.Second)
	}
	http.SetCookie(w, cookie)
	c.See(w, r, r.PostFormValue("back"), nil)
}
