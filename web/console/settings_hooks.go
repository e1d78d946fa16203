package console

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/web/door"
)

const hooksPath = settingsPath + "/hooks"

// hookRoutes are the doors for foreign systems.
func (c *Console) hookRoutes() []door.Route {
	return []door.Route{
		{Method: http.MethodGet, Path: hooksPath, Action: access.HookEdit, Handler: c.handle(c.hooks)},
		{Method: http.MethodPost, Path: hooksPath, Action: access.HookEdit, Handler: c.sure(hooksPath, c.makeHook)},
		{Method: http.MethodPost, Path: hooksPath + "/{id}/revoke", Action: access.HookEdit, Handler: c.sure(hooksPath, c.revokeHook)},
	}
}

// hooksPage is the data of hooks.html.
type hooksPage struct {
	Rows                  []hookRow
	Over                  []hookRow
	Source, Name, Mapping Field
	Wrong                 []string
	Unsure                string
}

// hookRow is one hook.
type hookRow struct {
	ID, Source, Name, MadeBy string
	Mapping                  []string
	Made, Seen               Stamp
	Over                     bool
}

// sourceWords are the foreign systems as they call themselves.
var sourceWords = map[string]string{"alertmanager": "Prometheus Alertmanager", "slack": "Slack"}

func sourceWord(source string) string {
	if w, ok := sourceWords[source]; ok {
		return w
	}
	return source
}

// hooks lists the hooks and asks for the next one.
func (c *Console) hooks(w http.ResponseWriter, r *http.Request) error {
	return c.showHooks(w, r, people.HookDraft{Source: people.Sources()[0]}, "", nil)
}

func (c *Console) showHooks(w http.ResponseWriter, r *http.Request, d people.HookDraft, mapping string, wrong error) error {
	g := guestOf(r)
	all, err := c.deps.Doors.Hooks.List(r.Context(), g.Actor)
	if err != nil {
		return err
	}
	names, err := c.deps.Doors.Accounts.Names(r.Context())
	if err != nil {
		return err
	}
	f, _ := faultsOf(wrong)
	page := Page{Title: "Hooks", Section: "settings", Template: "hooks", Crumbs: settingsCrumbs("Hooks"), Live: "hook"}
	if wrong != nil {
		page.Code = c.deps.Problem(wrong).Status
	}
	data := hooksPage{Unsure: c.unsure(r)}
	data.Source = Field{Kind: "select", Name: "source", Label: "From", Error: f.of("source")}
	for _, s := range people.Sources() {
		data.Source.Options = append(data.Source.Options, Option{Value: s, Word: sourceWord(s), On: s == d.Source})
	}
	data.Name = Field{Name: "name", Label: "Name", Value: d.Name, Optional: true, Error: f.of("name"), Hint: "To tell several apart."}
	data.Mapping = Field{
		Kind: "code", Name: "mapping", Label: "Labels", Value: mapping, Optional: true, Rows: 4, Error: f.of("mapping"), Span: true,
		Hint: "For Alertmanager, one a line: a label with its value, and the component it means, such as service=checkout shop-checkout. Left empty, the label component names one of ours.",
	}
	data.Wrong = f.left()
	k := c.clock(c.zoneOf(g))
	for _, h := range all {
		row := hookRow{ID: h.ID, Source: sourceWord(h.Source), Name: h.Name, MadeBy: whoWord(h.CreatedBy, names), Made: k.At(h.CreatedAt), Seen: k.At(h.SeenAt), Over: !h.RevokedAt.IsZero()}
		for _, from := range slices.Sorted(maps.Keys(h.Mapping)) {
			row.Mapping = append(row.Mapping, from+" → "+h.Mapping[from])
		}
		if !row.Over {
			data.Rows = append(data.Rows, row)
		} else if len(data.Over) < maxOver {
			data.Over = append(data.Over, row)
		}
	}
	page.Data = data
	c.Page(w, r, page)
	return nil
}

// mappingOf reads one mapping a line: what comes in, a blank or an arrow, what
// it means here. Errors: Invalid.
func mappingOf(text string) (map[string]string, error) {
	mapping := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.ReplaceAll(line, "→", " "))
		if line == "" {
			continue
		}
		words := strings.Fields(line)
		if len(words) != 2 {
			return nil, problem.Invalid("mapping", "Write two words a line: what comes in, and what it means here. This is not two: %s", cut(line, 60))
		}
		if _, twice := mapping[words[0]]; twice {
			return nil, problem.Invalid("mapping", "%s stands there twice.", cut(words[0], 60))
		}
		mapping[words[0]] = words[1]
	}
	return mapping, nil
}

// makeHook makes a hook and shows its address, this one time.
func (c *Console) makeHook(w http.ResponseWriter, r *http.Request) error {
	if _, err := formOf(r); err != nil {
		return err
	}
	d := people.HookDraft{Source: r.PostFormValue("source"), Name: strings.TrimSpace(r.PostFormValue("name"))}
	text := r.PostFormValue("mapping")
	mapping, err := mappingOf(text)
	var path string
	if err == nil {
		d.Mapping = mapping
		path, _, err = c.deps.Doors.Hooks.Make(r.Context(), guestOf(r).Actor, d)
	}
	if err != nil {
		if !answerable(err) {
			return err
		}
		return c.showHooks(w, r, d, text, err)
	}
	address := c.hubAddress(r) + path
	data := secretPage{What: "hook", Secret: address, Back: hooksPath}
	if d.Source == "alertmanager" {
		data.How = "receivers:\n  - name: evenkeel\n    webhook_configs:\n      - url: " + address + "\n        send_resolved: true"
	}
	c.showSecret(w, r, data, settingsCrumbs("Hooks", hooksPath, sourceWord(d.Source)))
	return nil
}

// revokeHook ends a hook.
func (c *Console) revokeHook(w http.ResponseWriter, r *http.Request) error {
	if err := c.deps.Doors.Hooks.Revoke(r.Context(), guestOf(r).Actor, r.PathValue("id")); err != nil {
		return err
	}
	c.See(w, r, hooksPath, &Said{Text: "The hook is revoked; what comes to it is turned away"})
	return nil
}
