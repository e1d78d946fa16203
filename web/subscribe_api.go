package web

import (
	"encoding/base64"
	"encoding/json"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/web/public"
)

// Statuspage's API of subscribers, as its consumers know it. Whoever asks learns
// nothing about an address: the id that a request is answered with is the
// request itself, sealed. It lets its holder ask again, and no more; to read or
// to end a subscription takes a link that was sent to its address.

// Seals hides and opens what strangers are given to hold; *secret.Box is one.
type Seals interface {
	Seal(purpose string, plain []byte) ([]byte, error)
	Unseal(purpose string, sealed []byte) ([]byte, error)
}

// sealPurpose is what a sealed request is for.
const sealPurpose = "api/subscription request"

// maxSealed bounds an id that is presented, in bytes.
const maxSealed = 8 << 10

// wanted is what a consumer asks for.
type wanted struct {
	Email        string   `json:"email"`
	Endpoint     string   `json:"endpoint"`
	ComponentID  string   `json:"component_id,omitempty"`
	ComponentIDs []string `json:"component_ids,omitempty"`
	IncidentID   string   `json:"incident_id,omitempty"`
}

// form gives the same as a form. Components and groups are told apart by the page.
func (w wanted) form(groups map[string]bool) public.Form {
	f := public.Form{Mode: notice.ByMail, Address: w.Email, Incident: w.IncidentID, Maintenance: true}
	if w.Endpoint != "" {
		f.Mode, f.Address = notice.ByWebhook, w.Endpoint
	}
	ids := w.ComponentIDs
	if w.ComponentID != "" {
		ids = append(ids[:len(ids):len(ids)], w.ComponentID)
	}
	for _, id := range ids {
		if groups[id] {
			f.Groups = append(f.Groups, id)
		} else {
			f.Components = append(f.Components, id)
		}
	}
	return f
}

// v2Subscriber is a subscriber in Statuspage's shape.
type v2Subscriber struct {
	ID       string          `json:"id"`
	Mode     string          `json:"mode"`
	Email    *string         `json:"email"`
	Endpoint *string         `json:"endpoint"`
	CanPick  bool            `json:"can_select_components"`
	Page     json.RawMessage `json:"page"`
}

// v2Modes are Statuspage's words.
var v2Modes = map[notice.Mode]string{notice.ByMail: "email_sms", notice.ByWebhook: "webhook", notice.BySlack: "slack"}

// subscriber answers with a subscriber.
func (s *Server) subscriber(c echo.Context, code int, id string, mode notice.Mode, address string) error {
	page, err := s.photographer.V2Page()
	if err != nil {
		return err
	}
	out := v2Subscriber{ID: id, Mode: v2Modes[mode], CanPick: true, Page: page}
	if mode == notice.ByMail {
		out.Email = &address
	} else {
		out.Endpoint = &address
	}
	return c.JSON(code, map[string]v2Subscriber{"subscriber": out})
}

// addSubscriber takes a request to be told, as JSON or as a form.
func (s *Server) addSubscriber(c echo.Context) error {
	w, err := readWanted(c)
	if err != nil {
		return err
	}
	return s.askSealed(c, w)
}

// askSealed asks and gives the request back, sealed.
func (s *Server) askSealed(c echo.Context, w wanted) error {
	f := w.form(s.photographer.Groups())
	seals, err := s.seals()
	if err != nil {
		return err
	}
	if err := s.ask(c, f, "api"); err != nil {
		return err
	}
	plain, err := json.Marshal(w)
	if err != nil {
		return problem.Internal(err, "write down a request")
	}
	sealed, err := seals.Seal(sealPurpose, plain)
	if err != nil {
		return err
	}
	return s.subscriber(c, http.StatusCreated, base64.RawURLEncoding.EncodeToString(sealed), f.Mode, f.Address)
}

// seals gives the box. Errors: Unavailable while there is none.
func (s *Server) seals() (Seals, error) {
	l := s.live.Load()
	if l == nil || l.Seals == nil {
		return nil, problem.Unavailable(nil, "Subscriptions cannot be kept yet.")
	}
	return l.Seals, nil
}

// readWanted reads a request. Errors: Invalid.
func readWanted(c echo.Context) (wanted, error) {
	kind, _, _ := mime.ParseMediaType(c.Request().Header.Get("Content-Type"))
	if kind != "application/json" {
		values, err := form(c)
		if err != nil {
			return wanted{}, err
		}
		return wantedForm(values), nil
	}
	var body struct {
		Subscriber wanted `json:"subscriber"`
	}
	r := http.MaxBytesReader(c.Response(), c.Request().Body, maxForm)
	if err := json.NewDecoder(r).Decode(&body); err != nil {
		return wanted{}, problem.Invalid("subscriber", "This is not JSON of the form {\"subscriber\": {\"email\": …}}.")
	}
	return body.Subscriber, nil
}

// wantedForm reads subscriber[email]=… and its like.
func wantedForm(v url.Values) wanted {
	return wanted{
		Email: v.Get("subscriber[email]"), Endpoint: v.Get("subscriber[endpoint]"), ComponentID: v.Get("subscriber[component_id]"),
		ComponentIDs: v["subscriber[component_ids][]"], IncidentID: v.Get("subscriber[incident_id]"),
	}
}

// sealedRequest opens an id that askSealed gave; ok is false for anything else.
func (s *Server) sealedRequest(id string) (w wanted, ok bool) {
	seals, err := s.seals()
	if err != nil || len(id) > maxSealed {
		return w, false
	}
	sealed, err := base64.RawURLEncoding.DecodeString(id)
	if err != nil {
		return w, false
	}
	plain, err := seals.Unseal(sealPurpose, sealed)
	return w, err == nil && json.Unmarshal(plain, &w) == nil
}

// subscriberID is the id in an address.
func subscriberID(c echo.Context) string { return strings.TrimSuffix(c.Param("id"), ".json") }

// noSubscriber is the answer for an id that is none.
func noSubscriber() error { return problem.NotFound("There is no such subscriber.") }

// readSubscriber gives back a request, or a subscriber to whoever holds its link.
func (s *Server) readSubscriber(c echo.Context) error {
	id := subscriberID(c)
	if w, ok := s.sealedRequest(id); ok {
		f := w.form(nil)
		return s.subscriber(c, http.StatusOK, id, f.Mode, f.Address)
	}
	desk, err := s.subscribers()
	if err != nil {
		return err
	}
	sub, err := desk.Manage(c.Request().Context(), id)
	if err != nil {
		return s.noSuch(err)
	}
	return s.subscriber(c, http.StatusOK, id, sub.Mode, sub.Address)
}

// noSuch words a link that leads nowhere for machines.
func (s *Server) noSuch(err error) error {
	if problem.KindOf(err) == problem.KindNotFound {
		return noSubscriber()
	}
	return err
}

// endSubscriber ends the subscription of whoever holds one of its links.
func (s *Server) endSubscriber(c echo.Context) error {
	id := subscriberID(c)
	if _, ok := s.sealedRequest(id); ok {
		return problem.Forbidden("Anybody can ask for any address. To end a subscription, use the id in a link that was sent to it.")
	}
	desk, err := s.subscribers()
	if err != nil {
		return err
	}
	sub, err := desk.Unsubscribing(c.Request().Context(), id)
	if problem.KindOf(err) == problem.KindNotFound {
		sub, err = desk.Manage(c.Request().Context(), id)
	}
	if err == nil {
		err = desk.Unsubscribe(c.Request().Context(), id)
	}
	if err != nil {
		return s.noSuch(err)
	}
	return s.subscriber(c, http.StatusOK, id, sub.Mode, sub.Address)
}

// resendConfirmation asks once more, as if for the first time.
func (s *Server) resendConfirmation(c echo.Context) error {
	w, ok := s.sealedRequest(subscriberID(c))
	if !ok {
		return noSubscriber()
	}
	return s.askSealed(c, w)
}
