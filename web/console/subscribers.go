package console

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/web/door"
)

const subscribersPath = "/console/subscribers"

// Limits of the subscribers' page.
const (
	subscriberRows = 60
	// MaxImport bounds a file of subscribers, in bytes.
	MaxImport = 16 << 20
)

// subscriberRoutes are the addresses of whom customers' notices go to.
func (c *Console) subscriberRoutes() []door.Route {
	if c.deps.Subscribers == nil {
		return nil
	}
	post, one := http.MethodPost, subscribersPath+"/{id}"
	return []door.Route{
		{Method: http.MethodGet, Path: subscribersPath, Action: access.SubscriberRead, Handler: c.handle(c.subscribers)},
		{Method: http.MethodGet, Path: subscribersPath + "/export", Action: access.SubscriberRead, Handler: c.handle(c.exportSubscribers)},
		{Method: post, Path: subscribersPath, Action: access.SubscriberEdit, Handler: c.handle(c.addSubscriber)},
		{Method: post, Path: importPath, Action: access.SubscriberEdit, Handler: c.handle(c.importSubscribers)},
		{Method: post, Path: one + "/remove", Action: access.SubscriberEdit, Handler: c.handle(c.removeSubscriber)},
		{Method: post, Path: one + "/erase", Action: access.SubscriberEdit, Handler: c.handle(c.eraseSubscriber)},
	}
}

// importPath takes a file that is larger than other forms.
const importPath = subscribersPath + "/import"

// subscribersPage is the data of subscribers.html.
type subscribersPage struct {
	Query     string
	State     string
	Tabs      []Tab
	Modes     []Option
	Rows      []subscriberRow
	Pager     Pager
	Narrowed  bool
	CanEdit   bool
	Address   Field
	Mode      Field
	Confirmed bool
	Wrong     []string
	Back      string
}

// subscriberRow is one subscriber.
type subscriberRow struct {
	ID, Address, Mode string
	Mark              Mark
	Wants             string
	Since             Stamp
	Path              string // what they were told
	Over              bool
}

var (
	modeWords       = []Option{{Value: string(notice.ByMail), Word: "Mail"}, {Value: string(notice.ByWebhook), Word: "Webhook"}, {Value: string(notice.BySlack), Word: "Slack"}}
	subscriberMarks = map[string]Mark{notice.Active: {"ok", "Active"}, notice.Pending: {"unknown", "Not confirmed"}, notice.Ended: {"maint", "Ended"}}
	subscriberEnds  = map[string]string{"unsubscribed": "left", "bounced": "closed by bounces", "removed": "removed", "gone": "gone", "erased": "erased"}
)

// subscribers lists who asked to be told.
func (c *Console) subscribers(w http.ResponseWriter, r *http.Request) error {
	return c.showSubscribers(w, r, notice.Subscription{Mode: notice.ByMail}, nil)
}

func (c *Console) showSubscribers(w http.ResponseWriter, r *http.Request, typed notice.Subscription, wrong error) error {
	ctx, g, q := r.Context(), guestOf(r), r.URL.Query()
	k := c.clock(c.zoneOf(g))
	f, _ := faultsOf(wrong)
	d := subscribersPage{Query: cut(q.Get("q"), 100), State: q.Get("state"), CanEdit: g.Actor.May(access.SubscriberEdit), Narrowed: len(q) > 0, Back: subscribersPath}
	counts, err := c.deps.Subscribers.CountSubscribers(ctx, g.Actor)
	if err != nil {
		return err
	}
	of := map[string]int64{}
	for _, byState := range counts {
		for st, n := range byState {
			of[st] += n
			of[""] += n
		}
	}
	for _, st := range []string{"", notice.Active, notice.Pending, notice.Ended} {
		word := "All"
		if st != "" {
			word = subscriberMarks[st].Word
		}
		d.Tabs = append(d.Tabs, Tab{Word: word, Count: grouped(float64(of[st])), Path: with(r.URL, "state", st, "after", ""), Here: st == d.State})
	}
	mode := q.Get("mode")
	d.Modes = options(slices.Concat([]Option{{Word: "Every way"}}, modeWords), mode)
	list, err := c.deps.Subscribers.Subscribers(ctx, g.Actor, notice.SubscriberQuery{
		Mode: notice.Mode(mode), State: d.State, Search: d.Query, After: cut(q.Get("after"), 64), Limit: subscriberRows + 1,
	})
	if err != nil {
		return err
	}
	s, err := c.roll.state(ctx)
	if err != nil {
		return err
	}
	for _, x := range list[:min(len(list), subscriberRows)] {
		d.Rows = append(d.Rows, subscriberRowOf(x, s, k))
	}
	if len(list) > subscriberRows {
		d.Pager.After = with(r.URL, "after", list[subscriberRows-1].ID)
	}
	if q.Get("after") != "" {
		d.Pager.Before = with(r.URL, "after", "")
	}
	d.Address = Field{Name: "address", Label: "Address", Value: typed.Address, Error: f.of("address"), Required: true, Hint: "An e-mail address, or the https:// address of a webhook."}
	d.Mode = Field{Kind: "select", Name: "mode", Label: "Way", Options: options(modeWords, string(typed.Mode)), Error: f.of("mode")}
	d.Wrong = f.left()
	page := Page{Title: "Subscribers", Section: "subscribers", Template: "subscribers", Data: d, Live: "subscriber", Sub: []string{"Who asked to be told, and by which way."}}
	page.Actions = []Action{{Word: "Export", Icon: "down", Path: subscribersPath + "/export"}}
	if wrong != nil {
		page.Code = http.StatusUnprocessableEntity
	}
	c.Page(w, r, page)
	return nil
}

func subscriberRowOf(x notice.Subscriber, s *state, k Clock) subscriberRow {
	row := subscriberRow{
		ID: x.ID, Address: x.Address, Mode: wordOf(modeWords, string(x.Mode)), Mark: subscriberMarks[x.State], Since: k.At(x.CreatedAt), Over: x.State == notice.Ended,
		Path: deliveriesPath + "?who=subscriber/" + x.ID,
	}
	if row.Address == "" {
		row.Address = "erased"
	}
	var names []string
	for _, id := range x.Groups {
		names = append(names, s.groupName(id))
	}
	for _, key := range x.Components {
		if one := s.byKey[key]; one != nil {
			names = append(names, one.Name)
		} else {
			names = append(names, key)
		}
	}
	switch {
	case x.State == notice.Ended:
		row.Wants = wordOr(subscriberEnds, x.EndReason)
	case x.Incident != "":
		row.Wants = "one incident"
	case len(names) > 0:
		row.Wants = sentence(names, 3)
	default:
		row.Wants = "everything"
	}
	if x.State != notice.Ended && x.MinImpact != "" && x.MinImpact != "none" {
		row.Wants += ", " + x.MinImpact + " and worse"
	}
	return row
}

// addSubscriber subscribes an address by hand.
func (c *Console) addSubscriber(w http.ResponseWriter, r *http.Request) error {
	v, err := formOf(r)
	if err != nil {
		return err
	}
	typed := notice.Subscription{Mode: notice.Mode(v.Get("mode")), Address: strings.TrimSpace(v.Get("address")), Source: "console"}
	typed.Maintenance = v.Get("maintenance") != ""
	sub, err := c.deps.Subscribers.Add(r.Context(), guestOf(r).Actor, typed, v.Get("confirmed") != "")
	if _, ok := faultsOf(err); ok {
		return c.showSubscribers(w, r, typed, err)
	}
	if err != nil {
		return err
	}
	words := "Asked to confirm"
	if sub.State == notice.Active {
		words = "Subscribed"
	}
	c.See(w, r, subscribersPath, &Said{Text: words})
	return nil
}

func (c *Console) removeSubscriber(w http.ResponseWriter, r *http.Request) error {
	if err := c.deps.Subscribers.Remove(r.Context(), guestOf(r).Actor, r.PathValue("id")); err != nil {
		return err
	}
	c.See(w, r, subscribersPath, &Said{Text: "Removed; nothing more is sent there"})
	return nil
}

func (c *Console) eraseSubscriber(w http.ResponseWriter, r *http.Request) error {
	if err := c.deps.Subscribers.Erase(r.Context(), guestOf(r).Actor, r.PathValue("id")); err != nil {
		return err
	}
	c.See(w, r, subscribersPath, &Said{Text: "The address is erased for good"})
	return nil
}

// exportSubscribers gives everybody as CSV. It is written whole before it is
// sent, so that an error is a page and not half a file.
func (c *Console) exportSubscribers(w http.ResponseWriter, r *http.Request) error {
	var file bytes.Buffer
	if err := c.deps.Subscribers.Export(r.Context(), guestOf(r).Actor, &file); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="subscribers.csv"`)
	_, _ = w.Write(file.Bytes()) // who reads has gone, or has everything
	return nil
}

// importSubscribers takes a CSV file, as a form sends one.
func (c *Console) importSubscribers(w http.ResponseWriter, r *http.Request) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return problem.Invalid("file", "Choose a CSV file.")
	}
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return problem.Invalid("file", "Choose a CSV file.")
		}
		if err != nil {
			return problem.Invalid("file", "The file could not be read, or is longer than %d MB.", MaxImport>>20)
		}
		if part.FormName() != "file" || part.FileName() == "" {
			continue
		}
		done, err := c.deps.Subscribers.Import(r.Context(), guestOf(r).Actor, part)
		if _, ok := faultsOf(err); ok {
			return c.showSubscribers(w, r, notice.Subscription{Mode: notice.ByMail}, err)
		}
		if err != nil {
			return err
		}
		c.See(w, r, subscribersPath, &Said{Text: plural(done.Added, "subscriber", "subscribers") + " added, " + grouped(float64(done.Known)) + " known already, " + grouped(float64(done.Ended)) + " not taken"})
		return nil
	}
}
