package status_test

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// with gives a definition with one component and its monitor more.
func with(def status.Definition, id string) status.Definition {
	def.Components = append(def.Components[:len(def.Components):len(def.Components)], status.DefinedComponent{Component: status.Component{ID: id, Name: id, Public: true}})
	return def
}

// TestDefinitionMadeInTheConsoleIsTrueAtOnce: the document and what it defines
// are one unit of work; who may do it is asked of the component.
func TestDefinitionMadeInTheConsoleIsTrueAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		doc := status.Document{Kind: status.KindComponent, ID: "mail", Text: "id: mail\n"}
		_, err := o.desk.Define(t.Context(), webmaster, doc, with(two(), "mail"))
		wantKind(t, err, problem.KindForbidden) // what is new needs the right everywhere
		plan, err := o.desk.Define(t.Context(), operator, doc, with(two(), "mail"))
		if err != nil || len(plan.Changes) != 1 {
			t.Fatalf("%+v, %v", plan.Changes, err)
		}
		o.rest(100 * time.Millisecond)
		o.want(status.Published, "mail", "not_measured@1")
		if e := o.last("definition.put"); e.Subject.ID != "component/mail" || e.Actor.ID != operator.ID || e.Actor.Role != access.RoleOperator {
			t.Errorf("entry %+v", e)
		}
		if e := o.last("setup.applied"); !o.watch.Applied(e.Subject.ID) {
			t.Error("the hub takes its own definition for another's")
		}
		_, err = o.desk.Define(t.Context(), operator, doc, with(two(), "mail"))
		wantKind(t, err, problem.KindConflict) // it is there already
		doc.Version, doc.Text = 1, "id: mail # the same\n"
		if plan, err = o.desk.Define(t.Context(), operator, doc, with(two(), "mail")); err != nil || !plan.Empty() {
			t.Fatalf("%+v, %v", plan.Changes, err)
		}
		wantKind(t, second(o.desk.Undefine(t.Context(), operator, doc.Kind, doc.ID, 1, two())), problem.KindConflict)
		if docs, err := o.desk.Documents(t.Context(), viewer); err != nil || len(docs) != 1 || docs[0].Version != 2 || docs[0].Text != doc.Text {
			t.Errorf("%+v, %v", docs, err)
		}
		if plan, err = o.desk.Undefine(t.Context(), operator, doc.Kind, doc.ID, 2, two()); err != nil || len(plan.Changes) != 1 || plan.Changes[0].What != status.Removed {
			t.Fatalf("%+v, %v", plan.Changes, err)
		}
		_, err = o.desk.Define(t.Context(), operator, status.Document{Kind: status.KindComponent, ID: "x", Text: strings.Repeat("x", status.MaxDocument+1)}, two())
		wantKind(t, err, problem.KindInvalid)
		_, err = o.desk.Define(t.Context(), viewer, status.Document{Kind: status.KindGroup, ID: "x", Text: "id: x"}, two())
		wantKind(t, err, problem.KindForbidden)
		o.halt()
	})
}

// TestDefinitionOfOnesOwnComponent: a grant on one component is enough for its
// monitors, and for no monitor that leaves it or comes from elsewhere.
func TestDefinitionOfOnesOwnComponent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		monitor := func(component string) status.Definition {
			def := two()
			m := def.Monitors[0]
			m.ID, m.Component = "extra", component
			def.Monitors = append(def.Monitors[:1:1], m)
			return def
		}
		doc := status.Document{Kind: status.KindMonitor, ID: "extra", Text: "id: extra\n"}
		wantKind(t, second(o.desk.Define(t.Context(), webmaster, doc, monitor("db"))), problem.KindForbidden)
		if _, err := o.desk.Define(t.Context(), webmaster, doc, monitor("web")); err != nil {
			t.Fatal(err)
		}
		doc.Version = 1
		wantKind(t, second(o.desk.Define(t.Context(), webmaster, doc, monitor("db"))), problem.KindForbidden)
		if _, err := o.desk.Define(t.Context(), operator, doc, monitor("db")); err != nil {
			t.Fatal(err)
		}
		doc.Version = 2
		wantKind(t, second(o.desk.Define(t.Context(), webmaster, doc, monitor("web"))), problem.KindForbidden)
		o.halt()
	})
}

// TestDefinitionOfAnotherHubIsAdopted: a hub that did not make it takes it over
// from the record.
func TestDefinitionOfAnotherHubIsAdopted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := openOffice(t, two())
		idle := status.NewWatch(status.WatchDeps{Work: o.store, Store: o.store, Latency: o.latency, Log: slog.New(slog.DiscardHandler), Now: time.Now})
		if err := idle.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := o.another(idle).Define(t.Context(), operator, status.Document{Kind: status.KindComponent, ID: "mail", Text: "id: mail\n"}, with(two(), "mail")); err != nil {
			t.Fatal(err)
		}
		if o.watch.Applied(o.last("setup.applied").Subject.ID) {
			t.Error("taken for one's own")
		}
		if n := len(o.watch.Catalog().Components); n != 2 {
			t.Fatalf("%d components before", n)
		}
		if err := o.watch.Adopt(t.Context()); err != nil {
			t.Fatal(err)
		}
		o.play("web-http", "g")
		if n := len(o.watch.Catalog().Components); n != 3 {
			t.Errorf("%d components after", n)
		}
		o.want(status.Published, "mail", "not_measured@1")
		o.halt()
	})
}

func second[T any](_ T, err error) error { return err }
