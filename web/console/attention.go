package console

import (
	"net/http"

	"evenkeel/internal/access"
	"evenkeel/internal/notice"
	"evenkeel/web/door"
)

const attentionPath = "/console/attention"

// attentionRoutes is the list of loose ends.
func (c *Console) attentionRoutes() []door.Route {
	return []door.Route{{Method: http.MethodGet, Path: attentionPath, Action: access.IncidentRead, Handler: c.handle(c.attention)}}
}

// attentionPage is the data of attention.html.
type attentionPage struct {
	Loose  []looseRow
	Alerts []alertRow
	May    map[string]bool
	Back   string
	HasAll bool // the list of alerts is there
	Failed int  // notices that were not delivered
}

// looseRow is one loose end.
type looseRow struct {
	Words, About, Path, Draft string
	Since                     Stamp
}

// attention lists what needs somebody: loose ends, and alerts nobody is on.
func (c *Console) attention(w http.ResponseWriter, r *http.Request) error {
	ctx, g := r.Context(), guestOf(r)
	s, err := c.roll.state(ctx)
	if err != nil {
		return err
	}
	k := c.clock(c.zoneOf(g))
	loose, err := c.looseEnds(ctx, s, g, k.Now)
	if err != nil {
		return err
	}
	d := attentionPage{May: rightsOf(g, alertRights), Back: attentionPath}
	for _, l := range loose {
		d.Loose = append(d.Loose, looseRow{Words: l.Words, About: l.About, Path: l.Path, Draft: l.Draft, Since: k.At(l.Since)})
	}
	if c.deps.Told != nil && g.Actor.May(access.DeliveryRead) {
		d.HasAll = true
		alerts, err := c.deps.Told.Alerts(ctx, g.Actor, notice.AlertQuery{Open: true, Limit: alertRows})
		if err != nil {
			return err
		}
		for _, a := range alerts {
			d.Alerts = append(d.Alerts, c.alertRow(ctx, a, s, k))
		}
		t, err := c.deps.Told.Tally(ctx, g.Actor, notice.Query{States: []notice.State{notice.Failed}})
		if err != nil {
			return err
		}
		d.Failed = int(t.States[notice.Failed])
	}
	page := Page{
		Title: "Loose ends", Section: "attention", Template: "attention", Data: d, Live: "incident component maintenance alert attention delivery", Every: 30,
		Sub: []string{"What nobody has said, ended or explained yet."}, Keys: []Key{{[]string{"j", "k"}, "move"}, {[]string{"o"}, "open"}},
	}
	if d.HasAll {
		page.Actions = []Action{{Word: "All alerts", Icon: "bell", Path: alertsPath}}
	}
	c.Page(w, r, page)
	return nil
}
