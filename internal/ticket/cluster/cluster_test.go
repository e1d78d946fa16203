package cluster_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/ticket/cluster"
)

// find reads and clusters letters.
func find(components []cluster.Component, list []cluster.Text) cluster.Result {
	v := cluster.NewVocabulary(components)
	readings := make([]cluster.Reading, len(list))
	for n, t := range list {
		readings[n] = v.Read(t)
	}
	return v.Find(readings)
}

// grade compares what was found with what a scene says: how many of the letters
// put into an outage belong to it, and how many that belong were found.
func grade(t *testing.T, letters []letter, res cluster.Result) (precision, recall float64) {
	t.Helper()
	var found, right, wanted int
	for _, l := range letters {
		if l.outage != "" {
			wanted++
		}
	}
	for _, o := range res.Outages {
		count := map[string]int{}
		for _, m := range o.Members {
			count[letters[index(m.ID)].outage]++
		}
		main := ""
		for name, n := range count {
			if name != "" && n > count[main] || main == "" && name != "" {
				main = name
			}
		}
		for _, m := range o.Members {
			found++
			if l := letters[index(m.ID)]; l.outage == main && main != "" {
				right++
			} else {
				t.Logf("wrongly in %q: %q %v", o.Topic, l.subject, m.Reasons)
			}
		}
		t.Logf("%s (%s): %d members, %d senders, words %v: %s", o.Topic, o.Component, len(o.Members), o.Senders, o.Words, o.Reason)
	}
	for _, l := range res.LeftOut {
		if x := letters[index(l.ID)]; x.outage != "" {
			t.Logf("missed: %q: %s", x.subject, l.Reason)
		}
	}
	return ratio(right, found), ratio(right, wanted)
}

func ratio(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

func index(id string) (n int) {
	fmt.Sscanf(id, "%d", &n)
	return n
}

func TestLettersOfOneOutageInManyLanguagesAreOne(t *testing.T) {
	for name, scene := range map[string][]letter{
		"one outage":       slices.Concat(checkoutDown, everyday),
		"two at once":      slices.Concat(checkoutDown, loginDown, everyday),
		"nothing happened": everyday,
		"an API":           slices.Concat(apiDown, nearby, everyday),
		"API and search":   slices.Concat(apiDown, searchDown, nearby, everyday),
		"four at once":     slices.Concat(apiDown, searchDown, checkoutDown, loginDown, nearby, everyday),
	} {
		for _, components := range [][]cluster.Component{nil, shop} {
			t.Run(fmt.Sprintf("%s, %d components known", name, len(components)), func(t *testing.T) {
				precision, recall := grade(t, scene, find(components, texts(scene)))
				if precision < 1 || recall < 0.95 {
					t.Errorf("precision %.2f, recall %.2f", precision, recall)
				}
			})
		}
	}
}

// shop is an installation's own components.
var shop = []cluster.Component{
	{Key: "k1", Name: "Checkout", Aliases: []string{"checkout", "till"}},
	{Key: "k2", Name: "Sign-in", Aliases: []string{"auth"}},
	{Key: "k3", Name: "Search", Aliases: []string{"search"}},
	{Key: "k4", Name: "Public API", Aliases: []string{"api"}},
}

func TestEveryLetterIsInOnePlaceWithItsReason(t *testing.T) {
	scene := slices.Concat(checkoutDown, loginDown, everyday)
	res := find(shop, texts(scene))
	seen := map[string]int{}
	for _, o := range res.Outages {
		if o.Component == "" || o.Reason == "" || len(o.Words) == 0 || o.Until.Before(o.Since) {
			t.Errorf("got %+v", o)
		}
		for _, m := range o.Members {
			seen[m.ID]++
			if len(m.Reasons) == 0 || m.Score <= 0 || m.Score > 1 {
				t.Errorf("member %+v", m)
			}
		}
	}
	for _, l := range res.LeftOut {
		seen[l.ID]++
		if l.Reason == "" {
			t.Errorf("%s is left out without a reason", l.ID)
		}
	}
	for _, x := range texts(scene) {
		if seen[x.ID] != 1 {
			t.Errorf("%s is in %d places", x.ID, seen[x.ID])
		}
	}
}

func TestOnePersonWhoWritesOftenIsNoOutage(t *testing.T) {
	list := texts(checkoutDown)
	for n := range list {
		list[n].Sender = "One@Customer.example"
	}
	if res := find(nil, list); len(res.Outages) != 0 {
		t.Errorf("got %+v", res.Outages)
	}
}

func TestTheSameThingFailsTwiceInADay(t *testing.T) {
	list := texts(slices.Concat(checkoutDown, checkoutDown))
	for n := range checkoutDown {
		list[n].At = list[n].At.Add(8 * time.Hour)
	}
	res := find(nil, list)
	if len(res.Outages) != 2 || res.Outages[0].Since.Equal(res.Outages[1].Since) {
		t.Fatalf("got %d outages", len(res.Outages))
	}
}

func TestAThingThatNoListKnowsIsFoundByItsWords(t *testing.T) {
	scene := slices.Concat([]letter{
		{"frob", 1, "Frobnicator stuck", "The Frobnicator widget is not responding since this morning.", ""},
		{"frob", 3, "frobnicator", "Our frobnicator hangs and does not respond.", ""},
		{"frob", 9, "Problem", "Hello, the Frobnicator fails with FROB-7781 all the time.", ""},
		{"frob", 12, "FROB-7781", "We keep getting FROB-7781 errors in the Frobnicator.", ""},
	}, everyday)
	precision, recall := grade(t, scene, find(nil, texts(scene)))
	if precision < 1 || recall < 1 {
		t.Errorf("precision %.2f, recall %.2f", precision, recall)
	}
}

func TestAnAliasOfTheInstallationNamesTheComponent(t *testing.T) {
	scene := []letter{
		{"p", 1, "Phoenix is down", "Phoenix does not answer any more.", ""},
		{"p", 2, "phoenix", "Wir bekommen bei Phoenix nur Fehlermeldungen.", ""},
		{"p", 4, "Problème", "Phoenix ne répond plus chez nous.", ""},
	}
	res := find([]cluster.Component{{Key: "k9", Name: "Order pipeline", Aliases: []string{"Phoenix"}}}, texts(scene))
	if len(res.Outages) != 1 || res.Outages[0].Component != "k9" || len(res.Outages[0].Members) != 3 {
		t.Fatalf("got %+v", res)
	}
	if why := strings.Join(res.Outages[0].Members[0].Reasons, "; "); !strings.Contains(why, "Order pipeline") {
		t.Errorf("reasons: %s", why)
	}
}

func TestUnusualIsMoreThanChance(t *testing.T) {
	for _, c := range []struct {
		n     int
		usual float64
		want  bool
	}{{3, 0, true}, {0, 0, false}, {3, 0.2, true}, {3, 2, false}, {8, 2, true}, {30, 25, false}, {45, 25, true}} {
		if got := cluster.Unusual(c.n, c.usual); got != c.want {
			t.Errorf("%d where %.1f are usual: %v", c.n, c.usual, got)
		}
	}
}

func FuzzRead(f *testing.F) {
	v := cluster.NewVocabulary(shop)
	for _, l := range slices.Concat(checkoutDown, loginDown) {
		f.Add(l.subject, l.body)
	}
	f.Add("\xff\xfe'''n't", strings.Repeat("é502 ", 2000))
	f.Fuzz(func(t *testing.T, subject, body string) {
		var list []cluster.Reading
		for n := range 4 {
			list = append(list, v.Read(cluster.Text{ID: fmt.Sprint(n), Sender: fmt.Sprint(n), Subject: subject, Body: body, At: noon}))
		}
		res := v.Find(list)
		n := len(res.LeftOut)
		for _, o := range res.Outages {
			n += len(o.Members)
		}
		if n != len(list) {
			t.Errorf("%d letters became %d", len(list), n)
		}
	})
}

func BenchmarkFindAmongAThousand(b *testing.B) {
	v := cluster.NewVocabulary(shop)
	scene := texts(slices.Concat(checkoutDown, loginDown, everyday))
	var list []cluster.Reading
	for n := range 1000 {
		t := scene[n%len(scene)]
		t.ID, t.Sender = fmt.Sprint(n), fmt.Sprintf("p%d@c.example", n)
		t.Body += fmt.Sprintf(" We are customer number%d of region%d with plan%d.", n, n%70, n%7)
		list = append(list, v.Read(t))
	}
	for b.Loop() {
		list[999] = v.Read(scene[0])
		v.Find(list)
	}
}

func BenchmarkRead(b *testing.B) {
	v := cluster.NewVocabulary(shop)
	scene := texts(slices.Concat(checkoutDown, loginDown, everyday))
	n := 0
	for b.Loop() {
		v.Read(scene[n%len(scene)])
		n++
	}
}

// TestServersErrorOutweighsSomebodysOwnMatter: a declined card is the bank's and
// the customer's affair, unless the server says 503 besides.
func TestServersErrorOutweighsSomebodysOwnMatter(t *testing.T) {
	v := cluster.NewVocabulary(nil)
	for body, want := range map[string]bool{
		"My card was declined at the checkout. Is my account all right?":                        false,
		"My card was declined at the checkout, and the second time it spun and gave error 503.": true,
	} {
		x := v.Read(cluster.Text{ID: "1", Sender: "ann@example.org", Subject: "Card declined", Body: body, At: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)})
		if x.Complains() != want {
			t.Errorf("%q complains: %v, want %v", body, x.Complains(), want)
		}
	}
}
