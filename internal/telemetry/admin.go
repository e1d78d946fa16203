package telemetry

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// AdminOptions is what the admin listener serves.
type AdminOptions struct {
	Registry *prometheus.Registry
	// Series writes more metrics in Prometheus' text format, under names that the
	// registry has not; nil = there are none.
	Series func(io.Writer) error
	Health *Health
	Log    *slog.Logger
	// Reload reads the configuration again; its error is shown to who asked.
	// nil = there is nothing to reload.
	Reload     func(ctx context.Context) error
	ConfigPath string       // of the file that Reload reads, absolute; "" = none
	Pprof      bool         // serve profiles under /debug/pprof/
	API        http.Handler // everything else; nil = nothing else
}

// NewAdmin gives the handler of the admin listener: /metrics, /livez, /readyz,
// GET /-/config, POST /-/reload and PUT /-/log-level for this machine only, and profiles when
// they are switched on. There is no sign-in: whoever can reach it may read it.
func NewAdmin(o AdminOptions) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", serveMetrics(o))
	mux.HandleFunc("GET /livez", ServeLive)
	mux.HandleFunc("GET /readyz", o.Health.ServeReady)
	mux.Handle("POST /-/reload", thisMachineOnly(serveReload(o.Reload)))
	mux.Handle("GET /-/config", thisMachineOnly(serveConfigPath(o.ConfigPath)))
	mux.Handle("PUT /-/log-level", thisMachineOnly(serveLogLevel(o.Log)))
	if o.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	if o.API != nil {
		mux.Handle("/", o.API)
	}
	return http.NewCrossOriginProtection().Handler(mux)
}

// ServeLive answers 200 while the process lives.
func ServeLive(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = io.WriteString(w, "ok\n")
}

// ServeReady answers 200 or 503 with the Report.
func (h *Health) ServeReady(w http.ResponseWriter, _ *http.Request) { serveReport(w, h.Report()) }

// ServeReadyPublicly answers the same without details, which may name hosts and
// errors: it is for a listener that visitors reach.
func (h *Health) ServeReadyPublicly(w http.ResponseWriter, _ *http.Request) {
	r := h.Report()
	for i := range r.Checks {
		r.Checks[i].Detail = ""
	}
	serveReport(w, r)
}

func serveReport(w http.ResponseWriter, r Report) {
	code := http.StatusOK
	if !r.Ready {
		code = http.StatusServiceUnavailable
	}
	answer(w, code, r)
}

// outcome is what the pages under /-/ answer.
type outcome struct {
	OK    bool   `json:"ok"`
	Error string `json:"error,omitempty"`
	Level string `json:"level,omitempty"`
	Path  string `json:"path,omitempty"`
}

// serveConfigPath tells which file the hub reads, for evenkeel config apply.
func serveConfigPath(path string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, outcome{OK: true, Path: path})
	})
}

func serveReload(reload func(context.Context) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if reload == nil {
			answer(w, http.StatusNotFound, outcome{Error: "this hub has no configuration file to read again"})
			return
		}
		// The reload goes on when whoever asked hangs up: half of one is worse.
		if err := reload(context.WithoutCancel(r.Context())); err != nil {
			answer(w, http.StatusUnprocessableEntity, outcome{Error: err.Error()})
			return
		}
		answer(w, http.StatusOK, outcome{OK: true})
	})
}

func serveLogLevel(log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		level := r.URL.Query().Get("level")
		if !slices.Contains([]string{"debug", "info", "warn", "error"}, level) {
			answer(w, http.StatusBadRequest, outcome{Error: "level is debug, info, warn or error"})
			return
		}
		SetLevel(log, level)
		answer(w, http.StatusOK, outcome{OK: true, Level: Level(log)})
	})
}

// thisMachineOnly refuses callers from elsewhere, however the listener is bound.
func thisMachineOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err == nil {
			if addr, err := netip.ParseAddr(host); err == nil && addr.Unmap().IsLoopback() {
				next.ServeHTTP(w, r)
				return
			}
		}
		answer(w, http.StatusForbidden, outcome{Error: "only from the machine the hub runs on"})
	})
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
