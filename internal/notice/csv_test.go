package notice_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

func TestExportComesBackThroughImport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := idle(t, open())
		ctx := context.Background()
		for _, r := range []notice.Subscription{
			form("you@example.org"),
			{Mode: notice.ByMail, Address: "+formula@example.org", Wishes: notice.Wishes{Components: []string{"db", "-web"}, MinImpact: "major", Maintenance: true}},
			{Mode: notice.ByWebhook, Address: "https://example.org/a,b", Incident: "i1", Wishes: notice.Wishes{Groups: []string{"core"}}},
		} {
			if _, err := h.desk.Add(ctx, operator, r, true); err != nil {
				t.Fatal(err)
			}
		}
		left, err := h.desk.Add(ctx, operator, form("left@example.org"), true)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.desk.Remove(ctx, operator, left.ID); err != nil {
			t.Fatal(err)
		}
		var first, second bytes.Buffer
		if err := h.desk.Export(ctx, operator, &first); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(first.String()) {
			if strings.ContainsAny(line[:1], "=+-@") {
				t.Errorf("a spreadsheet would compute %q", line)
			}
		}
		h.rest(time.Hour)
		other := idle(t, open())
		if done, err := other.desk.Import(ctx, operator, bytes.NewReader(first.Bytes())); err != nil || done != (notice.Imported{Added: 3, Ended: 1}) {
			t.Fatalf("%s\ngot %+v, %v", &first, done, err)
		}
		if err := other.desk.Export(ctx, operator, &second); err != nil {
			t.Fatal(err)
		}
		kept := strings.Join(strings.SplitAfter(first.String(), "\n")[:4], "")
		if second.String() != kept {
			t.Errorf("exported\n%s\nthen\n%s", kept, &second)
		}
		// Again: everybody is known. Who left is not brought back.
		if done, err := h.desk.Import(ctx, operator, strings.NewReader("address\nyou@example.org\nleft@example.org\nnew@example.org\n")); err != nil || done != (notice.Imported{Added: 1, Known: 2}) {
			t.Errorf("got %+v, %v", done, err)
		}
		_, err = h.desk.Import(ctx, access.Actor{ID: "eve", Role: access.RoleManager}, strings.NewReader("address\n"))
		wantKind(t, err, problem.KindForbidden)
		wantKind(t, h.desk.Export(ctx, access.Actor{ID: "eve", Role: access.RoleViewer}, &second), problem.KindForbidden)
	})
}

func TestImportListsAllThatIsWrongWithItsLine(t *testing.T) {
	h := idle(t, open())
	ctx := context.Background()
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"lines": {"\ufeffAddress,mode,min_impact,maintenance,state,confirmed_at,components\n" +
			"you@example.org,email,none,true,active,,\n" +
			"nobody,email,none,true,active,,\n" +
			"a@example.org,fax,none,true,active,,\n" +
			"b@example.org,email,awful,true,active,,\n" +
			"c@example.org,email,none,perhaps,active,,\n" +
			"d@example.org,email,none,true,gone,,\n" +
			"e@example.org,email,none,true,active,2999-01-01T00:00:00Z,\n" +
			"f@example.org,email\n" +
			"YOU@example.org,email,none,true,active,,\n" +
			"\"g@\nexample.org\",email,none,true,active,,\n",
			[]string{"line 3", "line 4", "line 5", "line 6", "line 7", "line 8", "line 9", "line 10", "line 11"}},
		"no header":     {"", []string{"line 1"}},
		"no address":    {"mode\nemail\n", []string{"line 1"}},
		"other columns": {"address,colour,address\nx\n", []string{"line 1", "line 1"}},
		"open quotes":   {"address\nyou@example.org\n\"me@example.org\n", []string{"line 3"}},
	} {
		done, err := h.desk.Import(ctx, operator, strings.NewReader(c.file))
		found, ok := errors.AsType[problem.Errors](err)
		if !ok {
			t.Errorf("%s: got %+v, %v", name, done, err)
			continue
		}
		var lines []string
		for _, e := range found {
			lines = append(lines, e.Field)
			if e.Msg == "" {
				t.Errorf("%s: %s says nothing", name, e.Field)
			}
		}
		if fmt.Sprint(lines) != fmt.Sprint(c.want) {
			t.Errorf("%s: problems in %v, want %v: %v", name, lines, c.want, err)
		}
	}
	if n, err := h.desk.CountSubscribers(ctx, operator); err != nil || len(n) != 0 {
		t.Errorf("something was imported all the same: %v, %v", n, err)
	}
	many := strings.NewReader("address\n" + strings.Repeat("x\n", 500))
	if _, err := h.desk.Import(ctx, operator, many); len(err.(problem.Errors)) != 100 {
		t.Errorf("%d problems are listed", len(err.(problem.Errors)))
	}
	endless := strings.NewReader("address\n" + strings.Repeat("\"", 17<<20))
	if _, err := h.desk.Import(ctx, operator, endless); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("got %v", err)
	}
}

func TestImportTakesManyInSmallUnits(t *testing.T) {
	h := idle(t, open())
	var file strings.Builder
	file.WriteString("address\n")
	for n := range 1201 {
		fmt.Fprintf(&file, "a%d@example.org\n", n)
	}
	done, err := h.desk.Import(context.Background(), operator, strings.NewReader(file.String()))
	if err != nil || done.Added != 1201 {
		t.Fatalf("got %+v, %v", done, err)
	}
	counts, err := h.desk.CountSubscribers(context.Background(), operator)
	if err != nil || counts[notice.ByMail][notice.Active] != 1201 {
		t.Errorf("got %v, %v", counts, err)
	}
}

// FuzzImport: whatever the file, nothing breaks, and what is added can be told.
func FuzzImport(f *testing.F) {
	f.Add("address,mode\nyou@example.org,email\n")
	f.Add("address\n\"a\"\"b@example.org\"\n")
	f.Add("\ufeffaddress;mode\n")
	f.Add("address\n0@0\x81.0\n")
	f.Add("address,components\n'=x@example.org,'-a b\n")
	f.Fuzz(func(t *testing.T, file string) {
		h := idle(t, open())
		done, err := h.desk.Import(context.Background(), operator, strings.NewReader(file))
		if err != nil && (problem.KindOf(err) != problem.KindInvalid || done.Added > 0) {
			t.Fatalf("got %+v, %v", done, err)
		}
		var out bytes.Buffer
		if err := h.desk.Export(context.Background(), operator, &out); err != nil {
			t.Fatal(err)
		}
		other := idle(t, open())
		if again, err := other.desk.Import(context.Background(), operator, &out); err != nil || again.Added != done.Added {
			t.Fatalf("%d came in, %+v of them out and in again: %v", done.Added, again, err)
		}
	})
}
