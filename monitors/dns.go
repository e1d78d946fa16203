package monitors

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// dnsKeys are the options of kind dns.
var dnsKeys = []string{
	"target", "ip", "resolver", "proxy", "tls", "query", "record", "transport",
	"expect.status", "expect.records", "expect.contains", "expect.condition", "cert_expires_within", "cert_fails_within",
}

// Limits of a DNS exchange.
const (
	dnsUDPSize   = 1232 // bytes of an answer we invite over UDP: fits every path (DNS flag day 2020)
	maxDNSStrays = 64   // datagrams that are not our answer, read past in one run
	maxDNSShown  = 20   // records named in a reason or log
)

// dnsTypes are the record types that can be asked for.
var dnsTypes = map[string]uint16{
	"A": dns.TypeA, "AAAA": dns.TypeAAAA, "CNAME": dns.TypeCNAME, "MX": dns.TypeMX, "NS": dns.TypeNS,
	"TXT": dns.TypeTXT, "SOA": dns.TypeSOA, "SRV": dns.TypeSRV, "PTR": dns.TypePTR, "CAA": dns.TypeCAA,
}

// dnsProbe asks one question of one server and judges the answer: the response
// code, and the records of the type asked for. Records are compared as sets:
// their order means nothing, nor do letter case and the last dot of names.
type dnsProbe struct {
	dial      *Dialer
	server    string // host:port; "" = the system's first resolver, looked up at every run
	transport string // udp, tcp, tls
	secure    *tls.Config
	readFile  func(string) ([]byte, error)

	name     string // fully qualified
	record   string
	accept   []int // response codes
	exact    []string
	contains []string
	certs    certLimits
	cond     *Condition
}

// dnsFacts is what a condition may ask of an answer.
type dnsFacts struct {
	Latency float64  `expr:"latency"` // ms
	RCode   string   `expr:"rcode"`   // NOERROR, NXDOMAIN, …
	Records []string `expr:"records"` // of the type asked for
	Count   int      `expr:"count"`   // of them
	TTL     int      `expr:"ttl"`     // the lowest of them, seconds
	Serial  int      `expr:"serial"`  // of an SOA record
}

// dnsPorts are the default ports of the transports, and so the list of them.
var dnsPorts = map[string]string{"udp": "53", "tcp": "53", "tls": "853"}

// compileDNS is the kind dns. The server asked is target:, else resolver:, else
// the system's. Errors: Invalid.
func compileDNS(spec config.Monitor, env *Env) (Probe, error) {
	var found problem.Errors
	p := &dnsProbe{transport: spec.Transport, readFile: env.ReadFile, record: strings.ToUpper(spec.Record), certs: env.certLimits(spec)}
	if p.transport == "" {
		p.transport = "udp"
	}
	port, ok := dnsPorts[p.transport]
	if !ok {
		found = append(found, problem.Invalid("transport", "%q is not udp, tcp or tls", spec.Transport))
	}
	var err error
	server, field := spec.Target, "target"
	if server == "" {
		server, field = spec.Resolver, "resolver"
		spec.Resolver = "" // it is what is asked, not what finds the server
	}
	if server != "" && ok {
		if p.server, err = withPort(server, port); err != nil {
			found = append(found, problem.Invalid(field, "%q is not host:port of a name server", server))
		}
	}
	p.dial, err = env.Dialer(spec)
	found = collect(found, err)
	host, _, err := net.SplitHostPort(p.server)
	if err != nil && p.transport == "tls" {
		found = append(found, problem.Invalid("target", "is needed with transport: tls"))
	}
	p.secure, err = env.tlsFor(spec, target{host: host})
	found = collect(found, err)
	if spec.TLS != (config.TLS{}) && p.transport != "tls" {
		found = append(found, problem.Invalid("tls", "needs transport: tls"))
	}
	if spec.Proxy != "" && p.transport == "udp" {
		found = append(found, problem.Invalid("proxy", "needs transport: tcp or tls"))
	}
	found = collect(found, p.compileQuestion(spec))
	found = collect(found, p.compileExpect(spec))
	p.cond, err = env.Condition("expect.condition", spec.Expect.Condition, dnsFacts{})
	return p, collect(found, err).Err()
}

// compileQuestion reads the name and the type. The type PTR takes an address too.
func (p *dnsProbe) compileQuestion(spec config.Monitor) error {
	var found problem.Errors
	if p.record == "" {
		p.record = "A"
	}
	if _, ok := dnsTypes[p.record]; !ok {
		found = append(found, problem.Invalid("record", "%q is not known; one of %s", spec.Record, strings.Join(sortedKeys(dnsTypes), ", ")))
	}
	name := spec.Query
	if p.record == "PTR" {
		if _, err := netip.ParseAddr(name); err == nil {
			if name, err = dns.ReverseAddr(name); err != nil {
				found = append(found, problem.Invalid("query", "%q is not an address", spec.Query))
			}
		}
	}
	if _, ok := dns.IsDomainName(name); !ok || name == "" {
		found = append(found, problem.Invalid("query", "%q is not a name that can be asked for", spec.Query))
	}
	p.name = dns.CanonicalName(name)
	return found.Err()
}

// compileExpect reads which response codes and records are good.
func (p *dnsProbe) compileExpect(spec config.Monitor) error {
	var found problem.Errors
	for _, word := range spec.Expect.Status {
		code, ok := dns.StringToRcode[strings.ToUpper(word)]
		if !ok {
			found = append(found, problem.Invalid("expect.status", "%q is not a response code like NOERROR or NXDOMAIN", word))
		}
		p.accept = append(p.accept, code)
	}
	if len(spec.Expect.Status) == 0 {
		p.accept = []int{dns.RcodeSuccess}
	}
	for _, list := range []struct {
		field string
		texts []string
		to    *[]string
	}{{"expect.records", spec.Expect.Records, &p.exact}, {"expect.contains", spec.Expect.Contains, &p.contains}} {
		for _, text := range list.texts {
			value, err := dnsExpectation(p.record, text)
			if err != nil {
				found = append(found, problem.Invalid(list.field, "%q is not the data of a record of type %s", text, p.record))
			}
			*list.to = append(*list.to, value)
		}
	}
	slices.Sort(p.exact)
	p.exact = slices.Compact(p.exact)
	return found.Err()
}

// dnsExpectation brings the data of a record, as a person writes it, into the
// form of dnsValue: "10 mail.example.org", `0 issue "letsencrypt.org"`.
func dnsExpectation(record, text string) (string, error) {
	if record == "TXT" {
		return text, nil
	}
	special := "\n\r;()$" // one record, nothing of a zone file besides
	if record == "CAA" {
		special = "\n\r" // its value is quoted, and ";" is one
	}
	if strings.ContainsAny(text, special) {
		return "", fmt.Errorf("%q is not one record", text)
	}
	rr, err := dns.NewRR(". 0 IN " + record + " " + text)
	if err != nil {
		return "", err
	}
	if rr == nil || rr.Header().Rrtype != dnsTypes[record] {
		return "", fmt.Errorf("%q is not a record of type %s", text, record)
	}
	return dnsValue(rr), nil
}

// dnsValue writes the data of a record in one form only.
func dnsValue(rr dns.RR) string {
	switch rr := rr.(type) {
	case *dns.TXT:
		return dnsUnescape(strings.Join(rr.Txt, ""))
	case *dns.A:
		return rr.A.String()
	case *dns.AAAA:
		return rr.AAAA.String()
	case *dns.CAA:
		return fmt.Sprintf("%d %s %q", rr.Flag, strings.ToLower(rr.Tag), rr.Value)
	}
	words := strings.Fields(strings.TrimPrefix(rr.String(), rr.Header().String()))
	for i, w := range words {
		words[i] = strings.ToLower(w)
		if len(w) > 1 {
			words[i] = strings.TrimSuffix(words[i], ".")
		}
	}
	return strings.Join(words, " ")
}

// dnsUnescape turns the presentation form of a text (\" and \065) into the text.
func dnsUnescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] != '\\' || i+1 == len(s):
			b.WriteByte(s[i])
		case i+3 < len(s) && isDigits(s[i+1:i+4]):
			n, _ := strconv.Atoi(s[i+1 : i+4])
			b.WriteByte(byte(n)) // three digits of the presentation form are one byte
			i += 3
		default:
			i++
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

func isDigits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

// Close has nothing to let go of.
func (p *dnsProbe) Close() {}

// Probe asks once. An answer that did not fit a datagram is asked for again
// over TCP, as resolvers do (RFC 7766 section 5).
func (p *dnsProbe) Probe(ctx context.Context, run *Run) status.Result {
	server := p.server
	if server == "" {
		var err error
		if server, err = p.systemServer(); err != nil {
			return run.Unknown("no server is named and the system's resolver is not known: %v", err)
		}
	}
	answer, err := p.ask(ctx, run, server, p.transport)
	if err == nil && answer.Truncated && p.transport == "udp" {
		run.Log("the answer did not fit, asking again over tcp")
		answer, err = p.ask(ctx, run, server, "tcp")
	}
	if err != nil {
		return failTalk(ctx, run, err, "asking "+server)
	}
	return p.judge(run, answer, run.Elapsed())
}

// systemServer gives the first name server of this machine.
func (p *dnsProbe) systemServer() (string, error) {
	text, err := p.readFile("/etc/resolv.conf")
	if err != nil {
		return "", err
	}
	conf, err := dns.ClientConfigFromReader(strings.NewReader(string(text)))
	if err != nil {
		return "", err
	}
	if len(conf.Servers) == 0 {
		return "", errors.New("/etc/resolv.conf names no server")
	}
	return net.JoinHostPort(conf.Servers[0], dnsPorts[p.transport]), nil
}

// ask sends the question over one connection and reads its answer.
func (p *dnsProbe) ask(ctx context.Context, run *Run, server, transport string) (*dns.Msg, error) {
	network := "udp"
	if transport != "udp" {
		network = "tcp"
	}
	conn, err := p.dial.Dial(ctx, run, network, server)
	if err != nil {
		return nil, err
	}
	defer func() { conn.Close() }()
	defer interrupt(ctx, conn)()
	if transport == "tls" {
		secured, err := Handshake(ctx, run, conn, p.secure)
		if err != nil {
			return nil, err
		}
		conn = secured
	}
	question := new(dns.Msg)
	question.SetQuestion(p.name, dnsTypes[p.record])
	question.SetEdns0(dnsUDPSize, false)
	wire, err := question.Pack()
	if err != nil {
		return nil, err
	}
	if network == "tcp" {
		wire = append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...)
	}
	run.Log("asking %s for %s %s over %s", server, p.name, p.record, transport)
	if _, err := conn.Write(wire); err != nil {
		return nil, err
	}
	var answer *dns.Msg
	if network == "tcp" {
		answer, err = readStream(conn, question)
	} else {
		answer, err = readDatagrams(conn, run, question)
	}
	run.Mark(status.PhaseWait)
	return answer, err
}

// readStream reads one message with its length before it (RFC 1035 section 4.2.2).
func readStream(conn net.Conn, question *dns.Msg) (*dns.Msg, error) {
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	wire := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, wire); err != nil {
		return nil, err
	}
	answer, why := dnsAnswer(wire, question)
	if why != "" {
		return nil, wrongf("the answer %s", why)
	}
	return answer, nil
}

// readDatagrams reads past what is not the answer: late answers to earlier
// questions, and what somebody else makes up.
func readDatagrams(conn net.Conn, run *Run, question *dns.Msg) (*dns.Msg, error) {
	buf := make([]byte, dns.MaxMsgSize)
	why := ""
	for range maxDNSStrays {
		n, err := conn.Read(buf)
		if err != nil {
			if why != "" {
				return nil, wrongf("what came %s", why)
			}
			return nil, err
		}
		var answer *dns.Msg
		if answer, why = dnsAnswer(buf[:n], question); why == "" {
			return answer, nil
		}
		run.Log("a datagram of %d bytes %s", n, why)
	}
	return nil, wrongf("none of %d datagrams is the answer; the last %s", maxDNSStrays, why)
}

// dnsAnswer reads a message and says why it is not the answer to the question,
// if it is not (RFC 5452 section 9.1).
func dnsAnswer(wire []byte, question *dns.Msg) (answer *dns.Msg, why string) {
	m := new(dns.Msg)
	if err := m.Unpack(wire); err != nil {
		return nil, "is not a DNS message: " + printable(err.Error(), maxQuoted)
	}
	switch {
	case m.Id != question.Id || !m.Response:
		return nil, "is not an answer to our question"
	case len(m.Question) == 0 && m.Rcode != dns.RcodeSuccess:
		return m, "" // some servers refuse without repeating the question
	case len(m.Question) != 1 || m.Question[0].Qtype != question.Question[0].Qtype ||
		m.Question[0].Qclass != question.Question[0].Qclass || !strings.EqualFold(m.Question[0].Name, question.Question[0].Name):
		return nil, "answers another question"
	}
	return m, ""
}

// judge compares the answer with what is expected.
func (p *dnsProbe) judge(run *Run, answer *dns.Msg, took time.Duration) status.Result {
	facts := dnsFacts{Latency: milliseconds(took), RCode: dns.RcodeToString[answer.Rcode]}
	if facts.RCode == "" {
		facts.RCode = fmt.Sprintf("RCODE%d", answer.Rcode)
	}
	for _, rr := range answer.Answer {
		run.Log("%s", rr)
		if rr.Header().Rrtype != dnsTypes[p.record] {
			continue // a CNAME on the way
		}
		facts.Records = append(facts.Records, dnsValue(rr))
		if ttl := int(rr.Header().Ttl); facts.Count == 0 || ttl < facts.TTL {
			facts.TTL = ttl
		}
		if soa, ok := rr.(*dns.SOA); ok {
			facts.Serial = int(soa.Serial)
			run.Number("dns_serial", float64(soa.Serial))
		}
		facts.Count++
	}
	run.Log("%s, %d records of type %s", facts.RCode, facts.Count, p.record)
	run.Number("dns_answer_rrs", float64(len(answer.Answer)))
	run.Number("dns_authority_rrs", float64(len(answer.Ns)))
	run.Number("dns_additional_rrs", float64(len(answer.Extra)))
	run.Number("dns_query_succeeded", 1)

	slices.Sort(facts.Records)
	facts.Records = slices.Compact(facts.Records)
	var res status.Result
	if why := p.failure(answer.Rcode, facts); why != "" {
		res = run.Fail(status.CauseBadAnswer, "%s", why)
		res.Latency = took
	} else {
		res = conclude(run, took, p.certs, p.cond, facts)
	}
	res.Code = answer.Rcode
	return res
}

// failure gives the first expectation that does not hold, "" when all do. A
// good answer has a record of the type asked for, unless the monitor expects a
// response code other than NOERROR.
func (p *dnsProbe) failure(rcode int, facts dnsFacts) string {
	if !slices.Contains(p.accept, rcode) {
		return fmt.Sprintf("%s %s is %s, want %s", p.name, p.record, facts.RCode, rcodes(p.accept))
	}
	if p.exact != nil && !slices.Equal(p.exact, facts.Records) {
		return fmt.Sprintf("%s %s is %s, want %s", p.name, p.record, records(facts.Records), records(p.exact))
	}
	for _, want := range p.contains {
		if !slices.Contains(facts.Records, want) {
			return fmt.Sprintf("%s %s is %s, want %s among them", p.name, p.record, records(facts.Records), quote(want))
		}
	}
	if rcode == dns.RcodeSuccess && facts.Count == 0 {
		return fmt.Sprintf("%s has no record of type %s", p.name, p.record)
	}
	return ""
}

// records writes a list for a reason.
func records(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	more := ""
	if len(list) > maxDNSShown {
		more = fmt.Sprintf(" and %d more", len(list)-maxDNSShown)
		list = list[:maxDNSShown]
	}
	return strings.Join(list, ", ") + more
}

func rcodes(list []int) string {
	words := make([]string, len(list))
	for i, c := range list {
		words[i] = dns.RcodeToString[c]
	}
	return strings.Join(words, " or ")
}
