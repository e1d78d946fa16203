package statuspage

import (
	"net/url"
	"time"

	"evenkeel/internal/status"
)

// The shapes: every key is present, what is empty is null, lists are never
// null, times are RFC 3339 with milliseconds.

// layout is how times are written.
const layout = "2006-01-02T15:04:05.000Z"

// moment gives a time as it is written; nil for none.
func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := t.UTC().Format(layout)
	return &text
}

// optional gives a text; nil for an empty one.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

type shownPage struct {
	ID          string  `json:"id"`
	CreatedAt   *string `json:"created_at"`
	UpdatedAt   *string `json:"updated_at"`
	Name        string  `json:"name"`
	Description *string `json:"page_description"`
	Headline    *string `json:"headline"`
	Domain      *string `json:"domain"`
	Subdomain   *string `json:"subdomain"`
	URL         *string `json:"url"`
	SupportURL  *string `json:"support_url"`
	TimeZone    string  `json:"time_zone"`
}

type shownComponent struct {
	ID            string  `json:"id"`
	PageID        string  `json:"page_id"`
	GroupID       *string `json:"group_id"`
	CreatedAt     *string `json:"created_at"`
	UpdatedAt     *string `json:"updated_at"`
	Group         bool    `json:"group"`
	Name          string  `json:"name"`
	Description   *string `json:"description"`
	Position      int     `json:"position"`
	Status        string  `json:"status"`
	Showcase      bool    `json:"showcase"`
	OnlyIfTrouble bool    `json:"only_show_if_degraded"`
	Email         *string `json:"automation_email"`
	StartDate     *string `json:"start_date"`
}

type shownGroup struct {
	ID          string   `json:"id"`
	PageID      string   `json:"page_id"`
	Name        string   `json:"name"`
	Description *string  `json:"description"`
	Components  []string `json:"components"`
	Position    int      `json:"position"`
	CreatedAt   *string  `json:"created_at"`
	UpdatedAt   *string  `json:"updated_at"`
}

type shownIncident struct {
	ID             string           `json:"id"`
	PageID         string           `json:"page_id"`
	Name           string           `json:"name"`
	Status         string           `json:"status"`
	Impact         string           `json:"impact"`
	Override       *string          `json:"impact_override"`
	CreatedAt      *string          `json:"created_at"`
	UpdatedAt      *string          `json:"updated_at"`
	StartedAt      *string          `json:"started_at"`
	MonitoringAt   *string          `json:"monitoring_at"`
	ResolvedAt     *string          `json:"resolved_at"`
	Shortlink      string           `json:"shortlink"`
	Updates        []shownUpdate    `json:"incident_updates"`
	Components     []shownComponent `json:"components"`
	Backfilled     bool             `json:"backfilled"`
	Metadata       map[string]any   `json:"metadata"`
	Reminders      *string          `json:"reminder_intervals"`
	ScheduledFor   *string          `json:"scheduled_for"`
	ScheduledUntil *string          `json:"scheduled_until"`
	RemindPrior    bool             `json:"scheduled_remind_prior"`
	RemindedAt     *string          `json:"scheduled_reminded_at"`
	AutoInProgress bool             `json:"scheduled_auto_in_progress"`
	AutoCompleted  bool             `json:"scheduled_auto_completed"`
	Postmortem     *string          `json:"postmortem_body"`
	PostmortemAt   *string          `json:"postmortem_published_at"`
	PostmortemSkip bool             `json:"postmortem_ignored"`

	sort time.Time // the newest begins a list
}

type shownUpdate struct {
	ID         string          `json:"id"`
	IncidentID string          `json:"incident_id"`
	Status     string          `json:"status"`
	Body       string          `json:"body"`
	CreatedAt  *string         `json:"created_at"`
	UpdatedAt  *string         `json:"updated_at"`
	DisplayAt  *string         `json:"display_at"`
	Affected   []shownAffected `json:"affected_components"`
	Deliver    bool            `json:"deliver_notifications"`
	Tweet      *string         `json:"custom_tweet"`
	TweetID    *string         `json:"tweet_id"`
}

type shownAffected struct {
	Code string `json:"code"`
	Name string `json:"name"`
	From string `json:"old_status"`
	To   string `json:"new_status"`
}

type shownSubscriber struct {
	ID            string   `json:"id"`
	Mode          string   `json:"mode"`
	Email         *string  `json:"email"`
	Endpoint      *string  `json:"endpoint"`
	CreatedAt     *string  `json:"created_at"`
	QuarantinedAt *string  `json:"quarantined_at"`
	PurgeAt       *string  `json:"purge_at"`
	SkipConfirm   bool     `json:"skip_confirmation_notification"`
	Components    []string `json:"components"`
}

// pageID is the id of the page: the host it is reached at, "page" without one.
// The public shapes (/api/v2) say the same.
func pageID(s status.Site) string {
	if u, err := url.Parse(s.URL); err == nil && u.Host != "" {
		return u.Hostname()
	}
	return "page"
}
