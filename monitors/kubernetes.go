package monitors

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

// kubernetesKeys are the options of kind kubernetes.
var kubernetesKeys = slices.Concat([]string{"expect.condition"}, fetchKeys, certKeys)

// Limits of an API server's health report.
const (
	maxHealth       = 256 << 10 // bytes
	maxHealthChecks = 10        // failing checks named in a reason
)

// kubernetesProbe asks an API server for /readyz and says which of its checks
// fail. A path in the URL asks for another endpoint: /livez, or one check such
// as /readyz/etcd. Sign in with auth.bearer (the token of a service account) or
// tls.cert_file.
type kubernetesProbe struct {
	http  *httpProbe
	certs certLimits
	cond  *Condition
}

// kubernetesFacts is what a condition may ask of an API server.
type kubernetesFacts struct {
	Latency float64  `expr:"latency"` // ms
	Passed  []string `expr:"passed"`  // names of checks
	Failed  []string `expr:"failed"`
}

// compileKubernetes is the kind kubernetes. Errors: Invalid.
func compileKubernetes(spec config.Monitor, env *Env) (Probe, error) {
	p := &kubernetesProbe{certs: env.certLimits(spec)}
	var err error
	if p.cond, err = env.Condition("expect.condition", spec.Expect.Condition, kubernetesFacts{}); err != nil {
		return nil, err
	}
	p.http, err = compileFetch(spec, env, maxHealth, func(u *url.URL) {
		if u.Path == "" || u.Path == "/" {
			u.Path = "/readyz"
		}
		if u.RawQuery == "" {
			u.RawQuery = "verbose"
		}
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Close lets go of connections.
func (p *kubernetesProbe) Close() { p.http.Close() }

// Probe asks once.
func (p *kubernetesProbe) Probe(ctx context.Context, run *Run) status.Result {
	var ans answer
	defer ans.release()
	if err := p.http.fetch(ctx, run, &ans); err != nil {
		return p.http.failed(ctx, run, &ans, err)
	}
	took := run.Elapsed()
	p.http.note(run, &ans)
	text, why := ans.text()
	if why != "" {
		return run.Fail(status.CauseBadAnswer, "%s", why)
	}
	passed, failed := healthChecks(string(text))
	for _, name := range failed {
		run.Log("check %s fails", name)
	}
	run.Log("status %d, %d checks pass, %d fail", ans.status, len(passed), len(failed))
	var res status.Result
	switch {
	case ans.status == http.StatusOK:
		res = conclude(run, took, p.certs, p.cond, kubernetesFacts{Latency: milliseconds(took), Passed: passed, Failed: failed})
	case ans.status == http.StatusUnauthorized, ans.status == http.StatusForbidden:
		res = run.Fail(status.CauseBadAnswer, "the API server does not let us ask: status %d%s", ans.status, colon(firstLine(text)))
	case len(failed) > 0:
		res = run.Fail(status.CauseBadAnswer, "status %d, failing checks: %s", ans.status, strings.Join(failed[:min(len(failed), maxHealthChecks)], ", "))
	default:
		res = run.Fail(status.CauseBadAnswer, "status %d, want 200%s", ans.status, colon(firstLine(text)))
	}
	res.Code = ans.status
	return res
}

// healthChecks reads the lines of a verbose report: "[+]ping ok" passes,
// "[-]etcd failed: reason withheld" fails.
func healthChecks(text string) (passed, failed []string) {
	for l := range strings.Lines(text) {
		name, _, _ := strings.Cut(strings.TrimSpace(l), " ")
		if rest, ok := strings.CutPrefix(name, "[+]"); ok {
			passed = append(passed, rest)
		} else if rest, ok := strings.CutPrefix(name, "[-]"); ok {
			failed = append(failed, rest)
		}
	}
	return passed, failed
}
