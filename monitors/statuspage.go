package monitors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// statuspageKeys are the options of kind statuspage.
var statuspageKeys = slices.Concat([]string{"incidents", "remote_components"}, fetchKeys)

// maxStatuspage is the longest document that is read, in bytes.
const maxStatuspage = 4 << 20

// statuspageProbe reads the status page of somebody we depend on, in Atlassian
// Statuspage's format v2, which many other products speak too. The named
// components decide, or without names the page's indicator.
//
// A page that cannot be read tells nothing of the service behind it: the result
// is inconclusive, never failed.
type statuspageProbe struct {
	http      *httpProbe
	names     []string // components that decide
	indicator bool     // the indicator decides
}

// compileStatuspage is the kind statuspage. The URL is the page's own, or that
// of its summary.json or status.json. Errors: Invalid.
func compileStatuspage(spec config.Monitor, env *Env) (Probe, error) {
	var found problem.Errors
	p := &statuspageProbe{names: slices.Clone(spec.Remote)}
	p.indicator = len(p.names) == 0 || (spec.Incidents != nil && *spec.Incidents)
	if spec.Incidents != nil && !*spec.Incidents && len(p.names) == 0 {
		found = append(found, problem.Invalid("remote_components", "is needed with incidents: false"))
	}
	for _, name := range p.names {
		if strings.TrimSpace(name) == "" {
			found = append(found, problem.Invalid("remote_components", "has an empty name"))
		}
	}
	var err error
	p.http, err = compileFetch(spec, env, maxStatuspage, func(u *url.URL) {
		if !strings.HasSuffix(u.Path, ".json") {
			u.Path = strings.TrimSuffix(u.Path, "/") + "/api/v2/summary.json"
		}
	})
	if found = collect(found, err); len(found) > 0 {
		return nil, found
	}
	return p, nil
}

// Close lets go of connections.
func (p *statuspageProbe) Close() { p.http.Close() }

// Probe reads the page once.
func (p *statuspageProbe) Probe(ctx context.Context, run *Run) status.Result {
	var ans answer
	defer ans.release()
	text, res, ok := p.http.document(ctx, run, &ans)
	if !ok {
		return run.Unknown("the page cannot be read: %s", res.Reason)
	}
	took := run.Elapsed()
	page, err := parseStatuspage(text)
	if err != nil {
		return run.Unknown("the page cannot be read: %s", err)
	}
	worst, why, err := p.worst(page)
	if err != nil {
		return run.Unknown("the page cannot be read: %s", err)
	}
	run.Log("%s", why)
	switch worst {
	case status.Failed:
		res = run.Fail(status.CauseBadAnswer, "%s", why)
		res.Latency = took
	case status.Slow:
		res = run.Slow(took, status.CauseBadAnswer, "%s", why)
	default:
		res = run.OK(took)
	}
	res.Code = ans.status
	return res
}

// remotePage is a status page of somebody else, as far as it matters here.
type remotePage struct {
	Status struct {
		Indicator   string `json:"indicator"`
		Description string `json:"description"`
	} `json:"status"`
	Components []remoteComponent `json:"components"`
}

type remoteComponent struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
}

// remoteIndicators and remoteStatuses say what a word of the other page means
// for us. Announced maintenance there is a warning here.
var (
	remoteIndicators = map[string]status.Outcome{
		"none": status.OK, "minor": status.Slow, "maintenance": status.Slow, "major": status.Failed, "critical": status.Failed,
	}
	remoteStatuses = map[string]status.Outcome{
		string(status.Operational): status.OK, string(status.Degraded): status.Slow, string(status.UnderMaintenance): status.Slow,
		string(status.PartialOutage): status.Failed, string(status.MajorOutage): status.Failed,
	}
)

// parseStatuspage reads a summary.json, status.json or components.json. The
// error is a sentence.
func parseStatuspage(text []byte) (remotePage, error) {
	var page remotePage
	if err := json.Unmarshal(text, &page); err != nil {
		return page, errors.New("it is not the JSON of a status page")
	}
	if page.Status.Indicator == "" && len(page.Components) == 0 {
		return page, errors.New("it names neither an indicator nor components")
	}
	return page, nil
}

// worst gives the worst of what decides, with a sentence. The error is a sentence.
func (p *statuspageProbe) worst(page remotePage) (status.Outcome, string, error) {
	worst, why := status.OK, "everything that matters there is operational"
	worse := func(o status.Outcome, sentence string) {
		if o > worst {
			worst, why = o, sentence
		}
	}
	if p.indicator {
		o, ok := remoteIndicators[page.Status.Indicator]
		if !ok {
			return worst, "", fmt.Errorf("its indicator is %s, which is not known", quote(page.Status.Indicator))
		}
		worse(o, fmt.Sprintf("the page says %s (%s)", quote(page.Status.Description), page.Status.Indicator))
	}
	for _, name := range p.names {
		i := slices.IndexFunc(page.Components, func(c remoteComponent) bool {
			return c.ID == name || strings.EqualFold(strings.TrimSpace(c.Name), name)
		})
		if i < 0 {
			return worst, "", fmt.Errorf("it has no component %s", quote(name))
		}
		c := page.Components[i]
		o, ok := remoteStatuses[c.Status]
		if !ok {
			return worst, "", fmt.Errorf("the status %s of its component %s is not known", quote(c.Status), quote(c.Name))
		}
		worse(o, fmt.Sprintf("%s there is in %s", quote(c.Name), strings.ReplaceAll(c.Status, "_", " ")))
	}
	return worst, why, nil
}
