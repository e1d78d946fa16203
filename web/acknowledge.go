package web

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"evenkeel/internal/notice"
)

// Alerts takes the word of somebody who followed the link of a message;
// *notice.Desk does. Errors: NotFound for a token that is none, Conflict when
// the alert is over, Unavailable.
type Alerts interface {
	Acknowledging(ctx context.Context, token string) (notice.Alert, error)
	AcknowledgeLink(ctx context.Context, token string) (notice.Alert, error)
}

// acknowledgeRoutes are where links to acknowledge an alert lead.
func (s *Server) acknowledgeRoutes(e *echo.Echo) {
	e.Match([]string{http.MethodGet, http.MethodHead}, notice.PathAcknowledge+":token", s.acknowledging, private)
	e.POST(notice.PathAcknowledge+":token", s.acknowledge, s.sameSite, private)
}

// alerts gives the service. Errors: Unavailable while the record is not there.
func (s *Server) alerts() (Alerts, error) {
	if l := s.live.Load(); l != nil && l.Inside.Alerts != nil {
		return l.Inside.Alerts, nil
	}
	return nil, errNotUp()
}

func (s *Server) acknowledging(c echo.Context) error {
	desk, err := s.alerts()
	if err != nil {
		return err
	}
	if _, err := desk.Acknowledging(c.Request().Context(), c.Param("token")); err != nil {
		return err
	}
	page, err := s.photographer.Acknowledging(c.Request().URL.EscapedPath())
	return s.answer(c, http.StatusOK, page, err)
}

func (s *Server) acknowledge(c echo.Context) error {
	desk, err := s.alerts()
	if err != nil {
		return err
	}
	if _, err := desk.AcknowledgeLink(c.Request().Context(), c.Param("token")); err != nil {
		return err
	}
	page, err := s.photographer.Acknowledged()
	return s.answer(c, http.StatusOK, page, err)
}
