package app

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/config"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
	"evenkeel/internal/people"
	"evenkeel/internal/store"
	"evenkeel/internal/testkit"
	"evenkeel/web/door/doortest"
)

// The estate for which the limits of the console are set.
const (
	largeComponents = 1_000
	largeIncidents  = 10_000
	largeJournal    = 1_000_000
	largeYears      = 3 // over which all of it happened
)

// startOver is when a hub has done what only a start does, and its page has been
// compressed well.
const startOver = 15 * time.Second

// largeFile is the configuration of the estate. Nothing is probed meanwhile.
func largeFile() string {
	var b strings.Builder
	b.WriteString("listen: 127.0.0.1:0\nadmin_listen: 127.0.0.1:0\npage: {name: Example Ltd, url: \"https://status.example.org\"}\ncomponents:\n")
	for n := range largeComponents {
		fmt.Fprintf(&b, "  - {id: service-%d, name: Service %d, group: group-%d}\n", n, n, n/25)
	}
	b.WriteString("monitors:\n")
	for n := range largeComponents {
		fmt.Fprintf(&b, "  - {id: check-%d, component: service-%d, kind: heartbeat, schedule: {every: 1d}, token: \"a-token-of-the-bench-%d\"}\n", n, n, n)
	}
	return b.String()
}

// grow fills the record of a hub that is stopped: incidents, and a journal whose
// entries are as many and as old as those of years. They come by plain SQL, since
// no unit of work may write of the past; so their chain does not verify.
func grow(tb testing.TB, folder string) {
	tb.Helper()
	ctx := tb.Context()
	s, err := store.Open(ctx, store.Options{DataDir: folder, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatal(err)
	}
	begin := time.Now().UTC().Truncate(time.Microsecond).AddDate(-largeYears, 0, 0)
	const atOnce = 200
	for from := 0; from < largeIncidents; from += atOnce {
		err := s.Do(ctx, access.Hub, func(tx journal.Tx) error {
			for n := from; n < from+atOnce; n++ {
				at := begin.Add(time.Duration(n) * (largeYears * 365 * 24 * time.Hour / largeIncidents))
				i := incident.Incident{
					ID: fmt.Sprintf("incident%08d", n), Name: fmt.Sprintf("Trouble %d with payments", n), State: incident.Resolved, Impact: incident.ImpactMajor,
					Worst: incident.ImpactMajor, Visibility: incident.Public, Origin: incident.ByPerson, StartedAt: at, OpenedAt: at, PublishedAt: at,
					ResolvedAt: at.Add(time.Hour), ChangedAt: at, Lines: 3,
					Components: []incident.Affected{{Component: fmt.Sprintf("service-%d", n%largeComponents), Status: "partial_outage", Since: at}},
				}
				if largeIncidents-n <= 5 {
					i.State, i.ResolvedAt = incident.Investigating, time.Time{}
				}
				if err := s.PutIncident(ctx, tx, &i); err != nil {
					return err
				}
				for u := range 3 {
					if err := s.PutUpdate(ctx, tx, &incident.Update{
						ID: fmt.Sprintf("%s-%d", i.ID, u), Incident: i.ID, Kind: incident.KindUpdate, State: incident.Investigating, Author: "hub",
						Body: "We have found the cause.", CreatedAt: at, DisplayAt: at.Add(time.Duration(u) * time.Minute), PublishedAt: at,
					}); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := s.Close(ctx); err != nil {
		tb.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(folder, "evenkeel.db"))
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	head := 0
	if err := db.QueryRowContext(ctx, `select coalesce(max(seq), 0) from journal`).Scan(&head); err != nil {
		tb.Fatal(err)
	}
	step := largeYears * 365 * 24 * time.Hour / largeJournal
	for _, fill := range []struct {
		text string
		args []any
	}{
		{`with recursive n(i) as (select $1 + 1 union all select i + 1 from n where i < $2)
			insert into journal (seq, hash, id, actor, role, verb, subject_kind, subject_id, recorded_at, effective_at, audience, payload)
			select i, printf('%064x', i), printf('seeded%010d', i), iif(i % 50, 'hub', 'host'), iif(i % 50, 'machine', 'admin'),
				case when i % 200 = 0 then 'incident.updated' when i % 50 = 0 then 'monitor.silenced' else 'component.moved' end,
				case when i % 200 = 0 then 'incident' when i % 50 = 0 then 'monitor' else 'component' end,
				case when i % 200 = 0 then printf('incident%08d', i / 200) when i % 50 = 0 then 'check-' || (i % 1000) else 'service-' || (i % 1000) end,
				$3 + (i - $1) * $4, $3 + (i - $1) * $4, iif(i % 50, 'public', 'staff'), '{"from":"operational","origin":"machine","to":"partial_outage"}'
			from n`, []any{head, largeJournal, begin.UnixMicro(), step.Microseconds()}},
		{`insert into journal_words (rowid, words)
			select seq, replace(verb, '.', ' ') || ' ' || subject_kind || ' ' || replace(subject_id, '-', ' ') || ' from operational origin machine to partial outage ' || actor || ' ' || role
			from journal where seq > $1`, []any{head}},
		{`insert into cursors (name, seq) select 'search', $1 where true on conflict (name) do update set seq = excluded.seq`, []any{largeJournal}},
		{`update cursors set seq = $1`, []any{largeJournal}},
		{`analyze`, nil},
	} {
		if _, err := db.ExecContext(ctx, fill.text, fill.args...); err != nil {
			tb.Fatal(err)
		}
	}
}

// raise starts a hub on a folder; its stop comes with the test unless it is called before.
func raise(tb testing.TB, file config.File) (a *App, stop func()) {
	tb.Helper()
	a, err := New(Options{Config: file, Version: "test", Log: slog.New(slog.DiscardHandler), Load: func() (config.File, error) { return file, nil }})
	if err != nil {
		tb.Fatal(err)
	}
	stop = func() {
		if err := a.Stop(context.WithoutCancel(tb.Context())); err != nil {
			tb.Errorf("stop: %v", err)
		}
	}
	if err := a.Start(tb.Context()); err != nil {
		stop()
		tb.Fatal(err)
	}
	testkit.Await(tb, "everything behind the door", time.Minute, func() bool { return len(a.web.Routes()) > 0 })
	return a, stop
}

// burnt is the processor time of this process so far.
func burnt(tb testing.TB) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkConsole opens every page of the console, and searches the journal, in
// the estate for which the limits are set: a page within 20 ms of processor time
// (cpu-ms/page), a search within 100 ms. Beside them stands the page that shows
// nothing: what the frame and the door take.
func BenchmarkConsole(b *testing.B) {
	file, err := LoadConfig(write(b, largeFile()+"data: "+b.TempDir()+"\n"), nil)
	if err != nil {
		b.Fatal(err)
	}
	_, stop := raise(b, file)
	stop()
	grow(b, file.Data)
	a, stop := raise(b, file)
	b.Cleanup(stop)
	<-time.After(startOver)
	accounts := a.house.Load().doors.accounts
	p, err := accounts.Add(b.Context(), access.Host, people.Draft{Name: "Night operator", Email: "operator@example.org", Grants: []access.Grant{{Role: access.RoleAdmin}}})
	if err != nil {
		b.Fatal(err)
	}
	link, err := accounts.Link(b.Context(), access.Host, p.ID)
	if err != nil {
		b.Fatal(err)
	}
	entry, _, err := accounts.Accept(b.Context(), strings.TrimPrefix(link, people.LinkPath), people.Acceptance{Password: "a passphrase of the bench"}, people.Caller{})
	if err != nil {
		b.Fatal(err)
	}
	paths := []string{
		"/console/components/service-500", "/console/monitors/check-500", "/console/incidents/INC-5000", "/console/incidents/INC-10000", "/console/incidents?state=resolved",
		"/console/audit?verb=incident.updated", "/console/audit?subject=component/service-500", "/console/audit?who=host", "/console/audit?verb=monitor.", "/console/audit?before=500000",
		"/console/audit?q=service+777", "/console/audit?q=incident+updated", "/console/audit?q=component+moved", "/console/audit?q=opera", "/console/audit?q=nowhere",
		"/console/audit?q=moved+777&verb=incident.updated", "/console/audit?from=2024-01-01&to=2025-06-01",
	}
	for _, r := range a.web.Routes() {
		if r.Method == http.MethodGet && strings.HasPrefix(r.Path, "/console") && !strings.ContainsAny(r.Path, "{$") {
			paths = append(paths, r.Path)
		}
	}
	for _, path := range paths {
		b.Run(strings.TrimPrefix(path, "/console/"), func(b *testing.B) {
			ask := func() int {
				// A stream ends with its request; all else is there long before.
				ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
				defer cancel()
				r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
				doortest.Cookie(r, entry.Secret)
				w := httptest.NewRecorder()
				a.web.Public().ServeHTTP(w, r)
				if strings.HasPrefix(w.Header().Get("Content-Type"), "text/event-stream") {
					b.Skip("a stream")
				}
				return w.Code
			}
			if code := ask(); code >= http.StatusInternalServerError {
				b.Fatal(code)
			}
			before := burnt(b)
			for b.Loop() {
				ask()
			}
			b.ReportMetric(float64((burnt(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/page")
		})
	}
}
