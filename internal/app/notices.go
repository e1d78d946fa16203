package app

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/notice"
	"evenkeel/internal/notify"
	"evenkeel/internal/problem"
	"evenkeel/internal/telemetry"
	"evenkeel/web/hooks"
)

// noticesDeps is what notices needs of the house.
type noticesDeps struct {
	Channels *notify.House
	// Person gives the id of the account with an e-mail address. Errors: NotFound, Unavailable.
	Person func(ctx context.Context, email string) (id string, err error)
	// Key gives the key of the component that has an id now.
	Key func(id string) (key string, ok bool)
	// Setup takes what the configuration says: the desk's.
	Setup     func(notice.Setup)
	Simulated bool
	Log       *slog.Logger
}

// notices makes the configuration true for who is told: it keeps the channels
// open and the desk's setup current, through reloads and when accounts come and
// go. The file names people by address and components by id; the record knows
// both by what never changes.
type notices struct {
	noticesDeps
	channels atomic.Pointer[map[string]*held]
	slack    atomic.Pointer[hooks.SlackSettings]
	closing  sync.WaitGroup // channels that were replaced, and still have sends under way

	mu   sync.Mutex // one change at a time
	file config.File
	last *notice.Setup
}

// refreshEvery is how often accounts are looked up again: somebody whom the file
// names may have come, gone or changed address.
const refreshEvery = 30 * time.Second

func newNotices(d noticesDeps) *notices {
	n := &notices{noticesDeps: d}
	n.channels.Store(&map[string]*held{})
	n.slack.Store(&hooks.SlackSettings{})
	return n
}

// apply opens the channels of a configuration and tells the desk. When one cannot
// be opened nothing changes. Errors: Invalid, Unavailable.
func (n *notices) apply(ctx context.Context, file config.File) (err error) {
	defer problem.Wrap(&err, "open the channels")
	n.mu.Lock()
	defer n.mu.Unlock()
	setup, err := n.compile(ctx, file)
	if err != nil {
		return err
	}
	slack, err := n.settleSlack(file)
	if err != nil {
		return err
	}
	opened, err := n.open(file)
	if err != nil {
		return err
	}
	was := n.channels.Swap(&opened)
	n.file = file.Settings()
	n.slack.Store(&slack)
	n.tell(setup)
	for _, c := range *was {
		n.closing.Go(c.Close)
	}
	return nil
}

// open opens every channel of the file, and those that are built in.
func (n *notices) open(file config.File) (_ map[string]*held, err error) {
	opened := map[string]*held{}
	defer func() {
		if err != nil {
			for _, c := range opened {
				c.Close()
			}
		}
	}()
	keep := func(id string, c notify.Channel) { opened[id] = &held{Channel: c} }
	for _, spec := range file.Channels {
		c, err := n.Channels.Open(file, spec)
		if err != nil {
			return nil, fmt.Errorf("channel %s: %w", spec.ID, err)
		}
		keep(spec.ID, c)
	}
	if n.mails(file) {
		c, err := n.Channels.Open(file, config.Channel{ID: config.ChannelMail, Kind: "mail"})
		if err != nil {
			return nil, fmt.Errorf("smtp: %w", err)
		}
		keep(config.ChannelMail, c)
	}
	if file.Deadman.URL.Given() {
		c, err := n.Channels.Pulse(file.Deadman)
		if err != nil {
			return nil, fmt.Errorf("deadman: %w", err)
		}
		keep(config.ChannelDeadman, c)
	}
	webhook, slack := n.Channels.Subscribers()
	keep(config.ChannelWebhook, webhook)
	keep(config.ChannelSlack, slack)
	return opened, nil
}

// settleSlack reads what commands from Slack need.
func (n *notices) settleSlack(file config.File) (hooks.SlackSettings, error) {
	s := hooks.SlackSettings{Users: file.Slack.Users, Page: file.Page.URL}
	var err error
	if s.Secret, err = n.Channels.Reveal("slack.signing_secret", file.Slack.SigningSecret); err != nil {
		return s, err
	}
	api, err := n.Channels.Slack(file)
	if err != nil {
		return s, err
	}
	if api != nil {
		s.Email = api.Email
	}
	return s, nil
}

// slackSettings is what commands from Slack need, as configured now.
func (n *notices) slackSettings() hooks.SlackSettings { return *n.slack.Load() }

// replySlack answers a person who pressed a button.
func (n *notices) replySlack(ctx context.Context, address, text string) error {
	n.mu.Lock()
	file := n.file
	n.mu.Unlock()
	return n.Channels.ReplySlack(ctx, file, address, text)
}

// mails reports whether there is a mail channel.
func (n *notices) mails(file config.File) bool { return file.SMTP.URL.Given() }

// Channel gives an open channel.
func (n *notices) Channel(id string) (notice.Channel, bool) {
	c, ok := (*n.channels.Load())[id]
	return c, ok
}

// run looks accounts up again every so often, until ctx ends.
func (n *notices) run(ctx context.Context, health *telemetry.Health) error {
	tick := time.NewTicker(refreshEvery)
	defer tick.Stop()
	for {
		health.Beat("notices", refreshEvery)
		select {
		case <-ctx.Done():
			health.Forget("notices")
			return nil
		case <-tick.C:
		}
		if err := n.refresh(ctx); err != nil && ctx.Err() == nil {
			n.Log.Warn("people whom the file names were not looked up", "err", err)
		}
	}
}

// refresh tells the desk when people or components are other ones than before.
func (n *notices) refresh(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	setup, err := n.compile(ctx, n.file)
	if err != nil {
		return err
	}
	n.tell(setup)
	return nil
}

// tell hands a setup over when it is a new one.
func (n *notices) tell(setup notice.Setup) {
	if n.last == nil || !reflect.DeepEqual(*n.last, setup) {
		n.last = &setup
		n.Setup(setup)
	}
}

// close ends every channel, and waits for sends under way.
func (n *notices) close(ctx context.Context) error {
	n.mu.Lock()
	was := n.channels.Swap(&map[string]*held{})
	n.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, c := range *was {
			c.Close()
		}
		n.closing.Wait()
		n.Channels.Close()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// held is an open channel that is closed once nothing is under way in it.
type held struct {
	notify.Channel
	mu     sync.RWMutex
	closed bool
}

// errReplaced is for a message that came to a channel the moment it was replaced.
func errReplaced() error { return &notice.Refusal{Reason: "the configuration is being read"} }

// Send sends unless the channel is closed.
func (h *held) Send(ctx context.Context, m notice.Message) (notice.Receipt, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.closed {
		return notice.Receipt{}, errReplaced()
	}
	return h.Channel.Send(ctx, m)
}

// Challenge asks unless the channel is closed, or knows no challenges.
func (h *held) Challenge(ctx context.Context, m notice.Message, challenge string) error {
	h.mu.RLock()
	defer h.mu.RUnlock()
	c, ok := h.Channel.(notice.Challenger)
	switch {
	case h.closed:
		return errReplaced()
	case !ok:
		return &notice.Refusal{Permanent: true, Theirs: true, Reason: "this channel cannot ask for a confirmation"}
	}
	return c.Challenge(ctx, m, challenge)
}

// Close waits for what is under way and closes the channel.
func (h *held) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	h.Channel.Close()
}

// compile says in the words of the notice wing what the file says. The file has
// passed its checks. Errors: Unavailable when people cannot be looked up.
func (n *notices) compile(ctx context.Context, file config.File) (notice.Setup, error) {
	c := compiler{notices: n, ctx: ctx, ids: map[string]string{}}
	s := notice.Setup{
		Webhook: config.ChannelWebhook, Chat: config.ChannelSlack,
		Place: notice.Place{Page: file.Page.URL, Hub: file.Page.URL, PageName: file.Page.Name, Simulated: n.Simulated},
	}
	if n.mails(file) {
		s.Mail = config.ChannelMail
		s.Channels = append(s.Channels, notice.ChannelSpec{ID: config.ChannelMail, Kind: "mail", PerSecond: file.SMTP.PerSecond, Parallel: file.SMTP.Parallel})
	}
	s.Channels = append(s.Channels,
		notice.ChannelSpec{ID: config.ChannelWebhook, Kind: "statuspage", PerSecond: file.Subscribers.PerSecond},
		notice.ChannelSpec{ID: config.ChannelSlack, Kind: "slack", PerSecond: file.Subscribers.PerSecond})
	for _, ch := range file.Channels {
		s.Channels = append(s.Channels, notice.ChannelSpec{ID: ch.ID, Kind: ch.Kind, Fallback: ch.Fallback, PerSecond: ch.PerSecond, Parallel: ch.Parallel})
	}
	if file.Deadman.URL.Given() {
		s.Deadman = []notice.Pulse{{ID: config.ChannelDeadman, Channel: config.ChannelDeadman, Every: file.Deadman.Every.D()}}
	}
	for _, r := range file.EffectiveRoutes() {
		s.Routes = append(s.Routes, c.route(r))
	}
	for _, r := range file.OnCall {
		s.Rotations = append(s.Rotations, c.rotation(r))
	}
	return s, c.err
}

// compiler turns names of the file into those of the record.
type compiler struct {
	*notices
	ctx context.Context
	ids map[string]string // of people, by address
	err error             // the first; what was compiled is worth nothing then
}

// person gives the id of whom the file names. Somebody without an account keeps
// the place, so that turns of others do not move: deliveries to them fail in
// sight, and escalation goes on. No address gets into the record by it.
func (c *compiler) person(address, place string) string {
	if id, ok := c.ids[address]; ok {
		return id
	}
	id, err := c.Person(c.ctx, strings.ToLower(address))
	switch problem.KindOf(err) {
	case "":
		c.ids[address] = id
		return id
	case problem.KindNotFound:
		c.Log.Debug("the file names somebody who has no account", "place", place)
	default:
		if c.err == nil {
			c.err = err
		}
	}
	return "absent-" + place
}

func (c *compiler) route(r config.Route) notice.Route {
	out := notice.Route{
		ID: r.ID, Groups: r.When.Groups, Kinds: r.When.Kinds, AtLeast: notice.Severity(r.When.AtLeast), Hours: hours(r.When.Hours),
		To: c.targets(r.To, r.ID), Continue: r.Continue, Group: r.Group.D(), Remind: r.Remind.D(),
	}
	for _, id := range r.When.Components {
		key, ok := c.Key(id)
		if !ok {
			key = id // a component that is being made; the next look finds it
		}
		out.Components = append(out.Components, key)
	}
	for _, step := range r.Escalate {
		out.Escalate = append(out.Escalate, notice.Step{After: step.After.D(), To: c.targets(step.To, r.ID)})
	}
	return out
}

// targets reads channels, oncall:ID and person:ADDRESS.
func (c *compiler) targets(list []string, place string) []notice.Target {
	out := make([]notice.Target, 0, len(list))
	for i, text := range list {
		if id, ok := strings.CutPrefix(text, config.TargetRotation); ok {
			out = append(out, notice.Target{Rotation: id})
		} else if address, ok := strings.CutPrefix(text, config.TargetPerson); ok {
			out = append(out, notice.Target{Person: c.person(address, fmt.Sprintf("%s-%d", place, i+1))})
		} else {
			out = append(out, notice.Target{Channel: text})
		}
	}
	return out
}

func (c *compiler) rotation(r config.Rotation) notice.Rotation {
	zone, err := time.LoadLocation(r.Zone)
	if err != nil { // the checks have loaded it before
		zone = time.UTC
	}
	start, _ := time.ParseInLocation(config.LocalTime, r.Start, zone)
	out := notice.Rotation{ID: r.ID, Name: r.Name, Zone: r.Zone, Start: start, Turn: r.Turn.D(), Hours: hours(r.Hours), Channel: r.Channel}
	for i, address := range r.People {
		out.People = append(out.People, c.person(address, fmt.Sprintf("%s-%d", r.ID, i+1)))
	}
	return out
}

// hours reads a weekly stretch; nil when the file gives none.
func hours(h config.Hours) *notice.Hours {
	if !h.Given() {
		return nil
	}
	out := &notice.Hours{Zone: h.Zone, Outside: h.Outside}
	out.From, _ = config.ParseClock(h.From)
	out.To, _ = config.ParseClock(h.To)
	for _, word := range h.Days {
		if day, ok := config.ParseDay(word); ok {
			out.Days = append(out.Days, day)
		}
	}
	return out
}

// channelProblems gives what only the room of the channels knows about one.
func channelProblems(channels *notify.House) func(config.File, config.Channel) []config.Problem {
	return func(f config.File, c config.Channel) []config.Problem {
		if err := channels.Check(f, c); err != nil {
			return configProblems(err)
		}
		return nil
	}
}
