package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/ntfy"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
	"github.com/nicholas-fedor/shoutrrr/pkg/util/jsonclient"

	"evenkeel/internal/config"
	"evenkeel/internal/netguard"
	"evenkeel/internal/notice"
	"evenkeel/internal/problem"
)

const (
	// maxUnderway is how many sends of one channel may be under way, those that
	// nobody waits for any more among them: a service cannot be told to stop.
	maxUnderway = 8
	// maxChatText bounds a message, in characters: what the strictest service takes.
	maxChatText = 1_900
	// connectionFor bounds the life of a connection of a service.
	connectionFor = time.Minute
	// minSecret is how long a part of a URL is at least to be taken for a secret.
	minSecret = 4
)

// unsuited are services that others of ours do better, and what to use instead.
var unsuited = map[string]string{
	"smtp": "mail", "generic": "webhook", "logger": "outbox", "slack": "slack", "pagerduty": "pagerduty",
}

// shoutrrr is the channel of kind shoutrrr: the long tail of chat and push
// services, by URL. The library connects by itself: before each send the host in
// the URL is resolved and judged here, and what is dialled passes the guard too:
// by guarded for services with clients of their own, by DefaultTransport for the
// others, which take no client. It is for URLs of the file alone.
type shoutrrr struct {
	env      *env
	url      string
	service  string
	hosts    []string
	secrets  []string
	underway chan struct{}
}

func openShoutrrr(e *env, _ config.File, c config.Channel) (channel, error) {
	raw, err := e.secret("url", c.URL)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme == "" {
		return nil, problem.Invalid("url", "is not a URL such as ntfy://ntfy.sh/topic")
	}
	service, _, _ := strings.Cut(u.Scheme, "+")
	if ours, ok := unsuited[service]; ok {
		return nil, problem.Invalid("url", "has a channel of its own here: write kind: %s", ours)
	}
	s := &shoutrrr{env: e, url: raw, service: service, secrets: secretsOf(u), underway: make(chan struct{}, maxUnderway)}
	for _, host := range []string{u.Hostname(), u.Query().Get("host")} {
		if host != "" {
			s.hosts = append(s.hosts, host)
		}
	}
	if _, err := s.locate(); err != nil {
		if errors.Is(err, router.ErrUnknownService) {
			known := (&router.ServiceRouter{}).ListServices()
			known = slices.DeleteFunc(known, func(name string) bool { return unsuited[name] != "" })
			slices.Sort(known)
			return nil, problem.Invalid("url", "there is no service %s://; there are %s", service, strings.Join(known, ", "))
		}
		return nil, problem.Invalid("url", "is not complete: %s", s.redact(err))
	}
	return s, nil
}

// locate makes the service anew: it keeps state between sends, and is not safe
// for two at once.
func (s *shoutrrr) locate() (types.Service, error) {
	service, err := (&router.ServiceRouter{}).Locate(s.url)
	if err == nil {
		s.guarded(service)
	}
	return service, err
}

// guarded makes services that bring a transport of their own dial through the
// guard: ntfy takes a client, Gotify and Mattermost show theirs.
func (s *shoutrrr) guarded(service types.Service) {
	if n, ok := service.(*ntfy.Service); ok {
		n.SetHTTPClient(&http.Client{Timeout: connectionFor, Transport: guardedBy(s.env.File, &http.Transport{
			TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: n.Config.DisableTLSVerification}, // as its URL says
		})})
		return
	}
	if own, ok := service.(interface{ GetHTTPClient() *http.Client }); ok {
		if client := own.GetHTTPClient(); client != nil {
			if t, ok := client.Transport.(*http.Transport); ok {
				guardedBy(s.env.File, t)
			}
		}
	}
}

// Close does nothing: sends under way end by themselves.
func (s *shoutrrr) Close() {}

// Send sends one message. The library takes no context: when ctx ends the send
// goes on for a while unseen, and too many of those refuse further ones.
func (s *shoutrrr) Send(ctx context.Context, m notice.Message) (notice.Receipt, error) {
	if err := s.check(ctx); err != nil {
		return notice.Receipt{}, err
	}
	service, err := s.locate()
	if err != nil {
		return notice.Receipt{}, &notice.Refusal{Permanent: true, Reason: s.redact(err)}
	}
	select {
	case s.underway <- struct{}{}:
	default:
		return notice.Receipt{}, &notice.Refusal{Reason: "too many earlier messages have no answer yet"}
	}
	t := s.env.words.telling(m)
	title, text := t.Subject(), cut(t.text(), maxChatText)
	done := make(chan error, 1)
	go func() {
		defer func() { <-s.underway }()
		defer func() {
			if p := recover(); p != nil {
				done <- errors.New("the service failed inside this hub")
			}
		}()
		params := types.Params{}
		params.SetTitle(title)
		done <- service.Send(text, &params)
	}()
	select {
	case <-ctx.Done():
		return notice.Receipt{}, ended(ctx)
	case err := <-done:
		if err != nil {
			return notice.Receipt{}, s.refusal(err)
		}
		return notice.Receipt{Mark: s.service}, nil
	}
}

func (s *shoutrrr) show(m notice.Message) (Shown, error) {
	t := s.env.words.telling(m)
	return Shown{To: s.service, Subject: t.Subject(), Text: cut(t.text(), maxChatText)}, nil
}

// check judges the hosts in the URL. What does not resolve is no host of ours to
// judge: many services keep an account or a topic in that place.
func (s *shoutrrr) check(ctx context.Context) error {
	for _, host := range s.hosts {
		addrs := []netip.Addr{}
		if a, err := netip.ParseAddr(host); err == nil {
			addrs = append(addrs, a)
		} else if strings.Contains(host, ".") || host == "localhost" {
			addrs, _ = net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
		for _, a := range addrs {
			if err := s.env.File.Check(a); err != nil {
				return lost(ctx, err)
			}
		}
	}
	return nil
}

// refusal gives an error of the library, without what is secret in it.
func (s *shoutrrr) refusal(err error) *notice.Refusal {
	r := &notice.Refusal{Reason: s.service + ": " + s.redact(err)}
	if refused, ok := errors.AsType[*netguard.Refused](err); ok {
		return &notice.Refusal{Permanent: true, Reason: refused.Error()}
	}
	if e, ok := errors.AsType[jsonclient.Error](err); ok {
		if of := judge(answer{status: e.StatusCode}, s.env.Now()); of != nil {
			r.Permanent = of.Permanent
		}
	}
	return r
}

// redact gives an error in one line, without the parts of the URL that may be
// secret: the library's errors repeat them.
func (s *shoutrrr) redact(err error) string {
	text := err.Error()
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, "…")
	}
	return line(text, maxTitle)
}

// secretsOf gives what may be secret in a URL of a service: all but its scheme,
// longest first.
func secretsOf(u *url.URL) []string {
	parts := []string{u.User.Username(), u.Host, u.Hostname(), u.Path, u.EscapedPath(), u.Fragment, u.RawQuery}
	if password, ok := u.User.Password(); ok {
		parts = append(parts, password, u.User.String())
	}
	parts = append(parts, strings.Split(u.Path, "/")...)
	for _, values := range u.Query() {
		parts = append(parts, values...)
	}
	parts = slices.DeleteFunc(parts, func(p string) bool { return len(p) < minSecret })
	slices.SortFunc(parts, func(a, b string) int { return len(b) - len(a) })
	return slices.Compact(parts)
}

// DefaultTransport is for http.DefaultTransport, which services of shoutrrr use:
// what they dial passes the guard, and no connection outlives its bound. The
// program sets it before anything else runs.
func DefaultTransport(guard *netguard.Guard) http.RoundTripper {
	return guardedBy(guard, &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true})
}

// guardedBy makes a transport dial through a guard, and bounds its connections:
// none is kept, and none outlives connectionFor.
func guardedBy(guard *netguard.Guard, t *http.Transport) *http.Transport {
	dialer := net.Dialer{Timeout: dialWithin, ControlContext: guard.ControlContext}
	t.TLSHandshakeTimeout, t.ResponseHeaderTimeout, t.MaxResponseHeaderBytes, t.DisableKeepAlives = shakeWithin, headWithin, maxHead, true
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
		if err == nil {
			err = conn.SetDeadline(time.Now().Add(connectionFor))
		}
		return conn, err
	}
	return t
}
