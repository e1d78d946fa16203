package console

import (
	"net/http"

	"evenkeel/internal/access"
	"evenkeel/web/door"
)

const outboxPath = "/console/outbox"

// outboxRoutes is the page of what was written and sent to nobody.
func (c *Console) outboxRoutes() []door.Route {
	if c.deps.Outbox == nil {
		return nil
	}
	return []door.Route{{Method: http.MethodGet, Path: outboxPath, Action: access.SubscriberRead, Handler: c.handle(c.outbox)}}
}

// outboxPage is the data of outbox.html.
type outboxPage struct {
	Rows  []letterRow
	Pager Pager
}

// letterRow is one message.
type letterRow struct {
	Letter
	What string
	At   Stamp
	Path string
}

// outbox shows what channels would have sent, newest first.
func (c *Console) outbox(w http.ResponseWriter, r *http.Request) error {
	k := c.clock(c.zoneOf(guestOf(r)))
	var d outboxPage
	list, pager := paged(r.URL, c.deps.Outbox())
	d.Pager = pager
	for _, l := range list {
		row := letterRow{Letter: l, What: eventWord(l.Event), At: k.Exact(l.At)}
		if c.deps.Told != nil {
			row.Path = deliveriesPath + "/" + l.ID
		}
		d.Rows = append(d.Rows, row)
	}
	c.Page(w, r, Page{
		Title: "Outbox", Section: "outbox", Template: "outbox", Data: d, Live: "delivery incident", Every: 5,
		Sub: []string{"What was written and never left: every channel of this hub writes here."}, Keys: []Key{{[]string{"j", "k"}, "move"}},
	})
	return nil
}
