package app

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"evenkeel/ingest"
	"evenkeel/internal/access"
	"evenkeel/internal/inbox"
)

const (
	// mailWithin bounds asking the record how mailboxes are.
	mailWithin = time.Second
	// mailLate is how long a mail may wait before /readyz says so.
	mailLate = 2 * time.Minute
)

// checkMail tells /readyz how mailboxes are. A mailbox that is not read, and mail
// that waits, are for people to know: the hub itself is ready.
func (a *App) checkMail(ctx context.Context, h *house) {
	ctx, cancel := context.WithTimeout(ctx, mailWithin)
	defer cancel()
	m := &h.wings.mail
	polls := map[string]time.Duration{}
	for _, box := range a.config.Load().Mailboxes {
		polls[box.Name] = box.Poll.D()
	}
	boxes, err := m.ledger.Mailboxes(ctx, access.Host)
	if err != nil {
		return // the database has a check of its own
	}
	now := time.Now()
	for _, box := range boxes {
		poll, configured := polls[box.Name]
		if !configured {
			a.health.Forget("mailbox " + box.Name)
			continue
		}
		ok, detail := mailboxWell(box, poll, now)
		a.health.Note("mailbox "+box.Name, ok, detail)
	}
	if len(polls) == 0 {
		return
	}
	if waiting, oldest, err := m.ledger.Backlog(ctx); err == nil {
		age := time.Duration(0)
		if waiting > 0 {
			age = now.Sub(oldest)
		}
		a.health.Note("mail", age < mailLate, fmt.Sprintf("%d mails wait, the oldest for %.0f s", waiting, age.Seconds()))
	}
}

// mailboxWell tells in words how a mailbox is.
func mailboxWell(box inbox.Mailbox, poll time.Duration, now time.Time) (ok bool, detail string) {
	if !box.Well() {
		return false, fmt.Sprintf("%s since %s: %s", box.State, box.Since.Format(time.RFC3339), box.Reason)
	}
	silent := now.Sub(box.OKAt)
	detail = fmt.Sprintf("%s, last looked at %.0f s ago", box.State, silent.Seconds())
	if box.State == inbox.Backfilling {
		detail += fmt.Sprintf(", older mail is fetched down to UID %d of %d", box.BackfillTo, box.Last)
	}
	return silent < 3*min(poll, ingest.IdleFor)+ingest.SilentFor, detail
}

// mailMetrics tells how received mail is doing. Without mailboxes it has nothing to
// say.
type mailMetrics struct{ app *App }

var (
	mailboxUp   = desc("mailbox_up", "1 while the mailbox is being read.", "mailbox", "state")
	mailboxAge  = desc("mailbox_ok_age_seconds", "Time since the mailbox was last seen to be up to date.", "mailbox")
	mailboxGap  = desc("mailbox_gap", "Mails on the server that the ledger did not know at the last comparison.", "mailbox")
	mailWaiting = desc("mail_waiting", "Mails that wait to be read.")
	mailOldest  = desc("mail_oldest_waiting_seconds", "For how long the oldest of them has waited.")
	mailsTotal  = desc("mails_total", "Mails that this process dealt with, by what became of them.", "mailbox", "fate")
)

// Describe lists the metrics.
func (m mailMetrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{mailboxUp, mailboxAge, mailboxGap, mailWaiting, mailOldest, mailsTotal} {
		ch <- d
	}
}

// Collect reads them.
func (m mailMetrics) Collect(ch chan<- prometheus.Metric) {
	h := m.app.house.Load()
	if h == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), mailWithin)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	room := &h.wings.mail
	boxes, err := room.ledger.Mailboxes(ctx, access.Host)
	if err != nil || len(boxes) == 0 {
		return
	}
	now, dealt := time.Now(), room.worker.Counts()
	for _, box := range boxes {
		if box.State == inbox.Off {
			continue
		}
		up := 0.0
		if box.Well() {
			up = 1
		}
		gauge(mailboxUp, up, box.Name, string(box.State))
		ok := box.OKAt
		if ok.IsZero() {
			ok = box.Since // it never was
		}
		gauge(mailboxAge, now.Sub(ok).Seconds(), box.Name)
		for _, fate := range inbox.Fates {
			dealt[ingest.Count{Mailbox: box.Name, Fate: fate}] += 0
		}
		gauge(mailboxGap, float64(box.Gap), box.Name)
	}
	if waiting, oldest, err := room.ledger.Backlog(ctx); err == nil {
		gauge(mailWaiting, float64(waiting))
		age := 0.0
		if waiting > 0 {
			age = now.Sub(oldest).Seconds()
		}
		gauge(mailOldest, age)
	}
	for c, n := range dealt {
		ch <- prometheus.MustNewConstMetric(mailsTotal, prometheus.CounterValue, float64(n), c.Mailbox, string(c.Fate))
	}
}
