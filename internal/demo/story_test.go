package demo

import (
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/app"
	"evenkeel/internal/incident"
	"evenkeel/internal/incident/incidenttest"
	"evenkeel/internal/notice"
	"evenkeel/internal/notice/noticetest"
	"evenkeel/internal/people"
	"evenkeel/internal/people/peopletest"
	"evenkeel/internal/secret"
)

// TestStoryFillsTheRooms: a fresh demo has incidents that are over and one under
// way, in order, with their own times; a second start adds nothing.
func TestStoryFillsTheRooms(t *testing.T) {
	record, letters, house := incidenttest.New(), noticetest.New(), peopletest.New()
	box, err := secret.New(make([]byte, secret.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	quiet := slog.New(slog.DiscardHandler)
	deps := people.Deps{Work: house, Store: house, Sealer: box, Log: quiet, Now: time.Now, Demo: true}
	accounts := people.NewAccounts(deps, people.NewRefusals(house, quiet, time.Now))
	for _, role := range access.People() {
		if _, err := accounts.Add(t.Context(), access.Host, people.Draft{Name: string(role), Email: string(role) + "@example.org", Grants: []access.Grant{{Role: role}}}); err != nil {
			t.Fatal(err)
		}
	}
	desk := notice.NewDesk(notice.DeskDeps{Work: letters, Store: letters, People: noticetest.Staff(), Signer: noticetest.Key("k"), Log: quiet, Now: time.Now})
	desk.Setup(notice.Setup{Mail: "smtp", Channels: []notice.ChannelSpec{{ID: "smtp", Kind: "mail"}}})
	stage := app.Stage{Work: record, Incidents: record, Accounts: accounts, Notices: desk}
	for _, id := range []string{"website", "search", "checkout", "database", "names", "mail", "export"} {
		stage.Components = append(stage.Components, incident.Component{Key: id, ID: id, Public: true})
	}
	e := &Estate{fresh: true, log: quiet, folder: filepath.Join(t.TempDir(), "demo")}
	if err := e.Tell(t.Context(), stage); err != nil {
		t.Fatal(err)
	}
	e.fresh = false
	if err := e.Tell(t.Context(), stage); err != nil {
		t.Fatal(err)
	}
	all, err := record.Incidents(t.Context(), incident.Query{Limit: 100})
	if err != nil || len(all) != len(pastWords)+1 {
		t.Fatalf("%d incidents, %v", len(all), err)
	}
	if !slices.IsSortedFunc(all, func(a, b incident.Incident) int { return int(b.Number - a.Number) }) {
		t.Error("their numbers do not follow their times")
	}
	for n, i := range all {
		if i.Open() != (n == 0) || !i.Seen() || len(i.Components) != 1 || i.Roles[0].Person == "" {
			t.Errorf("%s is %+v", i.Label(), i)
		}
		lines, err := record.Updates(t.Context(), i.ID)
		if err != nil || len(lines) != i.Lines {
			t.Errorf("%s has %d lines, %v", i.Label(), len(lines), err)
		}
		for _, u := range lines {
			if u.DisplayAt.Before(i.StartedAt) || u.DisplayAt.After(time.Now()) || u.Author == "" {
				t.Errorf("%s: line %+v", i.Label(), u)
			}
		}
	}
	told := 0
	entries, err := record.After(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if err := e.Check(); err != nil {
			t.Errorf("%s: %v", e.Verb, err)
		}
		if e.Payload["backfilled"] == "" && e.Payload["update"] != "" && e.Audience == "public" {
			told++
		}
	}
	if told != 2 {
		t.Errorf("%d updates are told, want 2", told)
	}
	if n, err := desk.CountSubscribers(t.Context(), access.Host); err != nil || n[notice.ByMail]["active"] != readers {
		t.Errorf("readers %v, %v", n, err)
	}
}
