package statustest

import (
	"context"
	"slices"
	"sync"
	"time"

	"evenkeel/internal/status"
)

// Latency is status.Latency in memory: it keeps every result it was given.
type Latency struct {
	mu      sync.Mutex
	results []status.Result
}

// Record keeps the results.
func (l *Latency) Record(batch []status.Result) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.results = append(l.results, batch...)
}

// Samples gives what was recorded, by time.
func (l *Latency) Samples(_ context.Context, q status.SampleQuery) ([]status.Sample, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []status.Sample
	for _, r := range l.results {
		if r.Monitor == q.Monitor && r.Location == q.Location && !r.Due.Before(q.From) && r.Due.Before(q.To) {
			out = append(out, status.Sample{Due: r.Due, Latency: r.Latency, Value: r.Value, HasValue: r.HasValue, Outcome: r.Outcome})
		}
	}
	slices.SortStableFunc(out, func(a, b status.Sample) int { return a.Due.Compare(b.Due) })
	return out, nil
}

// Hours gives a histogram for each whole hour that has samples.
func (l *Latency) Hours(ctx context.Context, q status.SampleQuery) ([]status.Hour, error) {
	samples, err := l.Samples(ctx, q)
	var out []status.Hour
	for _, s := range samples {
		start := s.Due.Truncate(time.Hour)
		if len(out) == 0 || !out[len(out)-1].Start.Equal(start) {
			out = append(out, status.Hour{Start: start})
		}
		h := &out[len(out)-1]
		h.Outcomes[s.Outcome]++
		if s.Latency > 0 && (s.Outcome == status.OK || s.Outcome == status.Slow) {
			h.Histogram.Add(s.Latency)
		}
		if s.HasValue {
			h.Values.Add(s.Value)
		}
	}
	return out, err
}

var _ status.Latency = (*Latency)(nil)
