package web

import (
	"context"
	"net/http"
	"net/mail"
	"net/netip"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
	"evenkeel/web/public"
)

// Reports takes what visitors say is wrong; *ticket.Desk is one.
// Errors: Invalid, Unavailable.
type Reports interface {
	Submit(ctx context.Context, in ticket.Incoming) (ticket.Ticket, error)
}

// Limits of what visitors can report, so that a form fills no desk.
const (
	maxReport        = 10_000 // characters of words
	maxReportSubject = 200
	maxReportName    = 120
	maxReportAddress = 254 // RFC 5321 section 4.5.3.1.3
	reportsEach      = 5   // from one network address within reportsWithin
	reportsAll       = 600 // from all of them together
	reportsWithin    = time.Hour
	maxReporters     = 10_000 // network addresses that are remembered
)

// reportRoutes are the addresses of the form by which a visitor reports a problem.
func (s *Server) reportRoutes(e *echo.Echo) {
	read := []string{http.MethodGet, http.MethodHead}
	e.Match(read, public.ReportPath, s.page)
	e.Match(read, public.ReportedPath, s.page)
	e.Match(read, public.ReportPath+"/about/:id", s.page)
	e.POST(public.ReportPath, s.report, s.sameSite)
}

// report takes a report. The answer is the same for every address, known or
// not, and for machines that fill in what people do not see.
func (s *Server) report(c echo.Context) error {
	l := s.live.Load()
	if l == nil || l.Inside.Reports == nil {
		return problem.Unavailable(nil, "Reports cannot be taken yet.")
	}
	values, err := form(c)
	if err != nil {
		return err
	}
	r := public.ReadReport(values)
	if r.Trap != "" {
		return c.Redirect(http.StatusSeeOther, public.ReportedPath)
	}
	err = s.take(c, l.Inside.Reports, r)
	if problem.KindOf(err) == problem.KindInvalid {
		r.Problem = wrong(err)
		page, err := s.photographer.Reporting(r)
		return s.answer(c, http.StatusBadRequest, page, err)
	}
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, public.ReportedPath)
}

// take hands a report to the desk. Errors: Invalid, TooMany, Unavailable.
func (s *Server) take(c echo.Context, desk Reports, r public.Report) error {
	key, err := s.photographer.About(r)
	if err != nil {
		return err
	}
	address, err := mail.ParseAddress(r.Address)
	switch {
	case err != nil || len(r.Address) > maxReportAddress || address.Name != "":
		return problem.Invalid("address", "This is no e-mail address that we could answer to.")
	case r.Subject == "" || utf8.RuneCountInString(r.Subject) > maxReportSubject:
		return problem.Invalid("subject", "Say in a few words what is wrong.")
	case r.Text == "" || utf8.RuneCountInString(r.Text) > maxReport:
		return problem.Invalid("text", "Say what happens, in at most %d characters.", maxReport)
	case utf8.RuneCountInString(r.Name) > maxReportName:
		return problem.Invalid("name", "A name has at most %d characters.", maxReportName)
	}
	now := s.deps.Now().UTC().Truncate(time.Microsecond)
	if !s.reporters.admit(c.RealIP(), now) {
		return problem.TooMany("You have reported several problems already. We read them; please wait a while before the next.")
	}
	in := ticket.Incoming{
		Way: ticket.ByForm, From: ticket.Address{Name: r.Name, Address: address.Address}, Subject: r.Subject, Text: r.Text, Reply: r.Text,
		Kind: "person", At: now,
	}
	if key != "" {
		in.Components = []string{key}
	}
	_, err = desk.Submit(c.Request().Context(), in)
	return err
}

// reporters counts who reported lately. Addresses are counted, not kept: they
// are gone with the hour.
type reporters struct {
	mu    sync.Mutex
	since time.Time
	all   int
	each  map[string]int
}

// admit counts one more from an address and says whether it may.
func (r *reporters) admit(from string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.each == nil || now.Sub(r.since) >= reportsWithin {
		r.since, r.all, r.each = now, 0, map[string]int{}
	}
	if ip, err := netip.ParseAddr(from); err == nil && ip.Is6() { // one subscriber has at least a /64
		if net, err := ip.Prefix(64); err == nil {
			from = net.String()
		}
	}
	if r.all >= reportsAll || r.each[from] >= reportsEach || len(r.each) >= maxReporters {
		return false
	}
	r.all++
	r.each[from]++
	return true
}
