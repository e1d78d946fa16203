package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/web/door"
)

// defineRoutes are the addresses of making and changing components and monitors.
func (c *Console) defineRoutes() []door.Route {
	var out []door.Route
	for _, kind := range []string{status.KindComponent, status.KindMonitor} {
		base := "/console/" + kind + "s"
		add := func(method, path string, fn func(http.ResponseWriter, *http.Request, string) error) {
			out = append(out, door.Route{Method: method, Path: base + path, Action: access.ComponentEdit, Handler: c.handle(func(w http.ResponseWriter, r *http.Request) error {
				if c.deps.Definitions == nil || c.deps.Desk == nil {
					return noDesk()
				}
				return fn(w, r, kind)
			})})
		}
		add(http.MethodGet, "/new", c.defineForm)
		add(http.MethodPost, "/new", c.define)
		add(http.MethodGet, "/{id}/edit", c.defineForm)
		add(http.MethodPost, "/{id}/edit", c.define)
		add(http.MethodPost, "/{id}/remove", c.undefine)
	}
	return out
}

// definePage is the data of define.html.
type definePage struct {
	Kind, Path string
	ID         string // of what is changed; "" for a new one
	Version    int64
	Wrong      []string
	Fields     []Field
	More       []Field
	Rest       Field
	Groups     []string
	Components []string
	Text       string // as it is kept
	Changes    []string
	Checked    bool
	Ran        *runView
	CanTry     bool
	Remove     string
	RemoveName Field
}

// keysOf gives the fields of a kind of definition.
func keysOf(kind string) []formKey {
	if kind == status.KindMonitor {
		return monitorKeys
	}
	return componentKeys
}

// documentOf finds what was defined in the console. Errors: NotFound, Conflict
// when the file defines it.
func (c *Console) documentOf(r *http.Request, kind string) (status.Document, error) {
	id := r.PathValue("id")
	if id == "" {
		return status.Document{Kind: kind}, nil
	}
	if where := c.originOf(kind, id); where != "" {
		return status.Document{}, problem.Conflict("%s is defined in %s; change it there, and the hub reads it again by itself.", id, where)
	}
	docs, err := c.deps.Desk.Documents(r.Context(), guestOf(r).Actor)
	if err != nil {
		return status.Document{}, err
	}
	i := slices.IndexFunc(docs, func(d status.Document) bool { return d.Kind == kind && d.ID == id })
	if i < 0 {
		return status.Document{}, problem.NotFound("There is no %s %q that was made here.", kind, cut(id, 64))
	}
	return docs[i], nil
}

// defineForm asks what is to be defined.
func (c *Console) defineForm(w http.ResponseWriter, r *http.Request, kind string) error {
	doc, err := c.documentOf(r, kind)
	if err != nil {
		return err
	}
	v := url.Values{"public": {"1"}}
	if kind == status.KindMonitor {
		v.Set("kind", "http")
		v.Set("interval", "60s")
		v.Set("component", r.URL.Query().Get("component"))
	}
	if doc.ID != "" {
		values, rest := split(keysOf(kind), doc.Text)
		v = url.Values{"rest": {rest}, "version": {strconv.FormatInt(doc.Version, 10)}}
		for name, value := range values {
			v.Set(name, value)
		}
	}
	return c.definePage(w, r, kind, doc, v, definePage{}, nil)
}

// define keeps a definition, checks it, or runs it once.
func (c *Console) define(w http.ResponseWriter, r *http.Request, kind string) error {
	is, err := c.documentOf(r, kind)
	if err != nil {
		return err
	}
	v, err := formOf(r)
	if err != nil {
		return err
	}
	if is.ID != "" {
		v.Set("id", is.ID) // a rename is was:, which the file's reader knows
	}
	doc := status.Document{Kind: kind, ID: strings.TrimSpace(v.Get("id")), Text: compose(keysOf(kind), v.Get, v.Get("rest"))}
	if is.ID != "" {
		doc.Version, _ = strconv.ParseInt(v.Get("version"), 10, 64)
		if doc.Version == 0 {
			doc.Version = is.Version
		}
	}
	by, ctx := guestOf(r).Actor, r.Context()
	page := definePage{Text: doc.Text}
	switch v.Get("do") {
	case "try":
		x, err := c.deps.Definitions.Try(ctx, by, doc)
		if err == nil {
			page.Ran = runViewOf(x, &status.Monitor{}, c.clock(c.zoneOf(guestOf(r))))
		}
		return c.definePage(w, r, kind, is, v, page, err)
	case "check":
		plan, err := c.deps.Definitions.Check(ctx, by, doc)
		if err == nil {
			page.Checked, page.Changes = true, changesOf(plan)
		}
		return c.definePage(w, r, kind, is, v, page, err)
	}
	if _, err := c.deps.Definitions.Put(ctx, by, doc); err != nil {
		return c.definePage(w, r, kind, is, v, page, err)
	}
	c.roll.forget()
	c.See(w, r, "/console/"+kind+"s/"+doc.ID, &Said{Text: doc.ID + " is defined and in force"})
	return nil
}

// changesOf says what a plan would do.
func changesOf(p status.Plan) []string {
	var out []string
	for _, x := range p.Changes {
		line := x.Kind + " " + x.ID + " is " + x.What
		if x.Detail != "" {
			line += ": " + x.Detail
		}
		out = append(out, line)
	}
	return out
}

// undefine takes a definition away once its id was typed.
func (c *Console) undefine(w http.ResponseWriter, r *http.Request, kind string) error {
	doc, err := c.documentOf(r, kind)
	if err != nil {
		return err
	}
	if strings.TrimSpace(r.PostFormValue("typed")) != doc.ID {
		return problem.Invalid("typed", "Type %s to take it away.", doc.ID)
	}
	if version, err := strconv.ParseInt(r.PostFormValue("version"), 10, 64); err == nil {
		doc.Version = version
	}
	if _, err := c.deps.Definitions.Drop(r.Context(), guestOf(r).Actor, kind, doc.ID, doc.Version); err != nil {
		return err
	}
	c.roll.forget()
	c.See(w, r, "/console/"+kind+"s", &Said{Text: doc.ID + " is gone from the page; its history is kept, and comes back with it"})
	return nil
}

// monitorKinds are the kinds that the form offers, the usual ones first.
var monitorKinds = []string{
	"http", "tcp", "tls", "dns", "icmp", "heartbeat", "grpc", "redis", "postgres", "mongodb", "smtp", "imap", "kubernetes", "statuspage", "prometheus", "sql", "redis_length", "exec",
}

// definePage shows the form with what was typed and what is wrong with it. An
// error that is no fault of the form is given back.
func (c *Console) definePage(w http.ResponseWriter, r *http.Request, kind string, is status.Document, v url.Values, d definePage, failed error) error {
	f, ours := faultsOf(failed)
	if failed != nil && !ours {
		return failed
	}
	s, err := c.roll.state(r.Context())
	if err != nil {
		return err
	}
	d.Kind, d.Path, d.ID, d.CanTry = kind, r.URL.Path, is.ID, kind == status.KindMonitor
	d.Version, _ = strconv.ParseInt(v.Get("version"), 10, 64)
	field := func(kind, name, label, hint string) Field {
		return Field{Kind: kind, Name: name, Label: label, Hint: hint, Value: v.Get(name), Error: f.of(name)}
	}
	choose := func(f Field, words map[string]string, values ...string) Field {
		for _, value := range values {
			word := words[value]
			if word == "" {
				word = value
			}
			f.Options = append(f.Options, Option{Value: value, Word: word, On: value == f.Value})
		}
		return f
	}
	id := field("text", "id", "Id", "Lower-case letters, digits and dashes. It stands in addresses and metrics.")
	id.Required, id.Locked = true, is.ID != ""
	for _, g := range s.groups {
		d.Groups = append(d.Groups, g.ID)
	}
	for _, one := range s.components {
		d.Components = append(d.Components, one.ID)
	}
	if kind == status.KindComponent {
		group := field("text", "group", "Group", "A new name makes a new group.")
		group.List, group.Optional = "groups", true
		needs := field("text", "needs", "Needs", "Ids of components it cannot work without; while one is down, this one's alerts rest.")
		needs.Optional = true
		d.Fields = []Field{
			id, field("text", "name", "Name", "What customers call it."), group, field("text", "description", "Description", "A sentence for customers."), needs,
			field("url", "runbook", "Run-book", "Where whoever is called finds what to do."),
			field("check", "public", "On the public page", "Otherwise staff alone see it."),
		}
		d.More = []Field{
			choose(field("select", "publish", "A verdict reaches the page", ""), map[string]string{"": "at once", "after_confirm": "when a person confirms it", "manual": "by people only"}, "", "after_confirm", "manual"),
			field("text", "publish_after", "… or by itself after", "With confirming: how long a person has. 10m unless said."),
		}
		d.Rest = field("code", "rest", "Anything else, as in the file", "YAML, such as was: former-id")
	} else {
		component := field("text", "component", "Checks", "Id of the component.")
		component.List, component.Required = "components", true
		words := map[string]string{}
		for _, k := range monitorKinds {
			words[k] = kindWord(k)
		}
		d.Fields = []Field{
			id, component, field("text", "name", "Name", "For staff."), choose(field("select", "kind", "Kind", ""), words, monitorKinds...),
			field("text", "url", "Address", "https://…, for HTTP and what has a URL."), field("text", "target", "Target", "host:port or host, for what has none."),
			field("text", "interval", "Every", "Such as 30s or 5m."), field("text", "slow", "Slow above", "Such as 400ms. Empty for never."),
		}
		d.More = []Field{
			field("text", "timeout", "Gives up after", ""), field("number", "confirm", "Failures in a row to go down", "2 unless said."),
			field("number", "recover", "Good results in a row to come back", "2 unless said."), field("text", "query", "Query", "Name, SQL or PromQL, for kinds that ask one."),
			field("check", "public", "Its latency may be drawn on the page", ""),
		}
		d.Rest = field("code", "rest", "Anything else, as in the file", "YAML, such as expect: {status: [200], body: ready}")
	}
	d.Rest.Rows = 8
	open := func(f Field) bool { return f.Error != "" }
	page := Page{
		Title: "Add a " + kind, Section: "components", Template: "define", Bleed: true,
		Crumbs: []Crumb{{"Components", "/console/components"}, {Word: "Add a " + kind}},
	}
	if is.ID != "" {
		page.Title, page.Crumbs[1] = "Change "+is.ID, Crumb{is.ID, "/console/" + kind + "s/" + is.ID}
		page.Crumbs = append(page.Crumbs, Crumb{Word: "Change"})
		d.Remove = "/console/" + kind + "s/" + is.ID + "/remove"
		d.RemoveName = Field{Name: "typed", Label: "Type " + is.ID + " to take it away", Hint: "It goes from the page at once. Its history is kept, and comes back when it is defined again.", Required: true}
	}
	if d.Wrong = f.left(); failed != nil {
		page.Code = http.StatusUnprocessableEntity
	}
	if slices.ContainsFunc(d.More, open) && len(d.Wrong) == 0 {
		d.Wrong = []string{"Something further down needs your eyes."}
	}
	page.Data = d
	c.Page(w, r, page)
	return nil
}
