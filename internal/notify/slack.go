package notify

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"evenkeel/internal/config"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

// openSlack makes a channel of kind slack: by an incoming webhook where there is
// a url, else by the API with a bot token.
func openSlack(e *env, f config.File, c config.Channel) (channel, error) {
	var found collect
	hookURL, err := e.secret("url", c.URL)
	found.take(err)
	mention, err := mentionOf(c.Mention)
	found.take(err)
	if c.URL.Given() {
		_, err = webAddress("url", hookURL)
		found.take(err)
		if c.Token.Given() || len(c.To) > 0 {
			found.add("url", "is for an incoming webhook, which needs neither token nor to: keep one way")
		}
		return &slackHook{env: e, caller: e.file, to: hookURL, look: slackLook{mention: mention}}, found.Err()
	}
	from := c.Token
	if !from.Given() {
		from = f.Slack.Token
	}
	token, err := e.secret("token", from)
	found.take(err)
	if err == nil && token == "" {
		found.add("token", "is missing: give url (an incoming webhook), or slack.token with to")
	}
	if len(c.To) != 1 || !slackID(c.To[0]) {
		found.add("to", "give the id of one channel, such as C024BE91L")
		return nil, found.Err()
	}
	api, err := e.slackAPI(f.Slack.URL, token)
	found.take(err)
	return &slackBot{api: api, to: c.To[0], look: slackLook{mention: mention, interactive: c.Interactive}}, found.Err()
}

// mentionOf gives the mark that calls somebody. Errors: Invalid.
func mentionOf(who string) (string, error) {
	switch {
	case who == "":
		return "", nil
	case who == "channel", who == "here":
		return "<!" + who + ">", nil
	case slackID(who) && (who[0] == 'U' || who[0] == 'W'):
		return "<@" + who + ">", nil
	case slackID(who) && who[0] == 'S':
		return "<!subteam^" + who + ">", nil
	}
	return "", problem.Invalid("mention", "is channel, here, or the id of a person (U…) or a group (S…)")
}

// slackID reports whether text has the shape of Slack's ids.
func slackID(text string) bool {
	if len(text) < 3 || len(text) > 32 {
		return false
	}
	for _, c := range text {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// slackHook is an incoming webhook of Slack: of the file, or of a subscriber,
// whose own address it then is.
type slackHook struct {
	env    *env
	caller *caller
	to     string // "" = the recipient's own
	look   slackLook
}

// Send posts one message.
func (s *slackHook) Send(ctx context.Context, m notice.Message) (notice.Receipt, error) {
	to := s.to
	if to == "" {
		to = m.To.Address
	}
	body, err := json.Marshal(s.look.message(s.env.words.telling(m), m))
	if err != nil {
		return notice.Receipt{}, &notice.Refusal{Permanent: true, Reason: "the message cannot be written as JSON", Err: err}
	}
	a, err := s.caller.post(ctx, to, body, nil)
	if err != nil {
		return notice.Receipt{}, err
	}
	if r := judge(a, s.env.Now()); r != nil {
		r.Gone = r.Gone || a.status == http.StatusNotFound // the app or the channel was removed
		return notice.Receipt{}, r
	}
	return notice.Receipt{Mark: "ok"}, nil
}

func (s *slackHook) show(m notice.Message) (Shown, error) {
	to := s.to
	if to == "" {
		to = m.To.Address
	}
	return shownSlack(s.look.message(s.env.words.telling(m), m), place(to))
}

// Close does nothing.
func (s *slackHook) Close() {}

// shownSlack shows a message for Slack.
func shownSlack(message slackMessage, to string) (Shown, error) {
	body, err := json.MarshalIndent(message, "", "  ")
	if err != nil {
		return Shown{}, err
	}
	return Shown{To: to, Subject: message.Text, Text: message.plain(), JSON: string(body)}, nil
}

// slackBot posts with a bot token. The messages of one alert, or one incident,
// are one thread, whose first message always shows how things stand.
type slackBot struct {
	api  *SlackAPI
	to   string
	look slackLook
}

// Send posts one message, in the thread of the first where there is one.
func (s *slackBot) Send(ctx context.Context, m notice.Message) (notice.Receipt, error) {
	t := s.api.env.words.telling(m)
	message := s.look.message(t, m)
	message.Channel = s.to
	message.Metadata = &slackMetadata{EventType: "evenkeel_delivery", Payload: map[string]string{"delivery": m.Delivery.ID}}
	channel, thread, threaded := strings.Cut(m.Thread, "/")
	threaded = threaded && slackID(channel)
	if threaded {
		// First, as doing it twice does no harm; trouble with it is no trouble.
		head := s.look.head(t, m)
		head.Channel, head.Timestamp = channel, thread
		if err := s.api.call(ctx, "chat.update", head, nil); err != nil && ctx.Err() != nil {
			return notice.Receipt{}, err
		}
		message.Channel, message.Thread = channel, thread
		message.Broadcast = calls(m)
	}
	var answer struct {
		Channel   string `json:"channel"`
		Timestamp string `json:"ts"`
	}
	err := s.api.call(ctx, "chat.postMessage", message, &answer)
	if refusal, ok := err.(*slackRefusal); ok && threaded && refusal.code == "thread_not_found" {
		message.Channel, message.Thread, message.Broadcast = s.to, "", false
		err = s.api.call(ctx, "chat.postMessage", message, &answer)
	}
	if err != nil {
		return notice.Receipt{}, refused(err)
	}
	return notice.Receipt{Mark: answer.Channel + "/" + answer.Timestamp}, nil
}

func (s *slackBot) show(m notice.Message) (Shown, error) {
	message := s.look.message(s.api.env.words.telling(m), m)
	message.Channel = s.to
	return shownSlack(message, s.to)
}

// Close does nothing.
func (s *slackBot) Close() {}

// SlackAPI is Slack's web API under one token.
type SlackAPI struct {
	env   *env
	base  *url.URL
	token string
}

// Slack gives the API of the workspace that the file names, nil without a token.
// Errors: Invalid, fields below slack.
func (h *House) Slack(f config.File) (*SlackAPI, error) {
	token, err := h.env.secret("slack.token", f.Slack.Token)
	if err != nil || token == "" {
		return nil, err
	}
	return h.env.slackAPI(f.Slack.URL, token)
}

func (e *env) slackAPI(base, token string) (*SlackAPI, error) {
	if base == "" {
		base = config.DefaultSlackAPI
	}
	u, err := webAddress("slack.url", base)
	if err != nil {
		return nil, err
	}
	return &SlackAPI{env: e, base: u, token: token}, nil
}

// slackReplies is where the addresses lead at which a person who pressed a button
// is answered.
const slackReplies = "hooks.slack.com"

// ReplySlack says something to the person who pressed a button, at the address
// that came with it. It leads to Slack, or to the host that the file names in its
// place, and to nobody else. Errors: *notice.Refusal.
func (h *House) ReplySlack(ctx context.Context, f config.File, address, text string) error {
	u, err := url.Parse(address)
	base, _ := url.Parse(f.Slack.URL)
	ours := err == nil && u.Scheme == "https" && u.Host == slackReplies || err == nil && base != nil && u.Host == base.Host && u.Scheme == base.Scheme
	if !ours {
		return &notice.Refusal{Permanent: true, Reason: "the address to answer at is not Slack's"}
	}
	if h.env.Demo {
		return nil
	}
	body, err := json.Marshal(map[string]any{"response_type": "ephemeral", "replace_original": false, "text": text})
	if err != nil {
		return err
	}
	a, err := h.env.file.post(ctx, address, body, nil)
	if err != nil {
		return err
	}
	if r := judge(a, h.env.Now()); r != nil {
		return r
	}
	return nil
}

// slackRefusal is a refusal with Slack's own word for it.
type slackRefusal struct {
	*notice.Refusal
	code string
}

// refused gives what the wing understands.
func refused(err error) error {
	if r, ok := err.(*slackRefusal); ok {
		return r.Refusal
	}
	return err
}

// passing are Slack's errors that may pass; all others stay until somebody acts.
var passing = map[string]bool{
	"ratelimited": true, "rate_limited": true, "internal_error": true, "fatal_error": true, "service_unavailable": true, "request_timeout": true,
}

// call calls a method with a JSON body, or with none as a question; into takes
// the answer. Errors: *slackRefusal, *notice.Refusal.
func (s *SlackAPI) call(ctx context.Context, method string, body, into any) error {
	header := http.Header{"Authorization": {"Bearer " + s.token}}
	var a answer
	var err error
	if question, ok := body.(url.Values); ok {
		a, err = s.env.file.call(ctx, http.MethodGet, below(s.base, method)+"?"+question.Encode(), nil, header)
	} else {
		var raw []byte
		if raw, err = json.Marshal(body); err != nil {
			return &notice.Refusal{Permanent: true, Reason: "the message cannot be written as JSON", Err: err}
		}
		a, err = s.env.file.post(ctx, below(s.base, method), raw, header)
	}
	if err != nil {
		return err
	}
	if r := judge(a, s.env.Now()); r != nil {
		return r
	}
	var said struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(a.body, &said); err != nil {
		return &notice.Refusal{Reason: "the answer is not Slack's", Err: err}
	}
	if !said.OK {
		code := line(said.Error, 60)
		return &slackRefusal{&notice.Refusal{
			Permanent: !passing[code], RetryAfter: retryAfter(a.header, s.env.Now()), Reason: "Slack answered " + code,
		}, code}
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(a.body, into); err != nil {
		return &notice.Refusal{Reason: "the answer is not Slack's", Err: err}
	}
	return nil
}

// Email gives the e-mail address of a user of the workspace. Errors: NotFound
// for one who has none or is not there; Unavailable.
func (s *SlackAPI) Email(ctx context.Context, user string) (string, error) {
	if !slackID(user) {
		return "", problem.NotFound("Slack knows no such user.")
	}
	var answer struct {
		User struct {
			Deleted bool `json:"deleted"`
			Bot     bool `json:"is_bot"`
			Profile struct {
				Email string `json:"email"`
			} `json:"profile"`
		} `json:"user"`
	}
	err := s.call(ctx, "users.info", url.Values{"user": {user}}, &answer)
	if r, ok := err.(*slackRefusal); ok && r.Permanent {
		return "", problem.NotFound("Slack tells no address of this user: %s.", r.code)
	}
	if err != nil {
		return "", problem.Unavailable(err, "Slack cannot be asked who this is.")
	}
	if answer.User.Deleted || answer.User.Bot || answer.User.Profile.Email == "" {
		return "", problem.NotFound("Slack tells no address of this user.")
	}
	return strings.ToLower(answer.User.Profile.Email), nil
}
