package console

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"evenkeel/assets"
	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/calendar"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
	"evenkeel/internal/status/statustest"
	"evenkeel/internal/telemetry"
	"evenkeel/web/door"
)

// noon is when every sample page is made: the story of the look, Thursday 17:31.
var noon = time.Date(2026, 11, 19, 17, 31, 8, 0, time.UTC)

// record is a small estate, to be put into a store.
type record struct {
	catalog status.Catalog
	open    []status.Span
	works   []status.Occurrence
	diary   []status.Decision
}

// store puts the estate into a record in memory, and the desk before it.
func (r *record) store(t testing.TB) (*statustest.Store, *status.Desk) {
	t.Helper()
	now := func() time.Time { return noon }
	store := statustest.New(now)
	err := store.Do(t.Context(), access.Host, func(tx journal.Tx) error {
		var errs []error
		put := func(err error) { errs = append(errs, err) }
		put(store.PutSite(t.Context(), tx, r.catalog.Site))
		for _, g := range r.catalog.Groups {
			put(store.PutGroup(t.Context(), tx, g))
		}
		for _, c := range r.catalog.Components {
			put(store.PutComponent(t.Context(), tx, c))
		}
		for _, m := range r.catalog.Monitors {
			put(store.PutMonitor(t.Context(), tx, m, "mark"))
		}
		for _, s := range r.open {
			born := noon.AddDate(0, -6, 0)
			if s.From.After(born) {
				put(store.AddSpan(t.Context(), tx, status.Span{
					ID: s.ID + "-before", Component: s.Component, Track: s.Track, From: born, To: s.From, Status: status.Operational, Origin: status.ByMachine,
				}))
			}
			put(store.AddSpan(t.Context(), tx, s))
		}
		for _, o := range r.works {
			put(store.PutOccurrence(t.Context(), tx, o))
		}
		for _, d := range r.diary {
			put(store.AddDecision(t.Context(), tx, d))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	w := status.NewWatch(status.WatchDeps{Work: store, Store: store, Latency: &statustest.Latency{}, Calendar: calendar.New(), Log: quiet, Now: now})
	if err := w.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store, status.NewDesk(status.DeskDeps{Work: store, Store: store, Calendar: calendar.New(), Watch: w, Now: now})
}

// Samples draws a wave that ends in failures where the monitor is down.
func (*record) Samples(_ context.Context, q status.SampleQuery) ([]status.Sample, error) {
	var out []status.Sample
	seed := 0.0
	for _, c := range q.Monitor {
		seed += float64(c)
	}
	level := levelOf(q.Monitor)
	for at := q.From.Truncate(q.Interval); at.Before(q.To) && at.Before(noon); at = at.Add(q.Interval) {
		x := float64(at.Unix()) / 240
		v := (math.Abs(math.Sin(x+seed))*30 + math.Abs(math.Sin(x*2.7+seed*3))*20 + 60 + math.Mod(seed*7, 120)) / 1000
		s := status.Sample{Due: at, Latency: time.Duration(v * float64(time.Second)), Value: math.Round(v * 1000), HasValue: q.Values}
		if age := noon.Sub(at); level == status.LevelDown && age < 17*time.Minute {
			s.Outcome, s.Latency = status.Failed, 0
		} else if level == status.LevelSlow && age < 9*time.Minute {
			s.Outcome, s.Latency = status.Slow, 812*time.Millisecond
		}
		out = append(out, s)
	}
	return out, nil
}

// levelOf tells by the end of a key how a monitor is.
func levelOf(key string) status.Level {
	switch {
	case strings.HasSuffix(key, "-down"):
		return status.LevelDown
	case strings.HasSuffix(key, "-slow"):
		return status.LevelSlow
	case strings.HasSuffix(key, "-mute"):
		return status.LevelUnknown
	}
	return status.LevelUp
}

// watch answers from the keys as well.
type watch struct{}

func (watch) Verdict(m string) (status.MonitorVerdict, bool) {
	v := status.MonitorVerdict{Level: levelOf(m), Since: noon.Add(-17 * time.Minute), Streak: 3}
	if v.Level == status.LevelUnknown {
		v.Held = "inconclusive: most sentinels fail, so our own connection is in doubt"
	}
	return v, true
}

func (watch) Last(m string) (status.Result, bool) {
	r := status.Result{Monitor: m, Location: "local", Started: noon.Add(-4 * time.Second), Due: noon.Add(-4 * time.Second), Latency: 84 * time.Millisecond, Code: 200}
	r.Phases = [status.PhaseCount]time.Duration{2 * time.Millisecond, 11 * time.Millisecond, 24 * time.Millisecond, 41 * time.Millisecond, 6 * time.Millisecond}
	if levelOf(m) == status.LevelDown {
		r.Outcome, r.Cause, r.Code, r.Reason = status.Failed, status.CauseBadAnswer, 502, "HTTP 502"
		r.Facts = &status.Facts{Log: []string{"resolved shop.example.org to 192.0.2.10 in 2 ms", "connected in 11 ms", "GET / answered 502 Bad Gateway"}}
	}
	return r, true
}

func (watch) Hold(string, time.Time, string) error                { return nil }
func (watch) Confirm(context.Context, access.Actor, string) error { return nil }
func (watch) RunOnce(_ context.Context, id string) (status.Result, error) {
	r, _ := watch{}.Last(id + "-down")
	return r, nil
}

// definitions keeps what was put, and finds an address without a scheme wrong.
type definitions struct{ put []status.Document }

func (*definitions) Place(_, id string) (string, int, bool) {
	return "evenkeel.yaml", 12, id == "website"
}
func (*definitions) Check(_ context.Context, _ access.Actor, doc status.Document) (status.Plan, error) {
	if strings.Contains(doc.Text, `url: "example`) {
		return status.Plan{}, problem.Errors{problem.Invalid("url", "line 4: expected https:// or http://"), problem.Invalid("", "evenkeel.yaml, line 3: no such thing")}
	}
	return status.Plan{Changes: []status.Change{{Kind: doc.Kind, ID: doc.ID, What: status.Added}}}, nil
}
func (d *definitions) Try(ctx context.Context, by access.Actor, doc status.Document) (status.Result, error) {
	if _, err := d.Check(ctx, by, doc); err != nil {
		return status.Result{}, err
	}
	return watch{}.RunOnce(ctx, doc.ID)
}
func (d *definitions) Put(ctx context.Context, by access.Actor, doc status.Document) (status.Plan, error) {
	plan, err := d.Check(ctx, by, doc)
	if err == nil {
		d.put = append(d.put, doc)
	}
	return plan, err
}
func (*definitions) Drop(context.Context, access.Actor, string, string, int64) (status.Plan, error) {
	return status.Plan{}, nil
}

// room lists two incidents.
type room struct{ list []incident.Incident }

func (r room) List(context.Context, access.Actor, incident.Query) ([]incident.Incident, error) {
	return r.list, nil
}

// entries is a journal of a few lines.
type entries []journal.Sealed

func (e entries) Head(context.Context) (int64, string, error) { return int64(len(e)), "", nil }
func (e entries) After(_ context.Context, seq int64, limit int) ([]journal.Sealed, error) {
	if seq >= int64(len(e)) {
		return nil, nil
	}
	return e[seq:min(int(seq)+limit, len(e))], nil
}

// estate makes the six groups of eight of the look, four of them in trouble.
func estate() *record {
	names := map[string][]string{
		"Apps":             {"Website", "Checkout:down", "Booking form", "Search:slow", "Sign-up", "Mobile API", "Images", "Owners"},
		"Payments":         {"Payments API:down", "Card gateway", "Refunds:part", "Gift cards:part", "Invoices", "Ledger", "Fraud check", "Payouts"},
		"Bookings":         {"Bookings API", "Calendars", "Pricing", "Availability", "Reviews", "Key codes", "Messages", "Channel sync"},
		"Platform":         {"API gateway", "Sign-in", "Sessions", "Bookings DB", "Ledger DB", "Queue", "Search index", "Object store"},
		"Edge":             {"DNS", "Certificates", "Mail out", "Mail in", "SMS", "Partner API", "Webhooks out", "Channel feed:work"},
		"Jobs and outside": {"Calendar sync", "Price import", "Bookings copy", "Ledger copy", "Ledger close", "Card network", "Map tiles", "Address lookup:mute"},
	}
	order := []string{"Apps", "Payments", "Bookings", "Platform", "Edge", "Jobs and outside"}
	r := &record{catalog: status.Catalog{Site: status.Site{Name: "Northmoor", Zone: "Europe/London", Weights: status.Weights{Major: 1, Partial: .3}}}}
	for i, g := range order {
		r.group(i, g, names[g])
	}
	work := status.Occurrence{
		ID: "feed-20261119t170000z", Window: "feed", Title: "New channel feed", Text: "The feed moves to another network.", Components: []string{"channel-feed"},
		From: noon.Add(-31 * time.Minute), To: noon.Add(59 * time.Minute), State: status.MaintenanceInProgress, StartedAt: noon.Add(-31 * time.Minute),
	}
	ahead := status.Occurrence{
		ID: "ledger-20261122t050000z", Window: "ledger", Title: "Ledger moves to a larger machine", Components: []string{"ledger", "payouts"},
		From: time.Date(2026, 11, 22, 5, 0, 0, 0, time.UTC), To: time.Date(2026, 11, 22, 6, 30, 0, 0, time.UTC), State: status.MaintenanceScheduled,
	}
	r.works = []status.Occurrence{work, ahead}
	return r
}

// group adds a group whose components say their trouble after a colon.
func (r *record) group(i int, name string, components []string) {
	id := slug(name)
	r.catalog.Groups = append(r.catalog.Groups, status.Group{Key: id, ID: id, Name: name, Position: i})
	for _, c := range components {
		c, trouble, _ := strings.Cut(c, ":")
		key := slug(c)
		r.catalog.Components = append(r.catalog.Components, status.Component{
			Key: key, ID: key, Name: c, Group: id, Public: true, Position: len(r.catalog.Components), Runbook: "https://runbooks.example.org/" + key,
			CreatedAt: noon.AddDate(0, -6, 0),
		})
		monitor := func(suffix, end string) {
			r.catalog.Monitors = append(r.catalog.Monitors, status.Monitor{
				Key: key + suffix + end, ID: key + suffix, Component: key, Name: c + " front door", Kind: "http", Interval: 30 * time.Second, Locations: []string{"local"},
				Public: true, CreatedAt: noon.AddDate(0, -6, 0), Rule: status.Rule{Slow: 400 * time.Millisecond}.Defaults(),
			})
		}
		span := func(track status.Track, st status.Status, origin status.Origin, ago time.Duration, staff, ref string) {
			r.open = append(r.open, status.Span{
				ID: key + string(track), Component: key, Track: track, From: noon.Add(-ago), Status: st, Origin: origin, Staff: staff, Ref: ref,
			})
		}
		switch trouble {
		case "down":
			monitor("-web", "-down")
			staff := key + "-web (http) is down: HTTP 502; 3 in a row, 2 needed; 3 of 3 locations see trouble, 2 must agree; since 2026-11-19 17:14:08 UTC"
			span(status.Observed, status.MajorOutage, status.ByMachine, 17*time.Minute, staff, "")
			span(status.Published, status.MajorOutage, status.ByMachine, 17*time.Minute, staff, "")
		case "part":
			monitor("-web", "")
			monitor("-api", "-down")
			span(status.Observed, status.PartialOutage, status.ByMachine, 6*time.Minute, key+"-api (http) is down: HTTP 502", "component/payments-api")
			span(status.Published, status.Operational, status.ByMachine, 90*24*time.Hour, "", "")
		case "slow":
			monitor("-web", "-slow")
			span(status.Observed, status.Degraded, status.ByMachine, 9*time.Minute, key+"-web (http) is slow: p95 over 400 ms; 3 in a row, 3 needed", "")
			span(status.Published, status.Degraded, status.ByMachine, 9*time.Minute, "", "")
		case "work":
			monitor("-web", "")
			span(status.Observed, status.Operational, status.ByMachine, 60*24*time.Hour, "", "")
			span(status.Published, status.UnderMaintenance, status.ByMaintenance, 31*time.Minute, "", "maintenance/feed-20261119t170000z")
		case "mute":
			monitor("-web", "-mute")
			span(status.Observed, status.NotMeasured, status.BySystem, 2*time.Minute, "", "")
			span(status.Published, status.NotMeasured, status.BySystem, 2*time.Minute, "", "")
		default:
			monitor("-web", "")
			span(status.Observed, status.Operational, status.ByMachine, 60*24*time.Hour, "", "")
			span(status.Published, status.Operational, status.ByMachine, 60*24*time.Hour, "", "")
		}
	}
}

// crowd makes n components in groups of twenty.
func crowd(n int) *record {
	r := &record{catalog: status.Catalog{Site: status.Site{Name: "Northmoor", Zone: "Europe/London"}}}
	for i := 0; i < n; i += 20 {
		var names []string
		for j := i; j < min(i+20, n); j++ {
			name := fmt.Sprintf("Service %d", j)
			if j%97 == 13 {
				name += ":down"
			}
			names = append(names, name)
		}
		r.group(i/20, fmt.Sprintf("Group %d", i/20), names)
	}
	return r
}

func slug(s string) string { return strings.ReplaceAll(strings.ToLower(s), " ", "-") }

// sample makes a console over an estate.
func sample(t testing.TB, r *record) *Console {
	t.Helper()
	store, desk := r.store(t)
	health := telemetry.NewHealth()
	health.Engine("database", "PostgreSQL")
	health.Engine("redis", "Redis")
	for _, name := range []string{"database", "page follower", "redis", "schedule", "sealer"} {
		health.Need(name, true, "fine")
	}
	rooms := room{[]incident.Incident{
		{
			ID: "inc-a", Number: 231, Name: "Card payments failing at checkout", State: incident.Identified, Impact: incident.ImpactCritical, Visibility: incident.Public,
			StartedAt: noon.Add(-17 * time.Minute), NextUpdateAt: noon.Add(8*time.Minute + 52*time.Second), Roles: []incident.Duty{{Role: incident.Commander, Person: "p1"}},
		},
		{
			ID: "inc-b", Number: 232, Name: "Search is slow", State: incident.Investigating, Impact: incident.ImpactMinor, Visibility: incident.Public,
			StartedAt: noon.Add(-9 * time.Minute), NextUpdateAt: noon.Add(-74 * time.Second),
		},
	}}
	moved := func(seq int64, component, from, to string, ago time.Duration) journal.Sealed {
		return journal.Sealed{Seq: seq, Entry: journal.Entry{
			Verb: "component.moved", Subject: journal.Ref{Kind: "component", ID: component}, RecordedAt: noon.Add(-ago), EffectiveAt: noon.Add(-ago),
			Payload: map[string]string{"track": "observed", "from": from, "to": to},
		}}
	}
	return New(Deps{
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return noon }, Version: "test", Shelf: assets.NewShelf(),
		Problem: func(err error) *api.Problem {
			codes := map[problem.Kind]int{problem.KindInvalid: 400, problem.KindNotFound: 404, problem.KindForbidden: 403, problem.KindConflict: 409, problem.KindUnavailable: 503, problem.KindUnauthenticated: 401, problem.KindTooMany: 429}
			code := codes[problem.KindOf(err)]
			if code == 0 {
				code = http.StatusInternalServerError
			}
			return api.NewProblem(code, problem.Public(err))
		},
		Record: store, Desk: desk, Planner: desk, Definitions: &definitions{}, Watch: watch{}, Samples: r, Runner: watch{}, Health: health, Incidents: rooms,
		Journal: entries{
			{Seq: 1, Entry: journal.Entry{Verb: "setup.applied", Subject: journal.Ref{Kind: "setup", ID: "4.12.0"}, RecordedAt: noon.Add(-103 * time.Minute)}},
			moved(2, "checkout", "operational", "major_outage", 17*time.Minute),
			moved(3, "payments-api", "operational", "major_outage", 17*time.Minute),
			moved(4, "search", "operational", "degraded_performance", 9*time.Minute),
			moved(5, "gift-cards", "operational", "partial_outage", 6*time.Minute),
		},
		Deliveries: func(context.Context) (Queue, error) {
			return Queue{Waiting: 36, Retrying: 2, Oldest: noon.Add(-6 * time.Second)}, nil
		},
		OnCall: func(context.Context, time.Time) ([]Turn, error) {
			return []Turn{{Rotation: "commander", Person: "SRE on call", Until: noon.Add(149 * time.Minute)}, {Rotation: "support", Person: "Support lead", Until: noon.Add(29 * time.Minute)}}, nil
		},
		Lag: func() time.Duration { return 200 * time.Millisecond },
	})
}

// as lets a person with a role in.
func as(role access.Role, next http.Handler) http.Handler {
	p := people.Person{ID: "p1", Name: "SRE on call", Grants: []access.Grant{{Role: role}}, Zone: "Europe/London"}
	g := door.Guest{Actor: access.Actor{ID: "person/p1", Role: role, Grants: &access.Grants{List: p.Grants}}, Person: p}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, door.With(r, g)) })
}

// serve gives the console to somebody with a role, with its assets.
func serve(t testing.TB, c *Console, role access.Role) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/console", as(role, c.Handler()))
	mux.Handle("/console/", as(role, c.Handler()))
	mux.Handle(assets.Prefix, c.deps.Shelf)
	return mux
}
