package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

// SubscriberFile is where subscribers are taken out and brought in as CSV.
const SubscriberFile = "/api/v1/subscribers/csv"

// sourceAPI is how a subscriber that came through the API is marked.
const sourceAPI = "api"

// subscriberRoutes are the people outside who asked to be told.
func (s *service) subscriberRoutes(h huma.API, mux *http.ServeMux) {
	const one = "/api/v1/subscribers/{id}"
	read, edit := access.SubscriberRead, access.SubscriberEdit
	register(h, s, op{http.MethodGet, "/api/v1/subscribers", "listSubscribers", "Subscribers, addresses included", read}, listSubscribers)
	register(h, s, op{http.MethodPost, "/api/v1/subscribers", "addSubscriber", "Subscribe an address", edit}, addSubscriber)
	register(h, s, op{http.MethodGet, one, "getSubscriber", "One subscriber", read}, getSubscriber)
	register(h, s, op{http.MethodPut, one + "/wishes", "changeSubscriber", "Replace what a subscriber wants to hear of", edit}, changeSubscriber)
	register(h, s, op{http.MethodDelete, one, "removeSubscriber", "End a subscription, and wipe the address if you say so", edit}, removeSubscriber)

	text := map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}}
	s.ops = append(s.ops, op{http.MethodGet, SubscriberFile, "exportSubscribers", "", read}, op{http.MethodPost, SubscriberFile, "importSubscribers", "", edit})
	h.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "exportSubscribers", Method: http.MethodGet, Path: SubscriberFile, Summary: "Every subscriber as CSV, with a header",
		Responses: map[string]*huma.Response{"200": {Description: "The file", Content: text}},
	})
	h.OpenAPI().AddOperation(&huma.Operation{
		OperationID: "importSubscribers", Method: http.MethodPost, Path: SubscriberFile, Summary: "Add the subscribers of such a file; only its column address is needed",
		RequestBody: &huma.RequestBody{Required: true, Content: text},
		Responses: map[string]*huma.Response{"200": {Description: "What was done", Content: map[string]*huma.MediaType{
			"application/json": {Schema: h.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[api.ImportedSubscribers](), true, "")},
		}}},
	})
	mux.HandleFunc("GET "+SubscriberFile, s.raw(read, s.exportSubscribers))
	mux.HandleFunc("POST "+SubscriberFile, s.raw(edit, s.importSubscribers))
}

// raw serves an operation that the library does not: fn gives an error only
// before it has answered.
func (s *service) raw(act access.Action, fn func(w http.ResponseWriter, r *http.Request, src *Sources, by access.Actor) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		by := s.Actor(r.Context())
		src := s.Sources()
		err := by.Check(act)
		if err == nil && (src == nil || src.lacks(r.URL.Path)) {
			err = errAway()
		}
		if err == nil {
			err = fn(w, r, src, by)
		}
		if err != nil {
			s.write(w, err)
		}
	}
}

// begunWriter knows whether anything was sent.
type begunWriter struct {
	http.ResponseWriter
	begun bool
}

// Write sends a part of the file.
func (w *begunWriter) Write(p []byte) (int, error) {
	if !w.begun {
		w.begun = true
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.Header().Set("Content-Disposition", `attachment; filename="subscribers.csv"`)
		w.Header().Set("Cache-Control", "no-store")
	}
	return w.ResponseWriter.Write(p)
}

func (s *service) exportSubscribers(w http.ResponseWriter, r *http.Request, src *Sources, by access.Actor) error {
	out := &begunWriter{ResponseWriter: w}
	err := src.Notices.Export(r.Context(), by, out)
	if err != nil && out.begun {
		panic(http.ErrAbortHandler) // half a file must not look like a whole one
	}
	return err
}

func (s *service) importSubscribers(w http.ResponseWriter, r *http.Request, src *Sources, by access.Actor) error {
	done, err := src.Notices.Import(r.Context(), by, http.MaxBytesReader(w, r.Body, MaxUpload))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(api.ImportedSubscribers{Added: done.Added, Known: done.Known, Ended: done.Ended})
}

func (n naming) subscriberOf(s *notice.Subscriber) api.Subscriber {
	return api.Subscriber{
		ID: s.ID, Mode: string(s.Mode), Address: s.Address, State: s.State, Components: n.all(s.Components), Groups: list(s.Groups),
		MinImpact: s.MinImpact, Maintenance: s.Maintenance, Incident: s.Incident, Source: s.Source, CreatedAt: s.CreatedAt,
		ConfirmedAt: maybe(s.ConfirmedAt), EndedAt: maybe(s.EndedAt), EndReason: s.EndReason,
	}
}

// wishesOf reads what somebody wants to hear of. Errors: Invalid.
func (c *call) wishesOf(w api.Wishes) (notice.Wishes, error) {
	keys := c.keys()
	var errs problem.Errors
	out := notice.Wishes{Groups: w.Groups, MinImpact: w.MinImpact, Maintenance: w.Maintenance == nil || *w.Maintenance}
	for n, id := range w.Components {
		key, ok := keys[id]
		if !ok {
			errs = append(errs, problem.Invalid("components["+strconv.Itoa(n)+"]", "There is no component %q.", id))
		}
		out.Components = append(out.Components, key)
	}
	return out, errs.Err()
}

type subscriberQuery struct {
	Mode   string `query:"mode" enum:"email,webhook,slack"`
	State  string `query:"state" enum:"pending,active,ended"`
	Search string `query:"q" maxLength:"200" doc:"Part of the address"`
	After  string `query:"after" maxLength:"64" doc:"The next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

func listSubscribers(ctx context.Context, c *call, in *subscriberQuery) (*api.Subscribers, error) {
	found, err := c.Notices.Subscribers(ctx, c.by, notice.SubscriberQuery{
		Mode: notice.Mode(in.Mode), State: in.State, Search: in.Search, After: in.After, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	ids, out := c.ids(), &api.Subscribers{Subscribers: make([]api.Subscriber, 0, len(found))}
	for n := range found {
		out.Subscribers = append(out.Subscribers, ids.subscriberOf(&found[n]))
	}
	if len(found) == in.Limit {
		out.Next = found[len(found)-1].ID
	}
	return out, nil
}

func (c *call) subscribed(s notice.Subscriber, err error) (*api.Subscriber, error) {
	if err != nil {
		return nil, err
	}
	out := c.ids().subscriberOf(&s)
	return &out, nil
}

func getSubscriber(ctx context.Context, c *call, in *RowID) (*api.Subscriber, error) {
	return c.subscribed(c.Notices.Subscriber(ctx, c.by, in.ID))
}

type newSubscriber struct {
	Body api.NewSubscriber
}

func addSubscriber(ctx context.Context, c *call, in *newSubscriber) (*api.Subscriber, error) {
	b := &in.Body
	wishes, err := c.wishesOf(b.Wishes)
	if err != nil {
		return nil, err
	}
	return c.subscribed(c.Notices.Add(ctx, c.by, notice.Subscription{
		Mode: notice.Mode(b.Mode), Address: b.Address, Incident: b.Incident, Wishes: wishes, Source: sourceAPI,
	}, b.Confirmed))
}

type changedSubscriber struct {
	RowID
	Body api.Wishes
}

func changeSubscriber(ctx context.Context, c *call, in *changedSubscriber) (*api.Subscriber, error) {
	wishes, err := c.wishesOf(in.Body)
	if err != nil {
		return nil, err
	}
	return c.subscribed(c.Notices.ChangeFor(ctx, c.by, in.ID, wishes))
}

type removedSubscriber struct {
	RowID
	Erase bool `query:"erase" doc:"Wipe the address too, for good"`
}

func removeSubscriber(ctx context.Context, c *call, in *removedSubscriber) (*nothing, error) {
	if in.Erase {
		return nil, c.Notices.Erase(ctx, c.by, in.ID)
	}
	return nil, c.Notices.Remove(ctx, c.by, in.ID)
}
