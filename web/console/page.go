package console

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strings"
	"time"

	"evenkeel/assets"
	"evenkeel/internal/problem"
	"evenkeel/templates"
	"evenkeel/web/door"
)

// Page is one answer: which template with which data, and what the frame says
// around it.
type Page struct {
	Title    string // of the window and, unless OwnHead, the one h1
	Section  string // row of the rail that is marked: wall, incidents, components, …
	Template string // name of a template in templates/console, given Data
	Data     any
	Crumbs   []Crumb  // the last one is this page; none = the title alone
	Mark     Mark     // status beside the title
	Sub      []string // facts under the title, in words
	Facts    []Fact   // at most four large ones at the right
	Actions  []Action // buttons of the bar
	Keys     []Key    // that work here, for the footer
	Find     *FindBox // search of the room, in the bar; nil = none
	// Live names the kinds of journal subjects that make this page out of date:
	// "component incident"; "*" for all; "" = it is never fetched again.
	Live    string
	Every   int    // seconds after which it is fetched anyway, for measurements; 0 = never
	Code    int    // status code; 0 = 200
	Bare    bool   // without the rail: sign-in and what comes before it
	Wide    bool   // a bare page that needs room
	OwnHead bool   // the template draws its own head, h1 included
	Bleed   bool   // the template draws to the edges
	Class   string // of the body, for a room with a scale of its own
}

// Crumb is one step of where a page stands.
type Crumb struct{ Word, Path string }

// Fact is one large figure in the head. Tone is "", soon or late.
type Fact struct {
	Word, Value, Tone string
	Mark              Mark // in place of Value
	Stamp             Stamp
	Due               Stamp // counts down by script; Value says it without
}

// Action is a button in the bar: a link, or a form when Post is set.
type Action struct {
	Word, Icon, Path, Key string
	Post, Primary         bool
}

// FindBox is the search of a room.
type FindBox struct{ Path, Query, Label string }

// Key is one row of the footer.
type Key struct {
	Keys []string
	Does string
}

// frame is what frame.html is given.
type frame struct {
	Page
	Body   template.HTML
	Rail   rail
	CSS    string
	JS     string
	Icons  string
	Theme  string // light, dark or "" for the system's
	Build  string
	NowMs  int64
	Said   *Said
	Path   string // with query, for forms that come back here
	Search string
}

// newPress parses every template once. The functions are those that depend on
// nothing but the binary; what depends on who asks is in the data.
func newPress(shelf *assets.Shelf) *template.Template {
	icons := shelf.URL("icons.svg")
	use := func(class, id string) template.HTML {
		return template.HTML(`<svg class="` + class + `" aria-hidden="true"><use href="` + icons + `#` + id + `"/></svg>`)
	}
	return template.Must(template.New("console").Funcs(template.FuncMap{
		"icon": func(name string) template.HTML { return use("ic", "i-"+template.HTMLEscapeString(name)) },
		"shape": func(class string) template.HTML {
			return use("sh "+template.HTMLEscapeString(class), "s-"+template.HTMLEscapeString(class))
		},
		"logo": func() template.HTML { return use("logo", "i-logo") },
		"list": func(v ...any) []any { return v },
		"dict": dict,
		"join": func(sep string, list []string) string { return strings.Join(list, sep) },
	}).ParseFS(templates.Files, "console/*.html"))
}

// dict lets a template hand several things to a part: dict "Name" .X "Hint" "…".
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict wants pairs, not %d values", len(pairs))
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict wants names, not %T", pairs[i])
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// maxSheet is the largest buffer that is kept for the next page.
const maxSheet = 1 << 20

// render gives the text of a template.
func (c *Console) render(name string, data any) (template.HTML, error) {
	b, ok := c.sheets.Get().(*bytes.Buffer)
	if !ok {
		b = new(bytes.Buffer)
	}
	defer func() {
		if b.Cap() <= maxSheet {
			b.Reset()
			c.sheets.Put(b)
		}
	}()
	if err := c.press().ExecuteTemplate(b, name, data); err != nil {
		return "", problem.Internal(err, "render %s", name)
	}
	return template.HTML(b.String()), nil
}

// Page answers with a page in the frame.
func (c *Console) Page(w http.ResponseWriter, r *http.Request, p Page) {
	if err := c.page(w, r, p); err != nil {
		c.Fail(w, r, err)
	}
}

func (c *Console) page(w http.ResponseWriter, r *http.Request, p Page) error {
	body, err := c.render(p.Template, p.Data)
	if err != nil {
		return err
	}
	f := frame{
		Page: p, Body: body, CSS: c.deps.Shelf.URL("console.css"), JS: c.deps.Shelf.URL("console.js"), Icons: c.deps.Shelf.URL("icons.svg"),
		Theme: themeOf(r), Build: c.build, NowMs: c.deps.Now().UnixMilli(), Path: r.URL.RequestURI(),
	}
	if len(f.Crumbs) == 0 {
		f.Crumbs = []Crumb{{Word: p.Title}}
	}
	if r.Header.Get(liveHeader) == "" {
		f.Said = c.takeSaid(w, r)
	}
	name := "bare"
	if !p.Bare {
		name = "frame"
		f.Rail = c.railOf(r, p.Section)
	}
	text, err := c.render(name, f)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	c.send(w, r, p.Code, string(text))
	return nil
}

// send writes a page, compressed where the browser takes that. Nothing in a page
// is a secret that a stranger could guess at by its length: forms need no token.
func (c *Console) send(w http.ResponseWriter, r *http.Request, code int, text string) {
	h := w.Header()
	h.Set("Vary", "Cookie, Accept-Encoding")
	if code == 0 {
		code = http.StatusOK
	}
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text)
		return
	}
	h.Set("Content-Encoding", "gzip")
	w.WriteHeader(code)
	z, ok := c.packers.Get().(*gzip.Writer)
	if !ok {
		z, _ = gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is one of the package's
	}
	defer c.packers.Put(z)
	z.Reset(w)
	_, _ = io.WriteString(z, text)
	_ = z.Close() // who reads has gone, or has everything
}

// See sends the browser to another page of the console after a form, saying
// what was done there; said may be nil. A path that is not ours leads home.
func (c *Console) See(w http.ResponseWriter, r *http.Request, path string, said *Said) {
	if said != nil {
		c.keepSaid(w, r, *said)
	}
	http.Redirect(w, r, door.LocalPage(path), http.StatusSeeOther)
}

// Fail answers an error: a page in the frame that says what to do.
func (c *Console) Fail(w http.ResponseWriter, r *http.Request, err error) {
	guard(w.Header()) // the door fails too, before the console's own handler
	p := c.deps.Problem(err)
	data := failure{Code: p.Status, Detail: p.Detail, Back: Home, Bare: !guestOf(r).Known()}
	if p.Status == http.StatusInternalServerError {
		data.Request = p.Request()
	}
	for _, f := range p.Errors {
		data.Fields = append(data.Fields, f.Detail)
	}
	data.Head = failWords[p.Status]
	if data.Head == "" {
		data.Head = "That did not work"
	}
	if back := r.Header.Get("Referer"); r.Method == http.MethodPost && back != "" {
		data.Again = true
	}
	page := Page{Title: data.Head, Template: "failure", Data: data, Code: p.Status, Bare: data.Bare}
	if err := c.page(w, r, page); err != nil {
		http.Error(w, p.Detail, p.Status)
	}
}

// failure is the data of failure.html.
type failure struct {
	Code         int
	Head, Detail string
	Fields       []string
	Request      string
	Back         string
	Again        bool
	Bare         bool // nobody is signed in: the page draws its own heading
}

var failWords = map[int]string{
	http.StatusBadRequest:          "That was not understood",
	http.StatusUnauthorized:        "Please sign in",
	http.StatusForbidden:           "Your role may not do this",
	http.StatusNotFound:            "There is no such page",
	http.StatusConflict:            "Somebody was first",
	http.StatusTooManyRequests:     "Too many at once",
	http.StatusServiceUnavailable:  "The hub cannot do this just now",
	http.StatusInternalServerError: "Something went wrong on our side",
}

// nowhere answers for addresses that are not in the table.
func (c *Console) nowhere(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/console/" {
		http.Redirect(w, r, Home, http.StatusSeeOther)
		return
	}
	c.Fail(w, r, problem.NotFound("It may have been renamed, or never was."))
}

// zoneOf gives the zone in which a person reads times: theirs, else the page's.
func (c *Console) zoneOf(g door.Guest) *time.Location {
	if g.Person.Zone != "" {
		if z, err := time.LoadLocation(g.Person.Zone); err == nil {
			return z
		}
	}
	return c.roll.zone()
}
