package monitors

import (
	"strings"

	"evenkeel/internal/status"
)

// probeMetric is one metric of a probe, with blackbox_exporter's name and help.
type probeMetric struct {
	name, help string
	label      string // beside those that name the monitor; "" = none
	of         func(p *finding, send func(value float64, word string))
}

// finding is a result of which metrics are told, and the monitor's kind.
type finding struct {
	kind   string
	result status.Result
	facts  *status.Facts // never nil
}

// probeMetrics is the closed list: a metric that is not here is not told.
var probeMetrics = []probeMetric{
	{"probe_success", "Displays whether or not the probe was a success", "", always(func(p *finding) float64 {
		return flag(p.result.Outcome == status.OK || p.result.Outcome == status.Slow)
	})},
	{"probe_duration_seconds", "Returns how long the probe took to complete in seconds", "", always(func(p *finding) float64 { return p.result.Latency.Seconds() })},
	{"probe_dns_lookup_time_seconds", "Returns the time taken for probe dns lookup in seconds", "", always(func(p *finding) float64 { return p.phase(status.PhaseResolve) })},
	{"probe_ip_protocol", "Specifies whether probe ip protocol is IP4 or IP6", "", where(func(p *finding) bool { return p.facts.IPVersion != 0 },
		func(p *finding) float64 { return float64(p.facts.IPVersion) })},
	{"probe_ssl_earliest_cert_expiry", "Returns last SSL chain expiry in unixtime", "", where(func(p *finding) bool { return !p.facts.CertExpiry.IsZero() },
		func(p *finding) float64 { return float64(p.facts.CertExpiry.Unix()) })},
	{"probe_ssl_last_chain_expiry_timestamp_seconds", "Returns last SSL chain expiry in timestamp", "", where(func(p *finding) bool { return !p.facts.ChainExpiry.IsZero() },
		func(p *finding) float64 { return float64(p.facts.ChainExpiry.Unix()) })},
	{"probe_tls_version_info", "Returns the TLS version used or NaN when unknown", "version", func(p *finding, send func(float64, string)) {
		if p.facts.TLSVersion != "" {
			send(1, p.facts.TLSVersion)
		}
	}},
	{"probe_value", "The number that a value monitor found", "", where(func(p *finding) bool { return p.result.HasValue }, func(p *finding) float64 { return p.result.Value })},

	{"probe_http_status_code", "Response HTTP status code", "", of("http", code)},
	{"probe_http_duration_seconds", "Duration of http request by phase, summed over all redirects", "phase", func(p *finding, send func(float64, string)) {
		if p.kind == "http" {
			for phase, name := range status.PhaseNames {
				send(p.result.Phases[phase].Seconds(), name)
			}
		}
	}},
	{"probe_http_redirects", "The number of redirects", "", of("http", func(p *finding) float64 { return float64(p.facts.Redirects) })},
	{"probe_http_ssl", "Indicates if SSL was used for the final redirect", "", of("http", func(p *finding) float64 { return flag(p.facts.TLSVersion != "") })},
	{"probe_http_version", "Returns the version of HTTP of the probe response", "", of("http", func(p *finding) float64 { return httpVersions[p.facts.HTTPVersion] })},
	{"probe_http_content_length", "Length of http content response", "", func(p *finding, send func(float64, string)) {
		if v, ok := p.facts.Numbers["http_content_length"]; ok {
			send(v, "")
		} else if p.kind == "http" {
			send(float64(p.facts.Bytes), "")
		}
	}},
	{"probe_http_uncompressed_body_length", "Length of uncompressed response body", "", of("http", func(p *finding) float64 { return float64(p.facts.Bytes) })},
	numbered("probe_http_last_modified_timestamp_seconds", "Returns the Last-Modified HTTP response header in unixtime"),
	{"probe_failed_due_to_regex", "Indicates if probe failed due to regex", "", of("http", func(p *finding) float64 { return p.facts.Numbers["failed_due_to_regex"] })},
	{"probe_failed_due_to_cel", "Indicates if probe failed due to its condition", "", of("http", func(p *finding) float64 { return p.facts.Numbers["failed_due_to_cel"] })},

	{"probe_dns_duration_seconds", "Duration of DNS request by phase", "phase",
		phases("dns", spoken{"resolve", status.PhaseResolve}, spoken{"connect", status.PhaseConnect}, spoken{"request", status.PhaseWait})},
	numbered("probe_dns_answer_rrs", "Returns number of entries in the answer resource record list"),
	numbered("probe_dns_authority_rrs", "Returns number of entries in the authority resource record list"),
	numbered("probe_dns_additional_rrs", "Returns number of entries in the additional resource record list"),
	numbered("probe_dns_serial", "Returns the serial number of the zone"),
	numbered("probe_dns_query_succeeded", "Displays whether or not the query was executed successfully"),

	{"probe_icmp_duration_seconds", "Duration of icmp request by phase", "phase",
		phases("icmp", spoken{"resolve", status.PhaseResolve}, spoken{"setup", status.PhaseConnect}, spoken{"rtt", status.PhaseWait})},
	numbered("probe_icmp_reply_hop_limit", "Replied packet hop limit (TTL for ipv4)"),
	{"probe_icmp_loss_ratio", "Part of the packets of the last run that were lost", "", of("icmp", func(p *finding) float64 { return p.facts.Loss })},
	{"probe_grpc_status_code", "Response gRPC status code", "", of("grpc", code)},
	{"probe_grpc_duration_seconds", "Duration of gRPC request by phase", "phase",
		phases("grpc", spoken{"resolve", status.PhaseResolve}, spoken{"check", status.PhaseWait})},
	{"probe_exec_exit_code", "Exit code of the command", "", of("exec", code)},
	numbered("probe_heartbeat_last_success_timestamp_seconds", "When the job last said success, in unixtime"),
}

// httpVersions is how blackbox_exporter writes a version of HTTP.
var httpVersions = map[string]float64{"1.0": 1, "1.1": 1.1, "2": 2}

// spoken is a phase under the name that blackbox_exporter gives it.
type spoken struct {
	name  string
	phase status.Phase
}

// always tells a number of every result.
func always(number func(*finding) float64) func(*finding, func(float64, string)) {
	return func(p *finding, send func(float64, string)) { send(number(p), "") }
}

// where tells a number of the results that have it.
func where(has func(*finding) bool, number func(*finding) float64) func(*finding, func(float64, string)) {
	return func(p *finding, send func(float64, string)) {
		if has(p) {
			send(number(p), "")
		}
	}
}

// of tells a number of the results of one kind.
func of(kind string, number func(*finding) float64) func(*finding, func(float64, string)) {
	return where(func(p *finding) bool { return p.kind == kind }, number)
}

// phases tells how long each phase of one kind took.
func phases(kind string, all ...spoken) func(*finding, func(float64, string)) {
	return func(p *finding, send func(float64, string)) {
		if p.kind == kind {
			for _, s := range all {
				send(p.phase(s.phase), s.name)
			}
		}
	}
}

// numbered is a metric that kinds keep as Facts.Numbers, by its name less "probe_".
func numbered(name, help string) probeMetric {
	key := strings.TrimPrefix(name, "probe_")
	return probeMetric{name, help, "", func(p *finding, send func(float64, string)) {
		if v, ok := p.facts.Numbers[key]; ok {
			send(v, "")
		}
	}}
}

// code is the status code of the protocol.
func code(p *finding) float64 { return float64(p.result.Code) }

// phase is how long a phase took, in seconds.
func (p *finding) phase(n status.Phase) float64 { return p.result.Phases[n].Seconds() }

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
