package console

import (
	"net/http"
	"slices"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/web/door"
)

const settingsPath = "/console/settings"

// settingsRoutes are the settings of who and what may come in.
func (c *Console) settingsRoutes() []door.Route {
	if c.deps.Doors.Door == nil {
		return nil
	}
	return slices.Concat(
		[]door.Route{{Method: http.MethodGet, Path: settingsPath, Handler: c.handle(c.settings)}},
		c.peopleRoutes(), c.sessionsRoutes(), c.tokenRoutes(), c.screenRoutes(), c.hookRoutes(),
	)
}

// settingsRooms are the pages of settings, in order.
var settingsRooms = []struct {
	word, what, icon, path string
	action                 access.Action
}{
	{"Your account", "Name, time zone, password, second factor, and where you are signed in", "person", accountPath, ""},
	{"People", "Who may come in, and what they may do", "people", peoplePath, access.PersonRead},
	{"Sessions", "Which browsers are signed in, and an end to them", "globe", sessionsPath, access.PersonRead},
	{"API tokens", "Keys of machines, with a role, scopes and an end", "key", tokensPath, access.TokenEdit},
	{"Screens", "Links that show the wall on a screen, and nothing else", "wall", screensPath, access.TokenEdit},
	{"Channels", "How people are told, and whether that works; tests and drills", "send", channelsPath, access.DeliveryRead},
	{"Hooks", "Addresses at which other systems tell us something", "link", hooksPath, access.HookEdit},
}

// settingsRow is one page of settings.
type settingsRow struct{ Word, What, Icon, Path string }

// settings lists the pages that this person may open.
func (c *Console) settings(w http.ResponseWriter, r *http.Request) error {
	g := guestOf(r)
	var rows []settingsRow
	for _, s := range settingsRooms {
		if c.paths[s.path] && (s.action == "" || g.Actor.MayOn(s.action)) {
			rows = append(rows, settingsRow{s.word, s.what, s.icon, s.path})
		}
	}
	c.Page(w, r, Page{Title: "Settings", Section: "settings", Template: "settings", Data: rows,
		Sub: []string{"What is watched, who is told and how the hub runs stand in its configuration file."}})
	return nil
}

// settingsCrumbs gives the way to a page of settings: words with their paths,
// the last one without.
func settingsCrumbs(words ...string) []Crumb {
	crumbs := []Crumb{{"Settings", settingsPath}}
	for i := 0; i < len(words); i += 2 {
		one := Crumb{Word: words[i]}
		if i+1 < len(words) {
			one.Path = words[i+1]
		}
		crumbs = append(crumbs, one)
	}
	return crumbs
}

// roleWords are the roles as people say them.
var roleWords = map[access.Role]string{
	access.RoleViewer: "Viewer", access.RoleSupport: "Support", access.RoleOperator: "Operator", access.RoleDeveloper: "Developer",
	access.RoleModuleLead: "Module lead", access.RoleQA: "QA", access.RoleSRE: "SRE", access.RoleProduct: "Product",
	access.RoleReleaseManager: "Release manager", access.RoleManager: "Manager", access.RoleClient: "Client", access.RoleAdmin: "Admin",
	access.RoleMachine: "Machine", access.RoleScreen: "Screen", access.RoleHost: "Host", access.RoleAnyone: "Visitor",
}

func roleWord(r access.Role) string {
	if w, ok := roleWords[r]; ok {
		return w
	}
	return string(r)
}

// grantWords writes grants: Operator, or Operator for component shop.
func grantWords(grants []access.Grant) []string {
	words := make([]string, len(grants))
	for i, g := range grants {
		words[i] = roleWord(g.Role)
		if g.Scope != (access.Scope{}) {
			words[i] += " for " + g.Scope.Kind + " " + g.Scope.ID
		}
	}
	return words
}

// browsers and systems are looked for in a User-Agent in this order: the names
// that others also carry come last.
var (
	browsers = [][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"}}
	systems  = [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}}
)

// browserOf says in words what a User-Agent stands for; what is not known is
// shown as it came, shortened.
func browserOf(agent string) string {
	find := func(list [][2]string) string {
		for _, one := range list {
			if strings.Contains(agent, one[0]) {
				return one[1]
			}
		}
		return ""
	}
	browser, system := find(browsers), find(systems)
	switch {
	case browser != "" && system != "":
		return browser + " on " + system
	case browser != "":
		return browser
	default:
		return cut(agent, 60)
	}
}
