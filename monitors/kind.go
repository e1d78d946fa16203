package monitors

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/netguard"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Probe is one monitor, compiled: it knows its target, what it demands of it
// and, where it keeps them, its connections.
//
// Probe runs it once. It must return soon after ctx ends (the deadline is the
// monitor's timeout), must bound what it reads, and reports every trouble as a
// result, never as a panic. It is never called twice at the same time for one
// monitor by the schedule, but a person may run it by hand meanwhile, so it
// must be safe for concurrent use. What it has to tell it tells through run.
//
// Close lets go of connections and what else it holds; Probe is not called after.
type Probe interface {
	Probe(ctx context.Context, run *Run) status.Result
	Close()
}

// Env is what the house gives to probes: everything that reaches outside the
// process goes through it, so that tests and the demo can stand in for it.
type Env struct {
	Guard     *netguard.Guard             // where probes may connect to; nil refuses only what is always refused
	UserAgent string                      // of HTTP probes that set none; default evenkeel
	Now       func() time.Time            // wall clock for certificates and schedules; default time.Now
	LookupEnv func(string) (string, bool) // for secrets and ${NAME}; default os.LookupEnv
	ReadFile  func(string) ([]byte, error)
	DataDir   string         // folder of the hub, for kinds that keep something on disk; "" = none
	Zone      *time.Location // zone of schedules that name none, the page's; default UTC
	Pings     Pings          // heartbeat signals; nil = none ever came

	Offline Absence // when pings could not be heard last; zero = never

	secrets *[]string // what Secret revealed while this probe was compiled: redacted from its logs
	shared  *shared   // what monitors have in common
}

// Absence is a stretch of time in which the hub was not there.
type Absence struct{ From, To time.Time }

// shared is what monitors need not each have for themselves.
type shared struct {
	// Never changed, for all monitors that ask for nothing of their own:
	tls     *tls.Config
	dialer  *Dialer
	nobody  *Auth
	success *httpExpect

	facts commonFacts

	mu    sync.Mutex
	pools map[string]*x509.CertPool // by the content of the file
}

// Pings tells what heartbeat monitors have heard. The hub feeds it from
// /ping/{token} and the store.
type Pings interface {
	// Signals gives the newest ping of each signal of the monitor.
	Signals(monitorKey string) []status.Ping
}

// NewEnv fills in the defaults. The Env may be copied; copies share certificate pools.
func NewEnv(e Env) Env {
	if e.UserAgent == "" {
		e.UserAgent = "evenkeel"
	}
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.LookupEnv == nil {
		e.LookupEnv = os.LookupEnv
	}
	if e.ReadFile == nil {
		e.ReadFile = os.ReadFile
	}
	if e.Zone == nil {
		e.Zone = time.UTC
	}
	if e.Guard == nil {
		e.Guard = netguard.Default()
	}
	if e.shared == nil {
		e.shared = &shared{
			tls:    &tls.Config{MinVersion: tls.VersionTLS12, Time: e.Now},
			dialer: &Dialer{guard: e.Guard, family: "ip", resolver: net.DefaultResolver},
			nobody: &Auth{}, success: &httpExpect{status: success()}, pools: make(map[string]*x509.CertPool),
		}
	}
	return e
}

// kind is how one word of `kind:` becomes probes.
type kind struct {
	// compile checks the options of this kind and builds the probe. It connects
	// to nothing. Problems name the field as in the file, relative to the monitor:
	// "expect.status". Errors: *problem.Error or problem.Errors, kind Invalid.
	compile func(spec config.Monitor, env *Env) (Probe, error)

	// keys are the options that apply to this kind, as written in the file, beyond
	// those that every monitor has (see commonKeys): "url", "expect.status". The
	// name of a block allows all of it: "tls", "auth".
	keys []string

	name    string          // the word of the file
	allowed map[string]bool // keys and commonKeys, to look them up
}

// Secret reveals a secret of the configuration and remembers it, so that the
// logs of the probe under compilation never show it. field names it in the
// problem. An empty secret gives "". Errors: Invalid.
func (e *Env) Secret(field string, s config.Secret) (string, error) {
	var value string
	switch {
	case s.Env != "":
		v, ok := e.LookupEnv(s.Env)
		if !ok {
			return "", problem.Invalid(field, "environment variable %s is not set", s.Env)
		}
		value = v
	case s.File != "":
		b, err := e.ReadFile(s.File)
		if err != nil {
			return "", problem.Invalid(field, "secret file cannot be read: %v", err)
		}
		value = strings.TrimRight(string(b), "\r\n")
	default:
		value = s.Plain
	}
	e.hide(value)
	return value, nil
}

// hide remembers a value that the logs of this probe must not show.
func (e *Env) hide(value string) {
	if e.secrets != nil && len(value) >= minRedacted {
		*e.secrets = append(*e.secrets, value)
	}
}

// minRedacted is the length below which a secret is not looked for in logs: it
// would blot out ordinary letters, and protects nothing.
const minRedacted = 4
