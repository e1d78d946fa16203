package console

import (
	"net/http"
	"strings"

	"evenkeel/internal/notice"
)

// routeRow is one route in words: what it is for, whom it calls, and who comes next.
type routeRow struct {
	ID, For, To string
	Steps       []string
	Remind      string
	Continue    bool // later routes are asked too
}

// routeRows puts the routes into words, in the order in which they are asked.
func (c *Console) routeRows(r *http.Request, s *state) ([]routeRow, error) {
	people, err := c.roster(r.Context())
	if err != nil {
		return nil, err
	}
	called := map[string]string{}
	if c.deps.Rota != nil {
		for _, x := range c.deps.Rota.Rotations() {
			called[x.ID] = x.Name
		}
	}
	to := func(list []notice.Target) string {
		words := make([]string, 0, len(list))
		for _, t := range list {
			switch {
			case t.Rotation != "":
				name := called[t.Rotation]
				if name == "" {
					name = t.Rotation
				}
				words = append(words, "on call for "+name)
			case t.Person != "":
				words = append(words, c.personName(r, t.Person, people))
			default:
				words = append(words, t.Channel)
			}
		}
		return sentence(words, maxTargets)
	}
	var out []routeRow
	for _, route := range c.deps.Channels.Routes() {
		row := routeRow{ID: route.ID, For: routeFor(&route, s), To: to(route.To), Continue: route.Continue}
		if route.Remind > 0 {
			row.Remind = length(route.Remind)
		}
		for _, step := range route.Escalate {
			row.Steps = append(row.Steps, "after "+length(step.After)+" "+to(step.To))
		}
		out = append(out, row)
	}
	return out, nil
}

// maxTargets is how many places a route names before it counts them.
const maxTargets = 6

// routeFor says in words which events a route takes.
func routeFor(r *notice.Route, s *state) string {
	var words []string
	if len(r.Kinds) > 0 {
		words = append(words, strings.ReplaceAll(sentence(r.Kinds, maxTargets), "_", " "))
	}
	if r.AtLeast != "" && r.AtLeast != notice.SeverityInfo {
		words = append(words, "from "+string(r.AtLeast)+" on")
	}
	var names []string
	for _, key := range r.Components {
		if one := s.byKey[key]; one != nil {
			key = one.Name
		}
		names = append(names, key)
	}
	names = append(names, r.Groups...)
	if len(names) > 0 {
		words = append(words, "of "+sentence(names, maxTargets))
	}
	if r.Hours != nil {
		words = append(words, "at its hours")
	}
	if len(words) == 0 {
		return "everything"
	}
	return strings.Join(words, ", ")
}
