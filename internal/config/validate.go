package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// checker holds what was read against the rules. Every check adds its problem
// and goes on. It sees the file after defaults were filled in.
type checker struct {
	f          *File
	places     places
	overridden map[string]string // path → variable that overrides it
	o          Options
	problems   Problems

	settled    int      // monitors at the front whose options were checked before
	components []string // ids, in order
	defined    map[string]bool
	zones      map[string]*time.Location
}

// validate gives everything that is wrong with f and can be known without a network.
func validate(f *File, doc *document, overridden map[string]string, o Options) Problems {
	c := newChecker(f, doc, o)
	c.overridden = overridden
	c.hub()
	c.page()
	c.componentTree()
	c.watched()
	c.maintenance()
	c.notices()
	c.mailboxes()
	c.desk()
	c.signIn()
	return c.problems
}

func newChecker(f *File, where places, o Options) *checker {
	return &checker{f: f, places: where, o: o, defined: map[string]bool{}, zones: map[string]*time.Location{}}
}

// places tells where things stand, by path.
type places interface {
	// find gives the file and the place of a path, or of the nearest thing above it.
	find(path string) (file string, where place)
}

// full reports whether more problems were found than will be listed, so that
// looking for hints is wasted time.
func (c *checker) full() bool { return len(c.problems) > 2*MaxProblems }

// spot is a checker that stands at one place of the file. Its checks take the
// rest of the path, which is put together only when something is wrong: ten
// thousand monitors in order cost no strings.
type spot struct {
	*checker
	base string
}

// at gives the spot of a path; "" is the top of the file.
func (c *checker) at(path string) spot { return spot{c, path} }

// in gives the spot of the i-th entry of a list below this one.
func (s spot) in(key string, i int) spot {
	return spot{s.checker, s.base + key + "[" + strconv.Itoa(i) + "]"}
}

// add notes a problem at a key below the spot.
func (s spot) add(key, hint, reason string, args ...any) {
	if s.full() {
		return
	}
	path := s.base + key
	p := Problem{Path: path, Reason: fmt.Sprintf(reason, args...), Hint: hint}
	if name, ok := s.overridden[path]; ok {
		p.File, p.Path = environment, name
	} else {
		var where place
		p.File, where = s.places.find(path)
		p.Line, p.Column = where.line, where.column
	}
	s.problems = append(s.problems, p)
}

// hub checks what the process itself needs: listeners, engines, limits.
func (c *checker) hub() {
	f, s := c.f, c.at("")
	s.listen("listen", f.Listen)
	s.listen("admin_listen", f.AdminListen)
	if _, port, _ := net.SplitHostPort(f.Listen); f.Listen == f.AdminListen && port != "0" {
		s.add("admin_listen", "give it a port of its own", "listens where the public page does")
	}
	s.engine("database.url", f.Database.URL, "leave it empty for SQLite, or write postgres://…", "postgres", "postgresql")
	s.engine("redis.url", f.Redis.URL, "leave it empty to do without, or write redis://host:6379/0",
		"redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", "redis+cluster", "rediss+cluster")
	if f.Blobs.URL != "" {
		s.add("blobs.url", "leave it empty", "this version keeps blobs in the database only")
	}
	s.oneOf("log.level", f.Log.Level, "debug", "info", "warn", "error")
	if f.Log.Format != "" {
		s.oneOf("log.format", f.Log.Format, "json", "text")
	}
	s.networks("trusted_proxies", f.Proxies)

	s.between("probe.concurrency", f.Probe.Concurrency, 1, 1<<20)
	s.networks("probe.deny", f.Probe.Deny)
	s.oneLine("probe.user_agent", f.Probe.UserAgent, MaxName)
	s.atMost("retention.samples", f.Retention.Samples, MaxSamples)

	if n := len(f.Locations); n > MaxLocations {
		s.add("locations", "", "%d locations are more than the %d that are allowed", n, MaxLocations)
		return
	}
	locations := newIDs("a location")
	for i, l := range f.Locations {
		at := s.in("locations", i)
		locations.take(at, l.ID)
		at.oneLine(".name", l.Name, MaxName)
	}
}

func (c *checker) page() {
	p, s := c.f.Page, c.at("page")
	if p.Name == "" {
		s.add(".name", "the name of your organisation or product", "the page needs a name")
	}
	s.oneLine(".name", p.Name, MaxName)
	s.webURL(".url", p.URL)
	s.webURL(".home", p.Home)
	if !strings.HasPrefix(p.ReportURL, "mailto:") {
		s.webURL(".report_url", p.ReportURL)
	}
	s.zone(".time_zone", p.TimeZone)
	s.weight(".uptime.major", p.Uptime.Major)
	s.weight(".uptime.partial", p.Uptime.Partial)
	s.weight(".uptime.degraded", p.Uptime.Degraded)
}

func (s spot) weight(key string, w *float64) {
	if !(*w >= 0 && *w <= 1) { // written so that NaN is refused as well
		s.add(key, "0 counts nothing, 1 counts in full", "a weight lies between 0 and 1")
	}
}

func (s spot) listen(key, address string) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		s.add(key, "write host:port, e.g. 127.0.0.1:8080 or :8080", "%q is not an address to listen on", clip(address))
		return
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		s.add(key, "a number from 0 to 65535", "%q is not a port", clip(port))
	}
}

// engine checks a URL that may hold a password: the problem never repeats it.
func (s spot) engine(key, raw, hint string, schemes ...string) {
	if raw == "" {
		return
	}
	scheme, _, found := strings.Cut(raw, "://")
	switch {
	case !found:
		s.add(key, hint, "this is not a URL")
	case !slices.Contains(schemes, scheme):
		s.add(key, hint, "no engine answers to %s://", clip(scheme))
	default:
		// Sentinel and Cluster URLs name several hosts, which net/url does not read as one.
		if _, err := url.Parse(raw); err != nil && !strings.Contains(raw, ",") {
			s.add(key, "special characters in a password are written %40, %2F and so on", "this URL cannot be read")
		}
	}
}

// webURL checks an http or https address; empty is fine.
func (s spot) webURL(key, raw string) {
	if raw == "" {
		return
	}
	u, err := url.Parse(raw)
	switch {
	case len(raw) > MaxURL:
		s.add(key, "", "longer than %d bytes", MaxURL)
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		s.add(key, "e.g. https://status.example.org", "expected an http or https address")
	}
}

func (s spot) networks(key string, list []string) {
	for i, text := range list {
		if _, err := netip.ParsePrefix(text); err == nil {
			continue
		}
		if _, err := netip.ParseAddr(text); err != nil {
			s.in(key, i).add("", "e.g. 10.0.0.0/8, or one address", "%q is not a network", clip(text))
		}
	}
}

// zone gives the location of an IANA zone, UTC when it is wrong.
func (s spot) zone(key, name string) *time.Location {
	if loc, ok := s.zones[name]; ok {
		return loc
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		s.add(key, "an IANA name such as Europe/Berlin or Etc/UTC", "there is no time zone %q", clip(name))
		return time.UTC
	}
	s.zones[name] = loc
	return loc
}

func (s spot) oneOf(key, word string, words ...string) {
	if !slices.Contains(words, word) {
		s.add(key, didYouMean(word, words, "one of "+strings.Join(words, ", ")), "%q is not known here", clip(word))
	}
}

// between bounds a number. Where 0 means "not given" the decoder has refused a
// 0 that was written, so 0 passes here.
func (s spot) between(key string, n, low, high int) {
	if n != 0 && n < low || n > high {
		s.add(key, fmt.Sprintf("from %d to %d", low, high), "%d is out of range", n)
	}
}

func (s spot) atMost(key string, d, limit Duration) {
	if d > limit {
		s.add(key, "", "%s is more than the %s that is allowed", d, limit)
	}
}

// text bounds prose; oneLine also keeps it on one line.
func (s spot) text(key, value string, limit int) {
	if n := utf8.RuneCountInString(value); n > limit {
		s.add(key, fmt.Sprintf("at most %d characters", limit), "%d characters are too many", n)
	}
}

func (s spot) oneLine(key, value string, limit int) {
	s.text(key, value, limit)
	if strings.ContainsAny(value, "\n\t") {
		s.add(key, "put it on one line", "a name has no line breaks or tabs")
	}
}

// pattern checks a regular expression; empty is fine.
func (s spot) pattern(key, expression string) {
	if expression == "" {
		return
	}
	if len(expression) > MaxPattern {
		s.add(key, "", "longer than %d bytes", MaxPattern)
		return
	}
	if _, err := regexp.Compile(expression); err != nil {
		s.add(key, "Go (RE2) syntax; backslashes need no doubling in single quotes", "%s", clip(strings.TrimPrefix(err.Error(), "error parsing regexp: ")))
	}
}

// isID reports whether id has the shape of every id, [a-z0-9][a-z0-9-]*: it
// stands in URLs, metrics and keys.
func isID(id string) bool {
	for i := range len(id) {
		c := id[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && (c != '-' || i == 0) {
			return false
		}
	}
	return id != ""
}

// ids makes sure that ids of one kind are well shaped and taken once, and that
// renames do not collide.
type ids struct {
	what  string          // "a component"
	taken map[string]spot // by id
	was   map[string]spot // by former id
}

func newIDs(what string) *ids {
	return &ids{what: what, taken: map[string]spot{}, was: map[string]spot{}}
}

// take claims an id for the thing at s.
func (x *ids) take(s spot, id string) {
	first, taken := x.taken[id]
	switch {
	case id == "":
		s.add(".id", "lower-case letters, digits and dashes, e.g. web-shop", "%s needs an id", x.what)
	case taken:
		s.add(".id", "ids are unique", "the id %s is taken already, in %s", id, first.line(".id", s))
	case s.idOK(".id", id):
		x.taken[id] = s
	}
}

// rename claims a former id. Call it once all ids are taken.
func (x *ids) rename(s spot, id, was string) {
	if was == "" || !s.idOK(".was", was) {
		return
	}
	user, used := x.taken[was]
	claimant, claimed := x.was[was]
	switch {
	case was == id:
		s.add(".was", "remove it", "this is the id it has now")
	case used:
		s.add(".was", "a former id is no longer in use", "%s is still the id of another, in %s", was, user.line(".id", s))
	case claimed:
		s.add(".was", "history can go to one of them only", "%s is claimed already, in %s", was, claimant.line(".was", s))
	default:
		x.was[was] = s
	}
}

// line tells where a key below the spot stands, to who looks from another spot:
// "line 12", and of which file where that is not the same.
func (s spot) line(key string, from spot) string {
	file, where := s.places.find(s.base + key)
	line := "line " + strconv.Itoa(where.line)
	if here, _ := s.places.find(from.base + key); here != file {
		return file + ", " + line
	}
	return line
}

func (s spot) idOK(key, id string) bool {
	switch {
	case len(id) > MaxID:
		s.add(key, "", "longer than %d characters", MaxID)
	case !isID(id):
		s.add(key, "lower-case letters, digits and dashes, not beginning with a dash, e.g. web-shop", "%q is not an id", clip(id))
	default:
		return true
	}
	return false
}
