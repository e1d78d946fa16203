package public

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
	names "golang.org/x/net/html/atom"

	"evenkeel/internal/notice"
	"evenkeel/internal/status"
	"evenkeel/web/public/publictest"
)

// models are the pages everything is rendered with.
func models() map[string]*status.Page {
	return map[string]*status.Page{
		"normal": publictest.Normal(), "troubled": publictest.Troubled(), "well": publictest.Well(), "empty": publictest.Empty(), "hostile": publictest.Bad(), "large": publictest.Large(60),
	}
}

// everything renders all that a page of that model offers, by path.
func everything(t *testing.T, model *status.Page) map[string]*Photograph {
	t.Helper()
	p := photographer(t, "")
	p.Attach(publictest.NewBoard(model), nil)
	if err := p.publish(publictest.Minute); err != nil {
		t.Fatal(err)
	}
	out := map[string]*Photograph{}
	for path, ph := range *p.shown.Load() {
		out[path] = ph
	}
	paths := []string{"/history", "/history/12", "/uptime", "/subscribe"}
	for g, group := range model.Groups {
		if g < 2 {
			c := group.Components[0].ID
			paths = append(paths, "/components/"+c, "/badge/"+c+".svg")
		}
	}
	if len(model.Groups) > 1 && len(model.Groups[1].Components) > 1 {
		paths = append(paths, "/components/"+model.Groups[1].Components[1].ID)
	}
	for _, i := range model.Recent {
		paths = append(paths, incidentPath(i.ID), "/api/v2"+incidentPath(i.ID)+".json")
	}
	for _, mode := range []string{"email", "webhook", "slack"} {
		paths = append(paths, sentPath+mode)
	}
	for _, o := range model.Ahead {
		paths = append(paths, "/maintenance/"+o.ID, "/maintenance/"+o.ID+".ics")
	}
	for _, path := range paths {
		ph, err := p.Take(t.Context(), path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		out[path] = ph
	}
	for name, page := range visits(t, p) {
		out[name] = p.room.develop("/", sheet{body: page.Body, kind: typeHTML, policy: page.Policy, html: true}, publictest.Minute)
	}
	for _, code := range []int{400, 404, 405, 418, 429, 500, 503} {
		body, policy, err := p.Failure(code, publictest.Hostile, "abc")
		if err != nil {
			t.Fatal(err)
		}
		out[fmt.Sprintf("error %d", code)] = p.room.develop("/", sheet{body: body, kind: typeHTML, policy: policy, html: true}, publictest.Minute)
	}
	return out
}

// visits renders the pages that are for one visitor alone.
func visits(t *testing.T, p *Photographer) map[string]Answer {
	t.Helper()
	out := map[string]Answer{}
	keep := func(name string) func(Answer, error) {
		return func(a Answer, err error) {
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			out[name] = a
		}
	}
	sub := notice.Subscriber{ID: "s", Mode: notice.ByMail, Address: publictest.Hostile, State: notice.Active, Components: []string{"key-search"}, Maintenance: true}
	form := p.FormOf(sub)
	keep("confirming")(p.Confirming("/subscribe/confirm/t"))
	keep("confirmed")(p.Confirmed(sub))
	keep("managing")(p.Managing(sub, form, "/subscribe/manage/t", "/subscribe/unsubscribe/t", false))
	form.Problem = publictest.Hostile
	keep("managing badly")(p.Managing(sub, form, "/subscribe/manage/t", "/subscribe/unsubscribe/t", true))
	keep("again")(p.Again(form))
	keep("unsubscribing")(p.Unsubscribing(sub, "/subscribe/unsubscribe/t"))
	keep("unsubscribed")(p.Unsubscribed())
	sub.Incident = "i"
	keep("managing one incident")(p.Managing(sub, form, "/subscribe/manage/t", "/subscribe/unsubscribe/t", false))
	sub.State = notice.Ended
	keep("managing what ended")(p.Managing(sub, form, "/subscribe/manage/t", "/subscribe/unsubscribe/t", false))
	return out
}

// S1-20, S1-22: response times and outages of every component, for everybody.
func TestPagesAreSound(t *testing.T) {
	for name, model := range models() {
		for path, ph := range everything(t, model) {
			if !ph.html {
				continue
			}
			t.Run(name+path, func(t *testing.T) { checkPage(t, ph) })
		}
	}
}

// script is our own, which is read by the browser tests.
var script = regexp.MustCompile(`(?s)<script>.*?</script>`)

// void elements have no end tag (HTML section 13.1.2).
var void = map[string]bool{"meta": true, "link": true, "br": true, "img": true, "input": true, "hr": true}

// checkPage reads a page as a browser does and as a strict reader would.
func checkPage(t *testing.T, ph *Photograph) {
	t.Helper()
	body := ph.Body()
	for _, bad := range []string{"ZgotmplZ", "<no value>", "<nil>", "%!", "NaN", "style=\""} {
		if bytes.Contains(script.ReplaceAll(body, nil), []byte(bad)) {
			t.Errorf("the page contains %q", bad)
		}
	}
	if !strings.Contains(string(body), mainStart) {
		t.Error("a notice would find no place")
	}
	// Strictly: every tag is closed in order.
	z := html.NewTokenizer(bytes.NewReader(body))
	var open []string
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			if z.Err() != io.EOF {
				t.Error(z.Err())
			}
			break
		}
		tok := z.Token()
		switch {
		case kind == html.StartTagToken && !void[tok.Data]:
			open = append(open, tok.Data)
		case kind == html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				t.Fatalf("</%s> closes nothing; open are %v", tok.Data, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("not closed: %v", open)
	}
	doc, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	seen, heads := map[string]bool{}, 0
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.DataAtom {
		case names.H1:
			heads++
		case names.Script, names.Style:
			source := hashSource(n.FirstChild.Data)
			if !strings.Contains(ph.policy(), source) {
				t.Errorf("the policy does not allow the inline %s", n.Data)
			}
		case names.Input, names.Select, names.Textarea:
			if attr(n, "type") != "hidden" && !labelled(doc, n) {
				t.Errorf("nothing labels <%s name=%q>", n.Data, attr(n, "name"))
			}
		case names.Form:
			if attr(n, "method") != "post" || !strings.HasPrefix(attr(n, "action"), SubscribePath) || !strings.Contains(ph.policy(), "form-action 'self'") {
				t.Errorf("a form goes to %q", attr(n, "action"))
			}
		case names.Img:
			if attr(n, "alt") == "" {
				t.Error("an image has no alternative")
			}
		case names.A:
			checkLink(t, n)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s> has the handler %s", n.Data, a.Key)
			}
			if a.Key == "id" {
				if seen[a.Val] {
					t.Errorf("id %q stands twice", a.Val)
				}
				seen[a.Val] = true
			}
			if a.Key == "aria-labelledby" && find(doc, a.Val) == nil {
				t.Errorf("nothing has the id %q that labels <%s>", a.Val, n.Data)
			}
		}
	}
	if heads != 1 {
		t.Errorf("the page has %d h1, want 1", heads)
	}
	if n := strings.Count(string(body), "<script"); n > 1 {
		t.Errorf("the page has %d scripts, want at most ours", n)
	}
}

// labelled reports whether a field stands in a label, or one names it.
func labelled(doc, n *html.Node) bool {
	for up := n.Parent; up != nil; up = up.Parent {
		if up.DataAtom == names.Label {
			return true
		}
	}
	for x := range doc.Descendants() {
		if x.DataAtom == names.Label && attr(x, "for") == attr(n, "id") && attr(n, "id") != "" {
			return true
		}
	}
	return false
}

// checkLink refuses links that lead somewhere they should not.
func checkLink(t *testing.T, n *html.Node) {
	t.Helper()
	href := attr(n, "href")
	for _, good := range []string{"/", "#", "https://", "http://", "mailto:"} {
		if strings.HasPrefix(href, good) {
			return
		}
	}
	t.Errorf("a link leads to %q", href)
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func find(doc *html.Node, id string) *html.Node {
	for n := range doc.Descendants() {
		if attr(n, "id") == id {
			return n
		}
	}
	return nil
}

// forbidden are the words that visitors never read, and what targets look like.
var forbidden = regexp.MustCompile(`(?i)\b(verdict|suspected|inconclusive|quorum|flap\w*|blessed|drift|soak|digest|train|sentinel|monitor id|localhost:\d+|\d+\.\d+\.\d+\.\d+)\b|statuspage\.io|incident\.io`)

func TestNothingPublicHoldsStaffWords(t *testing.T) {
	for _, name := range []string{"normal", "well", "empty", "large"} {
		for path, ph := range everything(t, models()[name]) {
			if hit := forbidden.Find(ph.Body()); hit != nil {
				t.Errorf("%s of the %s page says %q", path, name, hit)
			}
		}
	}
}

func TestPicturesAreWellFormed(t *testing.T) {
	for name, model := range models() {
		for path, ph := range everything(t, model) {
			if strings.HasSuffix(path, ".svg") {
				wellFormed(t, name+path, ph.Body())
			}
			if ph.html {
				for i, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAll(ph.Body(), -1) {
					wellFormed(t, fmt.Sprintf("%s%s picture %d", name, path, i), bytes.ReplaceAll(svg, []byte("<svg hidden>"), []byte("<svg>")))
				}
			}
		}
	}
}

// wellFormed reads XML strictly and refuses what a picture must not hold.
func wellFormed(t *testing.T, what string, body []byte) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("%s: %v in %.300s", what, err, body)
		}
		if el, ok := tok.(xml.StartElement); ok {
			if el.Name.Local == "script" || el.Name.Local == "foreignObject" {
				t.Errorf("%s holds <%s>", what, el.Name.Local)
			}
			for _, a := range el.Attr {
				if strings.HasPrefix(a.Name.Local, "on") {
					t.Errorf("%s has the handler %s", what, a.Name.Local)
				}
			}
		}
	}
}

func TestDemoSaysThatItIsOne(t *testing.T) {
	for path, ph := range everything(t, publictest.Bad()) {
		if (ph.html || strings.HasPrefix(path, "/history.") || path == "/feed.json") && !strings.HasPrefix(path, "error") && !strings.Contains(string(ph.Body()), "simulated") {
			t.Errorf("%s does not say that the services are simulated", path)
		}
	}
}

func TestRedIsNeverSilent(t *testing.T) {
	front := everything(t, publictest.Normal())["/"]
	if !strings.Contains(string(front.Body()), "Our checks see slow answers on Search since 14:02 UTC. The team has been alerted.") {
		t.Error("a failure without an incident is not told")
	}
}

func TestReportAProblemStandsOnPageAndComponent(t *testing.T) {
	all := everything(t, publictest.Normal())
	for path, want := range map[string]string{"/": `href="mailto:help@example.org"`, "/components/search": `href="mailto:help@example.org?subject=Problem%20with%20Search"`} {
		if !strings.Contains(string(all[path].Body()), want) {
			t.Errorf("%s has no %s", path, want)
		}
	}
}

func TestPageIsOneRequest(t *testing.T) {
	all := everything(t, publictest.Normal())
	if hit := regexp.MustCompile(`(?i)(\bsrc=|rel="?(stylesheet|preload|icon)"? href="/|@import|url\()[^>]{0,60}`).Find(all["/"].Body()); hit != nil {
		t.Errorf("the front page asks for more: %s", hit)
	}
}

func TestWindowThatComesAgainIsOneItem(t *testing.T) {
	p := publictest.Normal()
	for week := range 7 {
		o := p.Ahead[0]
		o.ID, o.From, o.To = fmt.Sprintf("m-118-%d", week), o.From.AddDate(0, 0, 7*week), o.To.AddDate(0, 0, 7*week)
		p.Ahead = append(p.Ahead, o)
	}
	views, more := newStage(nil).ahead(p, clockIn(p.Site.Zone), all())
	if len(views) != 2 || len(views[0].Again) != maxAgain || more != 7-maxAgain {
		t.Errorf("%d items, %d days more, %d left out", len(views), len(views[0].Again), more)
	}
}

func TestCalendarDaysToComeAreNoTrouble(t *testing.T) {
	p := publictest.Normal()
	months := []status.HistoryMonth{{Month: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Uptime: 1}}
	for d := range 30 {
		day := status.Day{Date: months[0].Month.AddDate(0, 0, d), Worst: status.Operational}
		if d >= 19 {
			day.Worst = status.MajorOutage
		}
		months[0].Days = append(months[0].Days, day)
	}
	s, err := newStage(nil).history(p, months, false)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(s.body), "One day with trouble since November.") {
		t.Error("days to come are counted as trouble")
	}
}
