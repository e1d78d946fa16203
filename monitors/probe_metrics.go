package monitors

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"evenkeel/internal/status"
)

// probeDesc describes one blackbox_exporter metric; labels come after the four
// that name the monitor.
type probeDesc struct {
	name, help string
	labels     []string
}

// The metrics of a probe, with blackbox_exporter's names and help.
var (
	descSuccess    = probeDesc{"probe_success", "Displays whether or not the probe was a success", nil}
	descDuration   = probeDesc{"probe_duration_seconds", "Returns how long the probe took to complete in seconds", nil}
	descDNSLookup  = probeDesc{"probe_dns_lookup_time_seconds", "Returns the time taken for probe dns lookup in seconds", nil}
	descIPProtocol = probeDesc{"probe_ip_protocol", "Specifies whether probe ip protocol is IP4 or IP6", nil}
	descCertExpiry = probeDesc{"probe_ssl_earliest_cert_expiry", "Returns last SSL chain expiry in unixtime", nil}
	descChain      = probeDesc{"probe_ssl_last_chain_expiry_timestamp_seconds", "Returns last SSL chain expiry in timestamp", nil}
	descTLSVersion = probeDesc{"probe_tls_version_info", "Returns the TLS version used or NaN when unknown", []string{"version"}}
	descValue      = probeDesc{"probe_value", "The number that a value monitor found", nil}

	descHTTPStatus    = probeDesc{"probe_http_status_code", "Response HTTP status code", nil}
	descHTTPDuration  = probeDesc{"probe_http_duration_seconds", "Duration of http request by phase, summed over all redirects", []string{"phase"}}
	descHTTPRedirects = probeDesc{"probe_http_redirects", "The number of redirects", nil}
	descHTTPSSL       = probeDesc{"probe_http_ssl", "Indicates if SSL was used for the final redirect", nil}
	descHTTPVersion   = probeDesc{"probe_http_version", "Returns the version of HTTP of the probe response", nil}
	descHTTPLength    = probeDesc{"probe_http_content_length", "Length of http content response", nil}
	descHTTPBody      = probeDesc{"probe_http_uncompressed_body_length", "Length of uncompressed response body", nil}
	descHTTPModified  = probeDesc{"probe_http_last_modified_timestamp_seconds", "Returns the Last-Modified HTTP response header in unixtime", nil}
	descRegex         = probeDesc{"probe_failed_due_to_regex", "Indicates if probe failed due to regex", nil}
	descCEL           = probeDesc{"probe_failed_due_to_cel", "Indicates if probe failed due to its condition", nil}

	descDNSDuration   = probeDesc{"probe_dns_duration_seconds", "Duration of DNS request by phase", []string{"phase"}}
	descDNSAnswer     = probeDesc{"probe_dns_answer_rrs", "Returns number of entries in the answer resource record list", nil}
	descDNSAuthority  = probeDesc{"probe_dns_authority_rrs", "Returns number of entries in the authority resource record list", nil}
	descDNSAdditional = probeDesc{"probe_dns_additional_rrs", "Returns number of entries in the additional resource record list", nil}
	descDNSSerial     = probeDesc{"probe_dns_serial", "Returns the serial number of the zone", nil}
	descDNSQuery      = probeDesc{"probe_dns_query_succeeded", "Displays whether or not the query was executed successfully", nil}

	descICMPDuration = probeDesc{"probe_icmp_duration_seconds", "Duration of icmp request by phase", []string{"phase"}}
	descICMPHops     = probeDesc{"probe_icmp_reply_hop_limit", "Replied packet hop limit (TTL for ipv4)", nil}
	descGRPCStatus   = probeDesc{"probe_grpc_status_code", "Response gRPC status code", nil}
	descGRPCDuration = probeDesc{"probe_grpc_duration_seconds", "Duration of gRPC request by phase", []string{"phase"}}
	descExit         = probeDesc{"probe_exec_exit_code", "Exit code of the command", nil}
	descLoss         = probeDesc{"probe_icmp_loss_ratio", "Part of the packets of the last run that were lost", nil}
	descHeartbeat    = probeDesc{"probe_heartbeat_last_success_timestamp_seconds", "When the job last said success, in unixtime", nil}
)

// numbered are the metrics that kinds send as Facts.Numbers, by name less "probe_".
var numbered = []probeDesc{
	descHTTPLength, descHTTPModified, descDNSAnswer, descDNSAuthority, descDNSAdditional, descDNSSerial, descDNSQuery, descICMPHops, descHeartbeat,
}

// probeDescs is the closed list: a metric that is not here is not sent.
var probeDescs = []probeDesc{
	descSuccess, descDuration, descDNSLookup, descIPProtocol, descCertExpiry, descChain, descTLSVersion, descValue,
	descHTTPStatus, descHTTPDuration, descHTTPRedirects, descHTTPSSL, descHTTPVersion, descHTTPLength, descHTTPBody, descHTTPModified, descRegex, descCEL,
	descDNSDuration, descDNSAnswer, descDNSAuthority, descDNSAdditional, descDNSSerial, descDNSQuery,
	descICMPDuration, descICMPHops, descGRPCStatus, descGRPCDuration, descExit, descLoss, descHeartbeat,
}

// monitorLabels name the monitor: ids only, never a URL, a host or a text.
var monitorLabels = []string{"monitor", "component", "kind", "location"}

// probeCollector gives the last result of every monitor as blackbox_exporter
// would have: series exist only while their monitor does.
type probeCollector struct {
	descs map[string]*prometheus.Desc
	named bool // series carry the labels of their monitor
	each  func(func(Job, status.Result))
}

// Collector gives the blackbox metrics of all monitors.
func (r *Runner) Collector() prometheus.Collector {
	return newProbeCollector(monitorLabels, func(yield func(Job, status.Result)) {
		r.mu.Lock()
		tasks := make([]*task, 0, len(r.tasks))
		for _, t := range r.tasks {
			tasks = append(tasks, t)
		}
		r.mu.Unlock()
		for _, t := range tasks {
			if res, ok := t.newest(); ok {
				yield(t.job, res)
			}
		}
	})
}

func newProbeCollector(labels []string, each func(func(Job, status.Result))) *probeCollector {
	c := &probeCollector{descs: make(map[string]*prometheus.Desc, len(probeDescs)), named: len(labels) > 0, each: each}
	for _, d := range probeDescs {
		c.descs[d.name] = prometheus.NewDesc(d.name, d.help, slices.Concat(labels, d.labels), nil)
	}
	return c
}

// Describe sends the descriptions of all metrics.
func (c *probeCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		ch <- d
	}
}

// Collect sends the metrics of every monitor that has a result.
func (c *probeCollector) Collect(ch chan<- prometheus.Metric) {
	c.each(func(j Job, res status.Result) {
		var monitor []*dto.LabelPair
		if c.named { // in the order of their names, as Write must give them
			monitor = pairs("component", j.Component, "kind", j.Kind, "location", j.Location, "monitor", j.ID)
		}
		c.collectOne(ch, monitor, j.Kind, res)
	})
}

// series is one number of one monitor. A const metric of the library makes the
// labels anew for every series, which at ten thousand monitors is most of the
// cost of a scrape; here all series of a monitor share them.
type series struct {
	desc   *prometheus.Desc
	labels []*dto.LabelPair // by name
	value  float64
}

// Desc gives the description.
func (s *series) Desc() *prometheus.Desc { return s.desc }

// Write gives labels and value.
func (s *series) Write(out *dto.Metric) error {
	out.Label, out.Gauge = s.labels, &dto.Gauge{Value: &s.value}
	return nil
}

// pairs makes labels of names and values in turn.
func pairs(words ...string) []*dto.LabelPair {
	made := make([]dto.LabelPair, len(words)/2)
	list := make([]*dto.LabelPair, len(made))
	for i := range made {
		made[i].Name, made[i].Value = &words[2*i], &words[2*i+1]
		list[i] = &made[i]
	}
	return list
}

// collectOne sends the metrics of one result. monitor are the labels that name it.
func (c *probeCollector) collectOne(ch chan<- prometheus.Metric, monitor []*dto.LabelPair, kind string, res status.Result) {
	send := func(d probeDesc, value float64, more ...string) {
		labels := monitor
		for i, name := range d.labels { // phase and version: behind monitor by name
			labels = slices.Concat(labels, pairs(name, more[i]))
		}
		ch <- &series{desc: c.descs[d.name], labels: labels, value: value}
	}
	facts := res.Facts
	if facts == nil {
		facts = &status.Facts{}
	}
	send(descSuccess, flag(res.Outcome == status.OK || res.Outcome == status.Slow))
	send(descDuration, res.Latency.Seconds())
	send(descDNSLookup, res.Phases[status.PhaseResolve].Seconds())
	if facts.IPVersion != 0 {
		send(descIPProtocol, float64(facts.IPVersion))
	}
	if !facts.CertExpiry.IsZero() {
		send(descCertExpiry, float64(facts.CertExpiry.Unix()))
	}
	if !facts.ChainExpiry.IsZero() {
		send(descChain, float64(facts.ChainExpiry.Unix()))
	}
	if facts.TLSVersion != "" {
		send(descTLSVersion, 1, facts.TLSVersion)
	}
	if res.HasValue {
		send(descValue, res.Value)
	}
	for _, d := range numbered {
		if v, ok := facts.Numbers[strings.TrimPrefix(d.name, "probe_")]; ok {
			send(d, v)
		}
	}
	c.collectKind(send, kind, res, facts)
}

// collectKind sends what only one kind has.
func (c *probeCollector) collectKind(send func(probeDesc, float64, ...string), kind string, res status.Result, facts *status.Facts) {
	phases := func(d probeDesc) {
		for p, name := range status.PhaseNames {
			send(d, res.Phases[p].Seconds(), name)
		}
	}
	switch kind {
	case "http":
		phases(descHTTPDuration)
		send(descHTTPStatus, float64(res.Code))
		send(descHTTPRedirects, float64(facts.Redirects))
		send(descHTTPSSL, flag(facts.TLSVersion != ""))
		send(descHTTPVersion, map[string]float64{"1.0": 1, "1.1": 1.1, "2": 2}[facts.HTTPVersion])
		send(descHTTPBody, float64(facts.Bytes))
		if _, ok := facts.Numbers["http_content_length"]; !ok {
			send(descHTTPLength, float64(facts.Bytes))
		}
		send(descRegex, facts.Numbers["failed_due_to_regex"])
		send(descCEL, facts.Numbers["failed_due_to_cel"])
	case "dns":
		send(descDNSDuration, res.Phases[status.PhaseResolve].Seconds(), "resolve")
		send(descDNSDuration, res.Phases[status.PhaseConnect].Seconds(), "connect")
		send(descDNSDuration, res.Phases[status.PhaseWait].Seconds(), "request")
	case "icmp":
		send(descICMPDuration, res.Phases[status.PhaseResolve].Seconds(), "resolve")
		send(descICMPDuration, res.Phases[status.PhaseConnect].Seconds(), "setup")
		send(descICMPDuration, res.Phases[status.PhaseWait].Seconds(), "rtt")
		send(descLoss, facts.Loss)
	case "grpc":
		send(descGRPCStatus, float64(res.Code))
		send(descGRPCDuration, res.Phases[status.PhaseResolve].Seconds(), "resolve")
		send(descGRPCDuration, res.Phases[status.PhaseWait].Seconds(), "check")
	case "exec":
		send(descExit, float64(res.Code))
	}
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
