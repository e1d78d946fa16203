package monitors

import (
	"crypto/tls"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
)

// scheme is what the first word of a URL means to a kind.
type scheme struct {
	port   string // default; "" = the URL must name one
	secure bool   // TLS from the first byte
	unix   bool   // the path is a socket's
}

// target is where a kind connects to.
type target struct {
	network string // tcp or unix
	address string // host:port, or the path of a socket
	host    string // "" for a socket
	secure  bool
	url     *url.URL // nil when the file says target:
}

// compileTarget reads url:, which must have one of the schemes, or target:,
// host or host:port, which is taken as of scheme plain; one of them is needed.
// What stands behind the host is the kind's. Errors: Invalid.
func compileTarget(spec config.Monitor, schemes map[string]scheme, plain string) (target, error) {
	switch {
	case spec.URL != "" && spec.Target != "":
		return target{}, problem.Invalid("url", "url and target name the same thing: keep one")
	case spec.Target != "":
		return parseTarget(spec.Target, schemes[plain])
	case spec.URL == "":
		return target{}, problem.Invalid("target", "is needed: host:port")
	}
	names := strings.Join(slices.Sorted(maps.Keys(schemes)), ", ")
	u, err := url.Parse(spec.URL)
	if err != nil { // its text repeats the URL, which may hold a password
		return target{}, problem.Invalid("url", "is not a URL")
	}
	s, ok := schemes[u.Scheme]
	if !ok {
		return target{}, problem.Invalid("url", "the scheme %q does not fit; one of %s", u.Scheme, names)
	}
	if s.unix {
		if u.Host != "" || !strings.HasPrefix(u.Path, "/") {
			return target{}, problem.Invalid("url", "a socket is written %s:///path/to/socket", u.Scheme)
		}
		return target{network: "unix", address: u.Path, url: u}, nil
	}
	at, err := parseTarget(u.Host, s)
	if err != nil {
		return target{}, problem.Invalid("url", "names no host and port that can be used")
	}
	at.url = u
	return at, nil
}

// parseTarget reads host or host:port.
func parseTarget(text string, s scheme) (target, error) {
	address, err := withPort(strings.TrimSpace(text), s.port)
	if err != nil {
		return target{}, problem.Invalid("target", "%q is not host:port", text)
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return target{}, problem.Invalid("target", "%q is not host:port", text)
	}
	return target{network: "tcp", address: address, host: host, secure: s.secure}, nil
}

// tlsFor compiles the block tls for a connection to this target.
func (e *Env) tlsFor(spec config.Monitor, at target) (*tls.Config, error) {
	conf, err := e.TLS(spec)
	if conf != nil && conf.ServerName == "" {
		conf.ServerName = at.host
	}
	return conf, err
}

// atOnce gives conf for a target that speaks TLS from the first byte, else nil.
func (t target) atOnce(conf *tls.Config) *tls.Config {
	if !t.secure {
		return nil
	}
	return conf
}

// loginKeys are the options of kinds that sign in with a name and a password.
var loginKeys = []string{"auth.username", "auth.password"}

// login gives the name and password to sign in with, from the block auth or
// from the URL; both empty for none. Errors: Invalid.
func (e *Env) login(spec config.Monitor, at target) (user, password string, err error) {
	if at.url != nil && at.url.User != nil {
		if spec.Auth.Username != "" || spec.Auth.Password != (config.Secret{}) {
			return "", "", problem.Invalid("auth", "the url names a user already: keep one")
		}
		password, _ = at.url.User.Password()
		e.hide(password)
		return at.url.User.Username(), password, nil
	}
	password, err = e.Secret("auth.password", spec.Auth.Password)
	return spec.Auth.Username, password, err
}

// loopback reports whether the target is on this machine, where a password
// may travel in plain text.
func (at target) loopback() bool {
	if at.network == "unix" || at.host == "localhost" {
		return true
	}
	ip := net.ParseIP(at.host)
	return ip != nil && ip.IsLoopback()
}
