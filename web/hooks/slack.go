package hooks

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

const (
	// maxSlack bounds a request of Slack, in bytes: a button comes with the whole
	// message around it.
	maxSlack = 512 << 10
	// slackFresh is how old a request may be, and how far ahead: an older one may
	// be a repeat of somebody who listened.
	slackFresh = 5 * time.Minute
	// slackWithin bounds the work of a command: Slack waits for three seconds.
	slackWithin = 2500 * time.Millisecond
	// askersFor is how long it is remembered who a user of Slack is, and
	// maxAskers for how many.
	askersFor = 5 * time.Minute
	maxAskers = 2000
)

// SlackSettings is what the configuration says of Slack now.
type SlackSettings struct {
	Secret string            // signing secret; "" = nothing is believed
	Users  map[string]string // user id → e-mail address
	Page   string            // public address of the hub, for links; "" when not set
	// Email asks Slack for the address of a user; nil without a bot token. Errors:
	// NotFound, Unavailable.
	Email func(ctx context.Context, user string) (string, error)
}

// SlackDeps is what commands from Slack need.
type SlackDeps struct {
	Settings  func() SlackSettings
	People    Accounts
	Incidents Incidents
	Alerts    Alerts
	Page      Page
	Tickets   Tickets // nil = there is no desk
	// Reply says something to the person who pressed a button, at the address that
	// came with it.
	Reply func(ctx context.Context, address, text string) error
}

// Accounts finds people; *people.Accounts does. Errors: NotFound, Unavailable.
type Accounts interface {
	ByEmail(ctx context.Context, email string) (people.Person, error)
	Names(ctx context.Context) (map[string]string, error)
}

// slack takes a slash command or a button.
func (i *Inbound) slack(w http.ResponseWriter, r *http.Request) {
	hook, err := i.Doors.Open(r.Context(), "slack", r.PathValue("token"))
	if err != nil {
		i.Problem(w, r, err)
		return
	}
	body, err := read(r, maxSlack)
	if err != nil {
		i.Problem(w, r, err)
		return
	}
	if err := verifySlack(i.Slack.Settings().Secret, r.Header, body, i.Now()); err != nil {
		i.Log.Warn("a request that claims to come from slack was refused", "hook", hook.ID, "err", err)
		i.Problem(w, r, err)
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		i.Problem(w, r, problem.Invalid("", "This is no form."))
		return
	}
	ctx, cancel := context.WithTimeoutCause(r.Context(), slackWithin, errors.New("slack waits no longer"))
	defer cancel()
	switch {
	case form.Get("ssl_check") == "1":
		w.WriteHeader(http.StatusOK)
	case form.Has("payload"):
		i.button(ctx, w, r, form.Get("payload"))
	default:
		i.say(w, i.command(ctx, form.Get("user_id"), form.Get("text")))
	}
}

// verifySlack checks the signature of a request: HMAC-SHA-256 over
// "v0:TIME:BODY" under the signing secret (Slack, "Verifying requests from
// Slack"). Errors: Unauthenticated.
func verifySlack(secret string, h http.Header, body []byte, now time.Time) error {
	stamp := h.Get("X-Slack-Request-Timestamp")
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || secret == "" {
		return problem.Unauthenticated("This request is not signed.")
	}
	if age := now.Sub(time.Unix(at, 0)); age > slackFresh || age < -slackFresh {
		return problem.Unauthenticated("This request is too old.")
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":"))
	mac.Write(body)
	given, err := hex.DecodeString(strings.TrimPrefix(h.Get("X-Slack-Signature"), "v0="))
	if err != nil || !hmac.Equal(given, mac.Sum(nil)) {
		return problem.Unauthenticated("The signature of this request is wrong.")
	}
	return nil
}

// say answers a command, for the eyes of who gave it.
func (i *Inbound) say(w http.ResponseWriter, text string) {
	body, _ := json.Marshal(map[string]string{"response_type": "ephemeral", "text": text}) // strings always marshal
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body)
}

// actionAcknowledge is the button that acknowledges; its value is the alert.
const actionAcknowledge = "evenkeel_acknowledge"

// pressed is an interaction of Slack, as far as we read it.
type pressed struct {
	Type        string `json:"type"`
	ResponseURL string `json:"response_url"`
	User        struct {
		ID string `json:"id"`
	} `json:"user"`
	Actions []struct {
		ID    string `json:"action_id"`
		Value string `json:"value"`
	} `json:"actions"`
}

// button does what a button says. What is acknowledged is told where the alert
// was told; only trouble is answered.
func (i *Inbound) button(ctx context.Context, w http.ResponseWriter, r *http.Request, payload string) {
	var p pressed
	if err := json.Unmarshal([]byte(payload), &p); err != nil {
		i.Problem(w, r, problem.Invalid("payload", "This is no interaction of Slack."))
		return
	}
	w.WriteHeader(http.StatusOK)
	for _, a := range p.Actions {
		if a.ID != actionAcknowledge {
			continue // buttons that open a page tell of it too
		}
		by, err := i.asked.who(ctx, p.User.ID)
		if err == nil {
			_, err = i.Slack.Alerts.Acknowledge(ctx, by, a.Value)
		}
		if err == nil {
			continue
		}
		i.Log.Info("a button in slack did nothing", "err", err)
		if p.ResponseURL != "" {
			if err := i.Slack.Reply(ctx, p.ResponseURL, trouble(err)); err != nil {
				i.Log.Warn("slack was not answered", "err", err)
			}
		}
	}
}

// askers knows who users of Slack are, for a while.
type askers struct {
	deps SlackDeps
	now  func() time.Time

	mu    sync.Mutex
	known map[string]asker
}

// asker is a user of Slack who was looked up. Rights are read anew each time:
// only the address is remembered.
type asker struct {
	email string
	until time.Time
}

func newAskers(d SlackDeps, now func() time.Time) *askers {
	return &askers{deps: d, now: now, known: map[string]asker{}}
}

// errStranger is for users of Slack whom we do not know.
func errStranger() error {
	return problem.Forbidden("Your Slack user belongs to no account here. An admin can add it under slack.users, or your account needs the address that you have in Slack.")
}

// who gives the actor behind a user of Slack. Errors: Forbidden for a stranger,
// Unavailable.
func (a *askers) who(ctx context.Context, user string) (access.Actor, error) {
	email, err := a.email(ctx, user)
	if err != nil {
		return access.Actor{}, err
	}
	p, err := a.deps.People.ByEmail(ctx, email)
	switch {
	case problem.KindOf(err) == problem.KindNotFound, err == nil && !p.Active():
		return access.Actor{}, errStranger()
	case err != nil:
		return access.Actor{}, err
	}
	return p.Actor(), nil
}

// email gives the address of a user: as the file says, or as Slack does.
func (a *askers) email(ctx context.Context, user string) (string, error) {
	settings := a.deps.Settings()
	if email := settings.Users[user]; email != "" {
		return email, nil
	}
	if user == "" || settings.Email == nil {
		return "", errStranger()
	}
	now := a.now()
	a.mu.Lock()
	known, ok := a.known[user]
	a.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.email, nil
	}
	email, err := settings.Email(ctx, user)
	if problem.KindOf(err) == problem.KindNotFound {
		return "", errStranger()
	}
	if err != nil {
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.known) >= maxAskers {
		clear(a.known)
	}
	a.known[user] = asker{email: email, until: now.Add(askersFor)}
	return email, nil
}
