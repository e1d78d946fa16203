package console

import (
	"net/http"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
	"evenkeel/web/door"
)

const channelsPath = "/console/settings/channels"

// channelRoutes are the addresses of how telling is doing and is tried.
func (c *Console) channelRoutes() []door.Route {
	if c.deps.Channels == nil {
		return nil
	}
	return []door.Route{
		{Method: http.MethodGet, Path: channelsPath, Action: access.DeliveryRead, Handler: c.handle(c.channels)},
		{Method: http.MethodPost, Path: channelsPath + "/{id}/test", Action: access.ChannelTest, Handler: c.handle(c.testChannel)},
		{Method: http.MethodPost, Path: channelsPath + "/drill", Action: access.ChannelTest, Handler: c.handle(c.drill)},
	}
}

// channelsPage is the data of channels.html.
type channelsPage struct {
	Rows      []channelRow
	Pulses    []pulseRow
	Rotations []Option
	Routes    []routeRow
	CanTest   bool
}

// channelRow is how one channel is doing.
type channelRow struct {
	ID, Kind, Path, Fallback string
	Mark                     Mark
	Why                      string
	Waiting                  string
	Oldest, Sent, Again      Stamp
}

// pulseRow is a heartbeat to somebody outside.
type pulseRow struct {
	ID    string
	Mark  Mark
	Sent  Stamp
	Since Stamp
	Why   string
}

// circuitMarks are how a channel is, by its circuit.
var circuitMarks = map[notice.Circuit]Mark{
	notice.Closed: {"ok", "Works"}, notice.Opened: {"major", "Fails"}, notice.HalfOpen: {"degraded", "Being tried"},
}

// channels shows how every channel and heartbeat is doing.
func (c *Console) channels(w http.ResponseWriter, r *http.Request) error {
	g := guestOf(r)
	k := c.clock(c.zoneOf(g))
	h, err := c.deps.Channels.Health(r.Context(), g.Actor)
	if err != nil {
		return err
	}
	d := channelsPage{CanTest: g.Actor.May(access.ChannelTest)}
	for _, ch := range h.Channels {
		row := channelRow{
			ID: ch.Spec.ID, Kind: ch.Spec.Kind, Path: deliveriesPath + "?channel=" + ch.Spec.ID, Fallback: ch.Spec.Fallback, Mark: circuitMarks[ch.State.Circuit],
			Waiting: grouped(float64(ch.Waiting)), Oldest: k.At(ch.Oldest), Sent: k.At(ch.State.SentAt),
		}
		if ch.State.Circuit != notice.Closed {
			row.Why, row.Again = ch.State.Reason, k.At(ch.State.RetryAt)
		}
		d.Rows = append(d.Rows, row)
	}
	for _, p := range h.Pulses {
		row := pulseRow{ID: p.ID, Mark: Mark{"ok", "Heard"}, Sent: k.At(p.SentAt), Why: p.Reason}
		if p.SentAt.IsZero() && p.FailingSince.IsZero() {
			row.Mark = Mark{"unknown", "Not sent yet"}
		} else if !p.FailingSince.IsZero() {
			row.Mark, row.Since = Mark{"major", "Not taken"}, k.At(p.FailingSince)
		}
		d.Pulses = append(d.Pulses, row)
	}
	if c.deps.Rota != nil {
		for _, x := range c.deps.Rota.Rotations() {
			d.Rotations = append(d.Rotations, Option{Value: x.ID, Word: x.Name})
		}
	}
	s, err := c.roll.state(r.Context())
	if err != nil {
		return err
	}
	if d.Routes, err = c.routeRows(r, s); err != nil {
		return err
	}
	c.Page(w, r, Page{
		Title: "Channels", Section: "settings", Template: "channels", Data: d, Live: "delivery channel", Every: 15, Crumbs: settingsCrumbs("Channels"),
		Sub: []string{"How people are told. Channels and routes stand in the configuration file."},
	})
	return nil
}

// testChannel sends one plain message through a channel.
func (c *Console) testChannel(w http.ResponseWriter, r *http.Request) error {
	row, err := c.deps.Channels.Test(r.Context(), guestOf(r).Actor, r.PathValue("id"))
	if err != nil {
		return err
	}
	path := channelsPath
	if c.deps.Told != nil {
		path = deliveriesPath + "/" + row.ID
	}
	c.See(w, r, path, &Said{Text: "A test is on its way"})
	return nil
}

// drillSaid is how long the page says that a drill began.
const drillSaid = 20 * time.Second

// drill raises an alert that is none.
func (c *Console) drill(w http.ResponseWriter, r *http.Request) error {
	if _, err := c.deps.Channels.Drill(r.Context(), guestOf(r).Actor, journal.Ref{Kind: r.PostFormValue("kind"), ID: r.PostFormValue("of")}); err != nil {
		return err
	}
	path := channelsPath
	if c.deps.Told != nil {
		path = alertsPath
	}
	c.See(w, r, path, &Said{Text: "The drill is on: it reminds and escalates until somebody is on it", Stays: int(drillSaid / time.Second)})
	return nil
}
