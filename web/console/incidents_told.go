package console

import (
	"context"
	"net/url"

	"evenkeel/internal/access"
	"evenkeel/internal/notice"
)

// toldAll is who was told of an incident: in all by channel, and of each update.
type toldAll struct {
	Path     string // of its deliveries
	Channels []toldRow
	byLine   map[string]*toldRow
}

// toldRow is how many deliveries of one channel, or of one update, stand where.
type toldRow struct {
	Channel                   string
	Sent, Trying, Failed, Not int64
	Path                      string // of these deliveries
}

// add counts some more.
func (t *toldRow) add(state notice.State, n int64) {
	switch state {
	case notice.Sent:
		t.Sent += n
	case notice.Failed:
		t.Failed += n
	case notice.Suppressed:
		t.Not += n
	default:
		t.Trying += n
	}
}

// Parts are the counts that are not zero, each with the deliveries it counts.
func (t *toldRow) Parts() []toldPart {
	var out []toldPart
	for _, p := range []struct {
		n     int64
		class string
		word  string
		state string
	}{
		{t.Sent, "", "told", "sent"}, {t.Trying, "degraded", "waiting", "waiting"}, {t.Failed, "major", "not delivered", "failed"}, {t.Not, "", "not told", "suppressed"},
	} {
		if p.n > 0 {
			out = append(out, toldPart{Words: grouped(float64(p.n)) + " " + p.word, Class: p.class, Path: t.Path + "&state=" + p.state})
		}
	}
	return out
}

// toldPart is one count in words.
type toldPart struct{ Words, Class, Path string }

// toldOf counts who was told of an incident; nobody where who asks may not know.
func (c *Console) toldOf(ctx context.Context, by access.Actor, incident string) (toldAll, error) {
	t := toldAll{Path: deliveriesPath + "?subject=" + url.QueryEscape("incident/"+incident), byLine: map[string]*toldRow{}}
	if c.deps.Told == nil || !by.May(access.DeliveryRead) {
		return toldAll{}, nil
	}
	counts, err := c.deps.Told.Counts(ctx, by, incidentRef(incident))
	if err != nil {
		return toldAll{}, err
	}
	channels := map[string]int{}
	for _, n := range counts {
		at, known := channels[n.Channel]
		if !known {
			at = len(t.Channels)
			channels[n.Channel] = at
			t.Channels = append(t.Channels, toldRow{Channel: n.Channel, Path: t.Path + "&channel=" + url.QueryEscape(n.Channel)})
		}
		t.Channels[at].add(n.State, n.N)
		if n.Line == "" {
			continue
		}
		if t.byLine[n.Line] == nil {
			t.byLine[n.Line] = &toldRow{Path: deliveriesPath + "?event=" + url.QueryEscape(n.Event)}
		}
		t.byLine[n.Line].add(n.State, n.N)
	}
	return t, nil
}

// tell puts beside each update who was told of it.
func (t *timeline) tell(by toldAll) {
	for n := range t.Lines {
		if row := by.byLine[t.Lines[n].ID]; row != nil && t.Lines[n].Public {
			t.Lines[n].Counts = row.Parts()
		}
	}
}
