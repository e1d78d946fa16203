package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
	"evenkeel/web/public"
)

// Subscribers is the service behind the pages and the API by which strangers ask
// to be told; *notice.Desk is one.
type Subscribers interface {
	Offered(m notice.Mode) bool
	Subscribe(ctx context.Context, r notice.Subscription) error
	Confirm(ctx context.Context, token string) (notice.Subscriber, error)
	Manage(ctx context.Context, token string) (notice.Subscriber, error)
	Change(ctx context.Context, token string, w notice.Wishes) (notice.Subscriber, error)
	Unsubscribing(ctx context.Context, token string) (notice.Subscriber, error)
	Unsubscribe(ctx context.Context, token string) error
}

// maxForm bounds the body of a form, in bytes: every component of a large page
// can be ticked.
const maxForm = 256 << 10

// subscribeRoutes are the addresses of subscriptions. Links in messages lead to
// them; following a link decides nothing, because mail programs do that too.
func (s *Server) subscribeRoutes(e *echo.Echo) {
	read := []string{http.MethodGet, http.MethodHead}
	e.Match(read, public.SubscribePath, s.page)
	e.Match(read, "/subscribe/sent/:mode", s.page)
	e.POST(public.SubscribePath, s.subscribe, s.sameSite)
	e.Match(read, notice.PathConfirm+":token", s.confirming, private)
	e.POST(notice.PathConfirm+":token", s.confirm, s.sameSite, private)
	e.Match(read, notice.PathManage+":token", s.managing, private)
	e.POST(notice.PathManage+":token", s.manage, s.sameSite, private)
	e.Match(read, notice.PathUnsubscribe+":token", s.unsubscribing, private)
	// A mail program posts here from its own site, and the token is all the right
	// that it takes (RFC 8058 section 3.2).
	e.POST(notice.PathUnsubscribe+":token", s.unsubscribe, private)
	e.POST("/api/v2/subscribers.json", s.addSubscriber, open)
	e.GET("/api/v2/subscribers/:id", s.readSubscriber, open)
	e.DELETE("/api/v2/subscribers/:id", s.endSubscriber, open)
	e.POST("/api/v2/subscriptions/:id/resend_confirmation", s.resendConfirmation, open)
	e.POST("/api/v2/subscribers/:id/resend_confirmation", s.resendConfirmation, open)
}

// sameSite refuses posts that another site made a browser send.
func (s *Server) sameSite(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := s.origins.Check(c.Request()); err != nil {
			return problem.Forbidden("Please use the form on this page itself.")
		}
		return next(c)
	}
}

// private keeps an answer that holds somebody's token to whoever asked.
func private(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Robots-Tag", "noindex")
		return next(c)
	}
}

// open lets any site read an answer of the public API; none of it goes by a cookie.
func open(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cache-Control", "no-store")
		return next(c)
	}
}

// subscribers gives the service. Errors: Unavailable while the record is not there.
func (s *Server) subscribers() (Subscribers, error) {
	l := s.live.Load()
	if l == nil || l.Subscribers == nil {
		return nil, problem.Unavailable(nil, "Subscriptions cannot be kept yet.")
	}
	return l.Subscribers, nil
}

// offers tells how visitors can be told now.
func (s *Server) offers() public.Offers {
	l := s.live.Load()
	if l == nil {
		return public.Offers{}
	}
	o := public.Offers{Report: l.Inside.Reports != nil}
	if l.Subscribers != nil {
		o.Mail, o.Webhook, o.Slack = l.Subscribers.Offered(notice.ByMail), l.Subscribers.Offered(notice.ByWebhook), l.Subscribers.Offered(notice.BySlack)
	}
	return o
}

// form reads a posted form. Errors: Invalid.
func form(c echo.Context) (url.Values, error) {
	r := c.Request()
	r.Body = http.MaxBytesReader(c.Response(), r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return nil, problem.Invalid("", "This form cannot be read, or is longer than %d kB.", maxForm>>10)
	}
	return r.PostForm, nil
}

// answer sends a page that is for one visitor alone.
func (s *Server) answer(c echo.Context, code int, a public.Answer, err error) error {
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h["Content-Security-Policy"] = []string{a.Policy}
	h["Cache-Control"] = []string{"no-store"}
	return c.HTMLBlob(code, a.Body)
}

// subscribe takes a request to be told. The answer is the same for every
// address, known or not.
func (s *Server) subscribe(c echo.Context) error {
	values, err := form(c)
	if err != nil {
		return err
	}
	f := public.ReadForm(values)
	err = s.ask(c, f, "form")
	if problem.KindOf(err) == problem.KindInvalid {
		f.Problem = wrong(err)
		page, err := s.photographer.Again(f)
		return s.answer(c, http.StatusBadRequest, page, err)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, public.SentPath(f.Mode))
}

// ask hands a request to be told to the service.
func (s *Server) ask(c echo.Context, f public.Form, source string) error {
	desk, err := s.subscribers()
	if err != nil {
		return err
	}
	wishes, err := s.photographer.Wishes(f)
	if err != nil {
		return err
	}
	return desk.Subscribe(c.Request().Context(), notice.Subscription{
		Mode: f.Mode, Address: f.Address, Incident: f.Incident, Wishes: wishes, From: c.RealIP(), Source: source,
	})
}

// wrong says what is wrong with a form, as a sentence.
func wrong(err error) string {
	msg := strings.TrimSuffix(problem.Public(err), ".")
	if msg == "" {
		return "Something in this form cannot be right."
	}
	return strings.ToUpper(msg[:1]) + msg[1:] + "."
}

func (s *Server) confirming(c echo.Context) error {
	page, err := s.photographer.Confirming(c.Request().URL.EscapedPath())
	return s.answer(c, http.StatusOK, page, err)
}

func (s *Server) confirm(c echo.Context) error {
	desk, err := s.subscribers()
	if err != nil {
		return err
	}
	sub, err := desk.Confirm(c.Request().Context(), c.Param("token"))
	if err != nil {
		return s.lost(c, err)
	}
	page, err := s.photographer.Confirmed(sub)
	return s.answer(c, http.StatusOK, page, err)
}

func (s *Server) managing(c echo.Context) error {
	desk, err := s.subscribers()
	if err != nil {
		return err
	}
	sub, err := desk.Manage(c.Request().Context(), c.Param("token"))
	if err != nil {
		return s.lost(c, err)
	}
	_, saved := c.QueryParams()["saved"]
	return s.managed(c, http.StatusOK, sub, s.photographer.FormOf(sub), saved)
}

// managed shows a subscription to whoever holds its link.
func (s *Server) managed(c echo.Context, code int, sub notice.Subscriber, f public.Form, saved bool) error {
	token := url.PathEscape(c.Param("token"))
	page, err := s.photographer.Managing(sub, f, notice.PathManage+token, notice.PathUnsubscribe+token, saved)
	return s.answer(c, code, page, err)
}

// manage replaces what a subscriber wants to hear of.
func (s *Server) manage(c echo.Context) error {
	desk, err := s.subscribers()
	if err != nil {
		return err
	}
	values, err := form(c)
	if err != nil {
		return err
	}
	f, token := public.ReadForm(values), c.Param("token")
	wishes, err := s.photographer.Wishes(f)
	if err == nil {
		_, err = desk.Change(c.Request().Context(), token, wishes)
	}
	if kind := problem.KindOf(err); kind == problem.KindInvalid || kind == problem.KindConflict {
		sub, lost := desk.Manage(c.Request().Context(), token)
		if lost != nil {
			return s.lost(c, lost)
		}
		f.Problem = wrong(err)
		return s.managed(c, codes[kind], sub, f, false)
	}
	if err != nil {
		return s.lost(c, err)
	}
	return c.Redirect(http.StatusSeeOther, notice.PathManage+url.PathEscape(token)+"?saved")
}

func (s *Server) unsubscribing(c echo.Context) error {
	desk, err := s.subscribers()
	if err != nil {
		return err
	}
	sub, err := desk.Unsubscribing(c.Request().Context(), c.Param("token"))
	if err != nil {
		return s.lost(c, err)
	}
	page, err := s.photographer.Unsubscribing(sub, c.Request().URL.EscapedPath())
	return s.answer(c, http.StatusOK, page, err)
}

// unsubscribe ends a subscription: by the button of the page, or by a mail
// program's one click, which says so in the body and reads nothing of the answer.
func (s *Server) unsubscribe(c echo.Context) error {
	desk, err := s.subscribers()
	if err != nil {
		return err
	}
	if err := desk.Unsubscribe(c.Request().Context(), c.Param("token")); err != nil {
		return s.lost(c, err)
	}
	page, err := s.photographer.Unsubscribed()
	return s.answer(c, http.StatusOK, page, err)
}

// lost answers a link that leads nowhere any more with what to do about it.
func (s *Server) lost(c echo.Context, err error) error {
	if problem.KindOf(err) != problem.KindNotFound {
		return err
	}
	page, err := s.photographer.Lost()
	return s.answer(c, http.StatusNotFound, page, err)
}
