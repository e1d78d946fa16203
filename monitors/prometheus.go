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

// prometheusKeys are the options of kind prometheus.
var prometheusKeys = slices.Concat([]string{"query"}, fetchKeys, valueKeys)

// maxPromAnswer is the longest answer that is read, in bytes: one number needs little.
const maxPromAnswer = 1 << 20

// prometheusProbe records the number that an instant query gives (PromQL, HTTP
// API v1): a scalar, or a vector of one series.
type prometheusProbe struct {
	http   *httpProbe
	query  string
	limits threshold
}

// compilePrometheus is the kind prometheus. Errors: Invalid.
func compilePrometheus(spec config.Monitor, env *Env) (Probe, error) {
	var found problem.Errors
	p := &prometheusProbe{query: spec.Query}
	if strings.TrimSpace(spec.Query) == "" {
		found = append(found, problem.Invalid("query", "is needed: a PromQL expression that gives one number"))
	}
	var err error
	p.limits, err = compileThreshold(spec.Value)
	found = collect(found, err)
	p.http, err = compileFetch(spec, env, maxPromAnswer, func(u *url.URL) {
		if !strings.HasSuffix(u.Path, "/api/v1/query") {
			u.Path = strings.TrimSuffix(u.Path, "/") + "/api/v1/query"
		}
		q := u.Query()
		q.Set("query", spec.Query)
		u.RawQuery = q.Encode()
	})
	if found = collect(found, err); len(found) > 0 {
		return nil, found
	}
	return p, nil
}

// Close lets go of connections.
func (p *prometheusProbe) Close() { p.http.Close() }

// Probe asks once.
func (p *prometheusProbe) Probe(ctx context.Context, run *Run) status.Result {
	var ans answer
	defer ans.release()
	text, res, ok := p.http.document(ctx, run, &ans)
	if !ok {
		return res
	}
	took := run.Elapsed()
	value, err := promValue(text)
	if err != nil {
		return run.Fail(status.CauseBadAnswer, "%s", err)
	}
	return p.limits.judge(run, "the query", value, took)
}

// promResult is what the API answers, as far as it matters here.
type promResult struct {
	Status string `json:"status"`
	Error  string `json:"error"`
	Data   struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

// promSample is one point: Unix seconds and the value as text.
type promSample [2]json.RawMessage

func (s promSample) value() (float64, error) {
	var text string
	if err := json.Unmarshal(s[1], &text); err != nil {
		return 0, errors.New("the answer holds a sample that is none")
	}
	v, ok := parseNumber(text)
	if !ok {
		return 0, fmt.Errorf("the value is %s, not a number to judge", quote(text))
	}
	return v, nil
}

// promValue reads the one number of an answer. The error is a sentence.
func promValue(text []byte) (float64, error) {
	var answer promResult
	if err := json.Unmarshal(text, &answer); err != nil {
		return 0, errors.New("the answer is not the JSON of a Prometheus server")
	}
	if answer.Status != "success" {
		return 0, fmt.Errorf("the query is refused: %s", quote(answer.Error))
	}
	switch answer.Data.ResultType {
	case "scalar":
		var sample promSample
		if err := json.Unmarshal(answer.Data.Result, &sample); err != nil {
			return 0, errors.New("the answer holds a scalar that is none")
		}
		return sample.value()
	case "vector":
		var series []struct {
			Value promSample `json:"value"`
		}
		if err := json.Unmarshal(answer.Data.Result, &series); err != nil {
			return 0, errors.New("the answer holds a vector that is none")
		}
		switch len(series) {
		case 0:
			return 0, errors.New("the query gives no series")
		case 1:
			return series[0].Value.value()
		}
		return 0, fmt.Errorf("the query gives %d series, want one: aggregate them with sum() or max()", len(series))
	}
	return 0, fmt.Errorf("the query gives a %s, want a scalar or an instant vector", quote(answer.Data.ResultType))
}
