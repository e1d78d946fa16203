package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Journal is what the API reads of the journal.
type Journal interface {
	journal.Reader
	journal.Browser
	journal.Index
}

// Limits of the live stream of entries.
const (
	MaxEventStreams = 64
	eventBatch      = 200
	eventPing       = 15 * time.Second
	eventWrite      = 10 * time.Second
)

// EventsPath is where entries are streamed.
const EventsPath = "/api/v1/events"

// journalRoutes are the journal and its live stream.
func (s *service) journalRoutes(h huma.API, mux *http.ServeMux) {
	register(h, s, op{http.MethodGet, "/api/v1/journal", "listEntries", "Every change of state, with its place in the chain", access.JournalRead}, entries)
	streams := &atomic.Int64{}
	s.ops = append(s.ops, op{http.MethodGet, EventsPath, "streamEntries", "", access.JournalRead})
	h.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "streamEntries", Method: http.MethodGet, Path: EventsPath,
		Summary:     "Entries as they are sealed, as server-sent events",
		Description: "The id of an event is its place in the journal, its name the verb, its data an entry. Begins after Last-Event-ID, or after the query parameter of that name, or at the head.",
		Parameters: []*huma.Param{
			{Name: "after", In: "query", Schema: &huma.Schema{Type: "integer"}}, {Name: "Last-Event-ID", In: "header", Schema: &huma.Schema{Type: "integer"}},
		},
		Responses: map[string]*huma.Response{"200": {Description: "The stream", Content: map[string]*huma.MediaType{"text/event-stream": {}}}},
	})
	mux.HandleFunc("GET "+EventsPath, func(w http.ResponseWriter, r *http.Request) {
		if streams.Add(1) > MaxEventStreams {
			streams.Add(-1)
			s.write(w, problem.TooMany("%d streams are open already.", MaxEventStreams))
			return
		}
		defer streams.Add(-1)
		if err := s.stream(w, r); err != nil {
			s.write(w, err)
		}
	})
}

type entryQuery struct {
	Subject string    `query:"subject" maxLength:"200" doc:"kind, or kind/id"`
	Verb    string    `query:"verb" maxLength:"96" doc:"A verb, or a noun with a dot for all of its verbs: incident."`
	Actor   string    `query:"actor" maxLength:"96"`
	From    time.Time `query:"from"`
	To      time.Time `query:"to"`
	After   int64     `query:"after" minimum:"0" doc:"Oldest first, beyond this place"`
	Before  int64     `query:"before" minimum:"0" doc:"Newest first, below this place"`
	Words   string    `query:"q" maxLength:"200" doc:"Newest first, those that hold all these words; goes with before alone"`
	Limit   int       `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func entries(ctx context.Context, c *call, in *entryQuery) (*api.Entries, error) {
	head, _, err := c.Journal.Head(ctx)
	if err != nil {
		return nil, err
	}
	var found []journal.Sealed
	if in.Words != "" {
		if in.Before == 0 {
			in.Before = head + 1
		}
		found, err = c.Journal.Find(ctx, journal.WordsOf(in.Words), in.Before, in.Limit)
	} else {
		kind, id, _ := strings.Cut(in.Subject, "/")
		found, err = c.Journal.Look(ctx, journal.Look{
			Subject: journal.Ref{Kind: kind, ID: id}, Verb: in.Verb, Actor: in.Actor, From: in.From.UTC(), To: in.To.UTC(),
			After: in.After, Before: in.Before, Oldest: in.After > 0, Limit: in.Limit,
		})
	}
	if err != nil {
		return nil, err
	}
	out := &api.Entries{Entries: make([]api.Entry, 0, len(found)), Head: head}
	for _, e := range found {
		out.Entries = append(out.Entries, entryOf(e))
	}
	return out, nil
}

func entryOf(e journal.Sealed) api.Entry {
	payload := e.Payload
	if payload == nil {
		payload = map[string]string{}
	}
	return api.Entry{
		Seq: e.Seq, Hash: e.Hash, ID: e.ID, Actor: e.Actor.ID, Role: string(e.Actor.Role), Verb: e.Verb, Subject: e.Subject.String(),
		RecordedAt: e.RecordedAt, EffectiveAt: e.EffectiveAt, Audience: string(e.Audience), Payload: payload,
	}
}

// stream sends entries as they are sealed until the client goes. It gives an
// error only before anything was sent.
func (s *service) stream(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := s.Actor(ctx).Check(access.JournalRead); err != nil {
		return err
	}
	src := s.Sources()
	if src == nil || src.Journal == nil {
		return errAway()
	}
	seq, err := startOf(ctx, r, src.Journal)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	out := http.NewResponseController(w)
	_ = out.SetReadDeadline(time.Time{}) // nothing more is read; a deadline would end the stream
	ping := time.NewTicker(eventPing)
	defer ping.Stop()
	text := []byte(fmt.Sprintf("retry: 2000\nid: %d\n\n", seq))
	for {
		if len(text) > 0 {
			_ = out.SetWriteDeadline(time.Now().Add(eventWrite))
			if _, err := w.Write(text); err != nil || out.Flush() != nil {
				return nil // whoever hung up does not want it
			}
			text = text[:0]
		}
		rung := s.Bell().Wait()
		entries, err := src.Journal.After(ctx, seq, eventBatch)
		if err != nil {
			return nil // the client comes back with the id it has
		}
		for _, e := range entries {
			data, _ := json.Marshal(entryOf(e)) // strings and numbers always marshal
			text = fmt.Appendf(text, "id: %d\nevent: %s\ndata: %s\n\n", e.Seq, e.Verb, data)
			seq = e.Seq
		}
		if len(entries) > 0 {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.Closing():
			return nil
		case <-rung:
		case <-ping.C:
			text = append(text, ": here\n\n"...)
		}
	}
}

// startOf gives the place after which a stream begins. Errors: Invalid, Unavailable.
func startOf(ctx context.Context, r *http.Request, j Journal) (int64, error) {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("after")
	}
	if text == "" {
		seq, _, err := j.Head(ctx)
		return seq, err
	}
	seq, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seq < 0 {
		return 0, problem.Invalid("after", "%q is no place in the journal.", text)
	}
	return seq, nil
}
