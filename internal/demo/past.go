package demo

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/app"
	"evenkeel/internal/journal"
	"evenkeel/internal/status"
)

// pastDays is how much past is generated.
const pastDays = 90

// trouble is one stretch of the generated past, counted back from now.
type trouble struct {
	component string
	daysAgo   int
	at        time.Duration // after midnight UTC
	lasted    time.Duration
	status    status.Status
	cause     status.Cause
	text      string
}

// troubles is the generated past: little, as it would be, and told in full.
var troubles = []trouble{
	{"website", 60, 3*time.Hour + 10*time.Minute, 14 * time.Minute, status.MajorOutage, status.CauseNoAnswer, "None of our checks had an answer: a network fault."},
	{"search", 60, 3*time.Hour + 10*time.Minute, 14 * time.Minute, status.MajorOutage, status.CauseNoAnswer, "None of our checks had an answer: a network fault."},
	{"checkout", 60, 3*time.Hour + 10*time.Minute, 14 * time.Minute, status.MajorOutage, status.CauseNoAnswer, "None of our checks had an answer: a network fault."},
	{"search", 15, 9*time.Hour + 12*time.Minute, 32 * time.Minute, status.PartialOutage, status.CauseBadAnswer, "Searches for some dates came back empty."},
	{"checkout", 26, 18 * time.Hour, 11 * time.Minute, status.PartialOutage, status.CauseBadAnswer, "Some payments were refused."},
	{"checkout", 36, 13*time.Hour + 40*time.Minute, 25 * time.Minute, status.Degraded, status.CauseSlowAnswer, "Answers were slower than usual."},
	{"database", 36, 13*time.Hour + 35*time.Minute, 31 * time.Minute, status.Degraded, status.CauseSlowAnswer, "Answers were slower than usual."},
	{"database", 20, 5 * time.Hour, 20 * time.Minute, status.UnderMaintenance, status.CauseNone, "Planned maintenance."},
	{"mail", 9, 7*time.Hour + 5*time.Minute, 38 * time.Minute, status.Degraded, status.CauseSlowAnswer, "Answers were slower than usual."},
	{"mail", 78, 22 * time.Hour, 55 * time.Minute, status.PartialOutage, status.CauseNoAnswer, "Every other connection was refused."},
	{"names", 47, 4*time.Hour + 2*time.Minute, 6 * time.Minute, status.MajorOutage, status.CauseBadAnswer, "Names led to an old server."},
	{"export", 43, 2 * time.Hour, 3*time.Hour + 30*time.Minute, status.PartialOutage, status.CauseMissing, "The export did not report."},
}

// WritePast fills an empty history with the generated past of every component
// and monitor in the catalog, ending at now. It writes through the stores the
// hub itself uses and leaves one journal entry per component.
func WritePast(ctx context.Context, bed app.Seedbed, now time.Time) error {
	now = now.UTC().Truncate(time.Microsecond)
	start := now.Truncate(24*time.Hour).AddDate(0, 0, -pastDays)
	open, err := bed.Store.OpenSpans(ctx)
	if err != nil {
		return fmt.Errorf("read open spans: %w", err)
	}
	for _, c := range bed.Catalog.Components {
		err := bed.Work.Do(ctx, access.Host, func(tx journal.Tx) error {
			for _, s := range open {
				if s.Component != c.Key {
					continue
				}
				if err := bed.Store.DropSpan(ctx, tx, s.ID, s.Version); err != nil {
					return err
				}
			}
			c.CreatedAt = start
			if err := bed.Store.PutComponent(ctx, tx, c); err != nil {
				return err
			}
			spans := pastSpans(c, start, now)
			for _, s := range spans {
				if err := bed.Store.AddSpan(ctx, tx, s); err != nil {
					return err
				}
			}
			return tx.Append(journal.Entry{
				Verb: "component.backfilled", Subject: journal.Ref{Kind: "component", ID: c.Key},
				EffectiveAt: start, Audience: journal.AudiencePublic,
				Payload: map[string]string{"spans": fmt.Sprint(len(spans)), "origin": "generated"},
			})
		})
		if err != nil {
			return fmt.Errorf("write the past of %s: %w", c.ID, err)
		}
	}
	if err := writeLatency(ctx, bed, start, now); err != nil {
		return err
	}
	return bed.Work.Do(ctx, access.Host, func(tx journal.Tx) error { return bed.Store.PutAlive(ctx, tx, now) })
}

// pastSpans tiles [start, ∞) for both tracks with the component's troubles.
func pastSpans(c status.Component, start, now time.Time) []status.Span {
	var spans []status.Span
	for _, track := range []status.Track{status.Observed, status.Published} {
		from := start
		add := func(to time.Time, s status.Status, origin status.Origin, cause status.Cause, text string) {
			spans = append(spans, status.Span{
				ID: fmt.Sprintf("past-%s-%s-%d", c.Key, track, len(spans)), Component: c.Key, Track: track,
				From: from, To: to, Status: s, Origin: origin, Cause: cause, Public: text, Staff: text,
			})
			from = to
		}
		for _, t := range timeline(c.ID, start, now) {
			if t.from.After(from) {
				add(t.from, status.Operational, status.ByMachine, status.CauseNone, "")
			}
			st, origin := t.status, status.ByMachine
			if st == status.UnderMaintenance {
				if origin = status.ByMaintenance; track == status.Observed {
					st, origin = status.Operational, status.ByMachine
				}
			}
			add(t.to, st, origin, t.cause, t.text)
		}
		add(time.Time{}, status.Operational, status.ByMachine, status.CauseNone, "")
	}
	return spans
}

type stretch struct {
	from, to time.Time
	trouble
}

// timeline gives a component's troubles within [start, now), oldest first.
func timeline(component string, start, now time.Time) []stretch {
	var out []stretch
	midnight := now.Truncate(24 * time.Hour)
	for ago := pastDays; ago >= 1; ago-- {
		for _, t := range troubles {
			from := midnight.AddDate(0, 0, -t.daysAgo).Add(t.at)
			if t.component == component && t.daysAgo == ago && !from.Before(start) {
				out = append(out, stretch{from: from, to: from.Add(t.lasted), trouble: t})
			}
		}
	}
	return out
}

// sampleStep is the distance of the generated samples of the last day; charts
// draw five-minute medians of them.
const sampleStep = 30 * time.Second

// chunk bounds how many generated results are handed over at once.
const chunk = 2000

func writeLatency(ctx context.Context, bed app.Seedbed, start, now time.Time) error {
	today := now.Truncate(24 * time.Hour)
	for i, m := range bed.Catalog.Monitors {
		if m.Sentinel || m.Kind == "heartbeat" {
			continue
		}
		dice := rand.New(rand.NewPCG(uint64(i)+1, 0x65766b)) // the same past for everybody
		base := typical[m.ID]
		if base == 0 {
			base = 60 * time.Millisecond
		}
		if m.Unit == "" {
			for day := start; day.Before(today); day = day.AddDate(0, 0, 1) {
				packed := packDay(dice, base, day, today)
				err := bed.Work.Do(ctx, access.Host, func(tx journal.Tx) error {
					return bed.Store.PutDay(ctx, tx, status.DayRow{Monitor: m.Key, Location: status.LocalLocation, Day: day, Packed: packed})
				})
				if err != nil {
					return fmt.Errorf("write a past day of %s: %w", m.ID, err)
				}
			}
		}
		batch := make([]status.Result, 0, chunk)
		for at := now.Add(-24 * time.Hour).Truncate(sampleStep); at.Before(now.Add(-time.Minute)); at = at.Add(sampleStep) {
			r := status.Result{Monitor: m.Key, Location: status.LocalLocation, Interval: m.Interval, Due: at, Started: at, Latency: latency(dice, base, at)}
			if m.Unit != "" {
				r.HasValue, r.Value, r.Latency = true, float64(12+dice.IntN(9)), 0
			}
			if batch = append(batch, r); len(batch) == chunk {
				bed.Latency.Record(batch)
				batch = batch[:0]
			}
		}
		bed.Latency.Record(batch)
	}
	return nil
}

// typical is what each monitor's target usually takes.
var typical = map[string]time.Duration{
	"website": 70 * time.Millisecond, "search-by-name": 120 * time.Millisecond, "search-by-date": 150 * time.Millisecond,
	"checkout": 45 * time.Millisecond, "database": time.Millisecond, "names": 2 * time.Millisecond, "mail": 2 * time.Millisecond,
}

// latency draws one believable latency: busier by day, with a tail.
func latency(dice *rand.Rand, base time.Duration, at time.Time) time.Duration {
	hour := float64(at.Hour()) + float64(at.Minute())/60
	busy := 1 + 0.25*math.Sin((hour-9)/24*2*math.Pi)
	return time.Duration(float64(base) * busy * math.Exp(dice.NormFloat64()*0.18))
}

// packDay draws the 24 histograms of one past day; a fortnight ago a change
// made everything a little faster.
func packDay(dice *rand.Rand, base time.Duration, day, today time.Time) []byte {
	const perHour = 60
	if today.Sub(day) > 14*24*time.Hour {
		base = base * 115 / 100
	}
	var hours [24]status.Histogram
	for h := range hours {
		for range perHour {
			hours[h].Add(latency(dice, base, day.Add(time.Duration(h)*time.Hour)))
		}
	}
	return status.PackDay(hours)
}
