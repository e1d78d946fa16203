package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mailsIn writes mails into a folder and gives their names.
func mailsIn(t *testing.T, mails []string) []string {
	t.Helper()
	dir := t.TempDir()
	var names []string
	for n, text := range mails {
		name := filepath.Join(dir, fmt.Sprintf("%02d.eml", n))
		if err := os.WriteFile(name, []byte(strings.ReplaceAll(text, "\n", "\r\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

// mailAt is a mail of one person at a minute.
func mailAt(n int, subject, body string, header ...string) string {
	return fmt.Sprintf("From: Person %d <p%d@firm%d.example>\nTo: support@example.org\nSubject: %s\nDate: Mon, 14 Sep 2026 12:%02d:00 +0000\nMessage-ID: <%d@firm.example>\n"+
		"Content-Type: text/plain; charset=utf-8\n%s\n%s\n", n, n, n, subject, n, n, strings.Join(append(header, ""), "\n"), body)
}

func TestMailClusterFindsTheOutageAndSaysWhyOthersAreNotInIt(t *testing.T) {
	names := mailsIn(t, []string{
		mailAt(0, "Till broken", "The till gives error 502 when we pay."),
		mailAt(1, "Kasse", "Die Kasse funktioniert nicht, Fehler 502."),
		mailAt(2, "Caisse", "Bonjour, le paiement ne marche plus."),
		mailAt(3, "Wish", "It would be great if the till took cheques."),
		mailAt(4, "Till broken", "I am away until Monday.", "Auto-Submitted: auto-replied"),
		mailAt(5, "Invoice", "Please send the invoice of May again."),
	})
	file := filepath.Join(t.TempDir(), "evenkeel.yaml")
	if err := os.WriteFile(file, []byte("page: {name: Example, url: \"https://status.example.org\"}\ncomponents: [{id: shop-checkout, name: Checkout, aliases: [till]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := evenkeel(t, append([]string{"mail", "cluster", "--json", "--config", file}, names...)...)
	var got clustered
	if err := json.Unmarshal([]byte(stdout), &got); code != 0 || err != nil {
		t.Fatalf("exit %d, %v: %s%s", code, err, stdout, stderr)
	}
	if len(got.Outages) != 1 || got.Outages[0].Component != "shop-checkout" || len(got.Outages[0].Members) != 3 || got.Outages[0].Senders != 3 || got.Outages[0].Since == nil {
		t.Fatalf("got %+v", got)
	}
	for n, m := range got.Outages[0].Members {
		if m.File != names[n] || len(m.Reasons) == 0 || m.Score <= 0 {
			t.Errorf("member %+v", m)
		}
	}
	if len(got.LeftOut) != 3 {
		t.Errorf("left out: %+v", got.LeftOut)
	}
	for _, l := range got.LeftOut {
		if l.Reason == "" {
			t.Errorf("%s is left out without a reason", l.File)
		}
	}
}

func TestMailClusterGoesOnWithoutAFileThatCannotBeRead(t *testing.T) {
	code, stdout, _ := evenkeel(t, "mail", "cluster", "--json", filepath.Join(t.TempDir(), "nothing.eml"))
	var got clustered
	if err := json.Unmarshal([]byte(stdout), &got); code != 1 || err != nil || got.Outages == nil || len(got.LeftOut) != 1 {
		t.Errorf("exit %d, %v: %s", code, err, stdout)
	}
}
