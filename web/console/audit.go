package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/web/door"
)

const auditPath = "/console/audit"

// Audit is what the audit stands on. Without a Browser there is none; without
// an Index words are not searched, without a Verifier the chain is not verified
// from here.
type Audit struct {
	Browser  journal.Browser
	Index    journal.Index
	Verifier *journal.Verifier
}

const (
	auditRows = 50
	// auditScan bounds how many entries that hold the words are looked at for one
	// page when they are narrowed further.
	auditScan = 2000
	// maxNamed bounds how many people of a name are searched by their ids.
	maxNamed = 3
)

// auditRoutes are the journal and its chain.
func (c *Console) auditRoutes() []door.Route {
	if c.deps.Audit.Browser == nil {
		return nil
	}
	return []door.Route{
		{Method: http.MethodGet, Path: auditPath, Action: access.JournalRead, Handler: c.handle(c.audit)},
		{Method: http.MethodPost, Path: auditPath + "/verify", Action: access.JournalRead, Handler: c.handle(c.verify)},
	}
}

// auditPage is the data of audit.html.
type auditPage struct {
	Query                   string
	Kinds, Who              []Option
	From, To, Subject, Verb string
	Narrowed                bool
	Rows                    []auditRow
	Pager                   Pager
	Chain                   chain
	Wrong                   []string
	Zone                    string
	CanSearch               bool
}

// auditRow is one entry in words.
type auditRow struct {
	Seq            string
	At, Effective  Stamp
	Who, WhoPath   string
	Role           string
	Says           string
	About, Path    string
	AboutPath      string // everything about the same thing
	Details        string
	Public         bool
	Hash, HashHead string
}

// chain says whether the journal was verified.
type chain struct {
	Mark    Mark
	Words   string
	Running bool
	Can     bool
}

// asked is a search of the journal as it stands in an address.
type asked struct {
	look  journal.Look
	words string
}

// askedOf reads a search. Errors: Invalid.
func (c *Console) askedOf(r *http.Request) (a asked, err error) {
	q := r.URL.Query()
	a.words = strings.TrimSpace(cut(q.Get("q"), 200))
	a.look.Limit = auditRows + 1
	a.look.Verb, a.look.Actor = cut(q.Get("verb"), 100), cut(q.Get("who"), 100)
	a.look.Subject.Kind, a.look.Subject.ID, _ = strings.Cut(cut(strings.TrimSpace(q.Get("subject")), 200), "/")
	a.look.Subject = c.incidentRefOf(r.Context(), a.look.Subject)
	a.look.Before, _ = strconv.ParseInt(q.Get("before"), 10, 64) // no number is no bound
	zone := c.zoneOf(guestOf(r))
	if a.look.From, err = boundOf(q.Get("from"), zone); err != nil {
		return a, problem.Invalid("from", "The first moment is none; write it as 2026-11-21T14:00.")
	}
	if a.look.To, err = boundOf(q.Get("to"), zone); err != nil {
		return a, problem.Invalid("to", "The last moment is none; write it as 2026-11-21T14:00.")
	}
	return a, nil
}

// boundOf reads what a field of date and time holds, or RFC 3339.
func boundOf(text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", localLayout, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, zone); err == nil {
			return t.UTC(), nil
		}
	}
	t, err := time.Parse(time.RFC3339, text)
	return t.UTC(), err
}

// audit shows the journal.
func (c *Console) audit(w http.ResponseWriter, r *http.Request) error {
	g := guestOf(r)
	names, err := c.names(r.Context())
	if err != nil {
		return err
	}
	q := r.URL.Query()
	data := auditPage{
		Query: q.Get("q"), From: q.Get("from"), To: q.Get("to"), Subject: q.Get("subject"), Verb: q.Get("verb"),
		Zone: c.zoneOf(g).String(), CanSearch: c.deps.Audit.Index != nil,
	}
	page := Page{Title: "Audit", Section: "audit", Template: "audit", Live: "*"}
	a, err := c.askedOf(r)
	if err != nil {
		data.Wrong, page.Code = []string{problem.Public(err)}, http.StatusBadRequest
	} else {
		entries, err := c.find(r.Context(), a, names)
		if err != nil {
			return err
		}
		data.Pager = auditPager(r.URL, a, entries)
		k := c.clock(c.zoneOf(g))
		for _, e := range entries[:min(len(entries), auditRows)] {
			data.Rows = append(data.Rows, c.auditRow(r, k, e, names))
		}
	}
	data.Kinds, data.Who = chosen(nouns, data.Verb), c.whoOptions(q.Get("who"), names)
	data.Narrowed = len(q) > 0
	data.Chain = c.chainOf(c.clock(c.zoneOf(g)))
	if data.Chain.Running {
		page.Every = 2
	}
	page.Data = data
	c.Page(w, r, page)
	return nil
}

// names gives the people by id, for words instead of ids.
func (c *Console) names(ctx context.Context) (map[string]string, error) {
	if c.deps.Doors.Accounts == nil {
		return nil, nil
	}
	return c.deps.Doors.Accounts.Names(ctx)
}

// find gives the entries that fit, newest first: one more than a page.
func (c *Console) find(ctx context.Context, a asked, names map[string]string) ([]journal.Sealed, error) {
	if a.words == "" || c.deps.Audit.Index == nil {
		return c.deps.Audit.Browser.Look(ctx, a.look)
	}
	searches := [][]string{journal.WordsOf(a.words)}
	for id, name := range names { // the journal knows people by id alone
		if name != "" && len(searches) <= maxNamed && matches(name, a.words) {
			searches = append(searches, journal.WordsOf(id))
		}
	}
	var found []journal.Sealed
	for _, words := range searches {
		some, err := c.search(ctx, a, words)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	slices.SortFunc(found, func(x, y journal.Sealed) int { return int(y.Seq - x.Seq) })
	found = slices.CompactFunc(found, func(x, y journal.Sealed) bool { return x.Seq == y.Seq })
	return found[:min(len(found), a.look.Limit)], nil
}

// search gives the entries that hold the words and fit the rest.
func (c *Console) search(ctx context.Context, a asked, words []string) (found []journal.Sealed, err error) {
	before := a.look.Before
	if before <= 0 {
		before = int64(1) << 62
	}
	for scanned := 0; scanned < auditScan && len(found) < a.look.Limit; {
		some, err := c.deps.Audit.Index.Find(ctx, words, before, auditRows*4)
		if err != nil {
			return nil, err
		}
		for _, e := range some {
			if a.fits(e) {
				found = append(found, e)
			}
		}
		if len(some) < auditRows*4 {
			return found, nil
		}
		before, scanned = some[len(some)-1].Seq, scanned+len(some)
	}
	return found, nil
}

// fits reports whether an entry is what was asked for, words aside.
func (a asked) fits(e journal.Sealed) bool {
	l := a.look
	noun, all := strings.CutSuffix(l.Verb, ".")
	switch {
	case all && !strings.HasPrefix(e.Verb, noun+"."), !all && l.Verb != "" && e.Verb != l.Verb,
		l.Actor != "" && e.Actor.ID != l.Actor,
		l.Subject.Kind != "" && e.Subject.Kind != l.Subject.Kind, l.Subject.ID != "" && e.Subject.ID != l.Subject.ID,
		!l.From.IsZero() && e.RecordedAt.Before(l.From), !l.To.IsZero() && !e.RecordedAt.Before(l.To):
		return false
	}
	return true
}

// auditPager leads to older entries and back to the newest.
func auditPager(u *url.URL, a asked, entries []journal.Sealed) (p Pager) {
	if a.look.Before > 0 {
		p.Before, p.Words = with(u, "before", ""), "Newest first"
	}
	if len(entries) > auditRows {
		p.After, p.Words = with(u, "before", strconv.FormatInt(entries[auditRows-1].Seq, 10)), "Newest first"
	}
	return p
}

// auditRow writes an entry in words.
func (c *Console) auditRow(r *http.Request, k Clock, e journal.Sealed, names map[string]string) auditRow {
	says, subject := saysOf(e.Verb)
	row := auditRow{
		Seq: grouped(float64(e.Seq)), At: k.Exact(e.RecordedAt), Who: whoWord(e.Actor.ID, names), Role: roleWord(e.Actor.Role), Says: says,
		WhoPath: with(r.URL, "who", e.Actor.ID, "before", ""), Details: c.details(r.Context(), e.Entry), Public: e.Audience == journal.AudiencePublic,
		Hash: e.Hash, HashHead: e.Hash[:min(len(e.Hash), 8)],
	}
	if d := e.RecordedAt.Sub(e.EffectiveAt); d > time.Minute || d < -time.Minute {
		row.Effective = k.Exact(e.EffectiveAt)
	}
	row.AboutPath = with(r.URL, "subject", e.Subject.Kind+"/"+e.Subject.ID, "before", "")
	switch own := e.Actor.ID == e.Subject.Kind+"/"+e.Subject.ID; {
	case own && subject:
		row.About = "their own account"
	case subject:
		row.About, row.Path = c.aboutOf(r.Context(), e.Subject, names)
		if label := c.labelOf(r.Context(), e.Entry); label != "" {
			row.About = label
		}
	}
	return row
}

// aboutOf names a subject and where it has its page.
func (c *Console) aboutOf(ctx context.Context, ref journal.Ref, names map[string]string) (words, path string) {
	kind, known := kindWords[ref.Kind]
	if !known {
		kind = strings.ReplaceAll(ref.Kind, "_", " ")
	}
	name := c.subjectName(ctx, ref, names)
	if base := subjectPaths[ref.Kind]; base != "" && (ref.Kind != "person" || names[ref.ID] != "") {
		path = base + ref.ID
	}
	return strings.TrimSpace(kind + " " + name), path
}

// subjectName names a subject: by its name where that is known here, else by
// the beginning of its id.
func (c *Console) subjectName(ctx context.Context, ref journal.Ref, names map[string]string) string {
	switch ref.Kind {
	case "person":
		if name := names[ref.ID]; name != "" {
			return name
		}
		if ref.ID == "unknown" {
			return "nobody known"
		}
		return "somebody erased"
	case "session", "link", "site":
		return ""
	case "component":
		if s, err := c.roll.state(ctx); err == nil {
			for _, one := range s.components {
				if one.Key == ref.ID || one.ID == ref.ID {
					return one.Name
				}
			}
		}
	}
	const short = 13 // of a UUIDv7: the moment, which tells neighbours apart
	if len(ref.ID) == 36 {
		return ref.ID[:short]
	}
	return cut(ref.ID, 40)
}

// chosen marks one option.
func chosen(options []Option, value string) []Option {
	out := slices.Clone(options)
	for i := range out {
		out[i].On = out[i].Value == value
	}
	if value != "" && !slices.ContainsFunc(out, func(o Option) bool { return o.On }) {
		out = append(out, Option{Value: value, Word: value, On: true})
	}
	return out
}

// maxWho bounds the people to choose from.
const maxWho = 200

// whoOptions lists who may have acted.
func (c *Console) whoOptions(value string, names map[string]string) []Option {
	options := []Option{{Value: "", Word: "Anybody"}, {Value: access.Hub.ID, Word: "The hub"}, {Value: access.Host.ID, Word: "The host"}, {Value: access.Visitor.ID, Word: "Visitors"}}
	var staff []Option
	for id, name := range names {
		staff = append(staff, Option{Value: "person/" + id, Word: name})
	}
	slices.SortFunc(staff, func(a, b Option) int { return strings.Compare(strings.ToLower(a.Word), strings.ToLower(b.Word)) })
	options = append(options, staff[:min(len(staff), maxWho)]...)
	options = chosen(options, value)
	if last := &options[len(options)-1]; last.On && last.Word == value {
		last.Word = whoWord(value, names)
	}
	return options
}

// chainOf says how far the chain is verified.
func (c *Console) chainOf(k Clock) chain {
	if c.deps.Audit.Verifier == nil {
		return chain{}
	}
	v := c.deps.Audit.Verifier.Verdict()
	out := chain{Can: true, Running: v.Running(), Mark: Mark{"unknown", "Not verified yet"}}
	up := "up to entry " + grouped(float64(v.Seq)) + " at " + k.At(v.At).Text
	switch {
	case v.Began.IsZero():
		out.Words = "Each entry carries the hash of the one before it. Verifying recomputes them all."
	case out.Running:
		out.Mark, out.Words = Mark{"maint", "Verifying"}, grouped(float64(v.Seq))+" of "+grouped(float64(v.Head))+" entries"
	case v.Broken != nil:
		out.Mark, out.Words = Mark{"major", "The chain breaks at entry " + grouped(float64(v.Broken.Seq))}, v.Broken.Reason+". Compare with a backup, and find out who could write to the database."
	case v.Trouble != nil:
		out.Mark, out.Words = Mark{"degraded", "Not verified to the end"}, "The journal could not be read beyond entry "+grouped(float64(v.Seq))+". Try again."
	default:
		out.Mark, out.Words = Mark{"ok", "Verified"}, up
	}
	return out
}

// verify begins to recompute the chain.
func (c *Console) verify(w http.ResponseWriter, r *http.Request) error {
	if c.deps.Audit.Verifier == nil {
		return problem.NotFound("The chain cannot be verified from here.")
	}
	c.deps.Audit.Verifier.Ask()
	c.See(w, r, auditPath, &Said{Text: "The chain is being verified"})
	return nil
}
