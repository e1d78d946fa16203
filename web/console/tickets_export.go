package console

import (
	"net/http"

	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// exportTypes are how tickets can be taken out.
var exportTypes = map[ticket.Format]struct{ kind, file string }{
	ticket.CSV: {"text/csv; charset=utf-8", "tickets.csv"}, ticket.JSON: {"application/x-ndjson", "tickets.jsonl"},
}

// exportTickets hands out what a search finds, all of it, as a file.
func (c *Console) exportTickets(w http.ResponseWriter, r *http.Request) error {
	g := guestOf(r)
	format := ticket.Format(r.URL.Query().Get("format"))
	if format == "" {
		format = ticket.CSV
	}
	as, ok := exportTypes[format]
	if !ok {
		return problem.Invalid("format", "Tickets are taken out as csv or json.")
	}
	q, err := c.deps.Tickets.Parse(g.Actor, r.URL.Query().Get("q"))
	if err != nil {
		return err
	}
	q.Sort = ticket.Oldest
	out := &begun{ResponseWriter: w}
	h := w.Header()
	h.Set("Content-Type", as.kind)
	h.Set("Content-Disposition", `attachment; filename="`+as.file+`"`)
	err = c.deps.Tickets.Export(r.Context(), g.Actor, q, format, out)
	switch {
	case err == nil:
		return nil
	case out.begun:
		panic(http.ErrAbortHandler) // half a file must not look like a whole one
	}
	h.Del("Content-Disposition")
	return err
}

// begun knows whether anything was sent.
type begun struct {
	http.ResponseWriter
	begun bool
}

// Write sends a part of the file.
func (b *begun) Write(p []byte) (int, error) {
	b.begun = true
	return b.ResponseWriter.Write(p)
}
