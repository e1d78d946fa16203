package monitors

import (
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"evenkeel/internal/config"
	"evenkeel/internal/status"
)

// serveDNS answers over UDP and TCP on one port with what reply makes of the
// question; over says which of the two it is.
func serveDNS(t *testing.T, reply func(q *dns.Msg, over string) []*dns.Msg) string {
	t.Helper()
	var packets net.PacketConn
	var l net.Listener
	for l == nil { // until a port is free for both
		var err error
		if packets, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if l, err = net.Listen("tcp", packets.LocalAddr().String()); err != nil {
			packets.Close()
		}
	}
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		for _, m := range reply(q, w.LocalAddr().Network()) {
			if w.WriteMsg(m) != nil {
				return
			}
		}
	})
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait) // cleanups run last to first: after the servers were shut down
	for _, s := range []*dns.Server{{PacketConn: packets, Handler: handler}, {Listener: l, Handler: handler}} {
		up := make(chan struct{})
		s.NotifyStartedFunc = func() { close(up) }
		wg.Go(func() { _ = s.ActivateAndServe() })
		<-up
		t.Cleanup(func() { _ = s.Shutdown() })
	}
	return l.Addr().String()
}

// answering makes an answer of records in the form of a zone file.
func answering(q *dns.Msg, records ...string) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(q)
	for _, r := range records {
		rr, err := dns.NewRR(r)
		if err != nil {
			panic(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	return m
}

func TestDNSFollowsNothingAndComparesSets(t *testing.T) {
	at := serveDNS(t, func(q *dns.Msg, _ string) []*dns.Msg {
		return []*dns.Msg{answering(q, "www.example.org. 60 CNAME web.example.org.", "web.example.org. 30 A 192.0.2.2", "web.example.org. 20 A 192.0.2.1")}
	})
	spec := config.Monitor{Kind: "dns", Target: at, Query: "www.example.org"}
	res := ask(t, spec)
	wantResult(t, res, status.OK, status.CauseNone, "")
	if n := res.Facts.Numbers; n["dns_answer_rrs"] != 3 || n["dns_additional_rrs"] != 0 || n["dns_query_succeeded"] != 1 || res.Phases[status.PhaseWait] <= 0 {
		t.Errorf("numbers %v, phases %v", n, res.Phases)
	}
	spec.Expect = config.Expect{Records: []string{"192.0.2.1", "192.0.2.2"}, Condition: "ttl == 20 && count == 2"}
	wantResult(t, ask(t, spec), status.OK, status.CauseNone, "")
	spec.Expect = config.Expect{Records: []string{"192.0.2.1"}}
	wantResult(t, ask(t, spec), status.Failed, status.CauseBadAnswer, "www.example.org. A is 192.0.2.1, 192.0.2.2, want 192.0.2.1")
	spec.Expect = config.Expect{Contains: []string{"192.0.2.9"}}
	wantResult(t, ask(t, spec), status.Failed, status.CauseBadAnswer, `want "192.0.2.9" among them`)
	spec.Expect, spec.Record = config.Expect{}, "AAAA"
	wantResult(t, ask(t, spec), status.Failed, status.CauseBadAnswer, "has no record of type AAAA")
	spec.Record, spec.Expect.Contains = "CNAME", []string{"WEB.example.org."}
	wantResult(t, ask(t, spec), status.OK, status.CauseNone, "")
}

func TestDNSResponseCodes(t *testing.T) {
	at := serveDNS(t, func(q *dns.Msg, _ string) []*dns.Msg {
		m := new(dns.Msg)
		m.SetRcode(q, dns.RcodeNameError)
		return []*dns.Msg{m}
	})
	spec := config.Monitor{Kind: "dns", Target: at, Query: "gone.example.org"}
	res := ask(t, spec)
	wantResult(t, res, status.Failed, status.CauseBadAnswer, "gone.example.org. A is NXDOMAIN, want NOERROR")
	if res.Code != dns.RcodeNameError {
		t.Errorf("code %d", res.Code)
	}
	spec.Expect.Status = []string{"nxdomain", "SERVFAIL"}
	wantResult(t, ask(t, spec), status.OK, status.CauseNone, "")
}

func TestDNSAsksAgainOverTCPWhenTruncated(t *testing.T) {
	at := serveDNS(t, func(q *dns.Msg, over string) []*dns.Msg {
		m := answering(q, "example.org. 60 TXT \"a;b\" \" and \\\"c\\\"\"")
		if over == "udp" {
			m.Truncated, m.Answer = true, nil
		}
		return []*dns.Msg{m}
	})
	spec := config.Monitor{Kind: "dns", Target: at, Query: "example.org", Record: "TXT", Expect: config.Expect{Records: []string{`a;b and "c"`}}}
	wantResult(t, ask(t, spec), status.OK, status.CauseNone, "")
}

func TestDNSReadsPastWhatIsNotTheAnswer(t *testing.T) {
	stray := func(q *dns.Msg) *dns.Msg {
		m := answering(q, "www.example.org. 60 A 203.0.113.66")
		m.Id++
		return m
	}
	other := func(q *dns.Msg) *dns.Msg {
		m := answering(q, "evil.example.org. 60 A 203.0.113.66")
		m.Question = []dns.Question{{Name: "evil.example.org.", Qtype: dns.TypeA, Qclass: dns.ClassINET}}
		return m
	}
	at := serveDNS(t, func(q *dns.Msg, _ string) []*dns.Msg {
		return []*dns.Msg{stray(q), other(q), answering(q, "www.example.org. 60 A 192.0.2.1")}
	})
	spec := config.Monitor{Kind: "dns", Target: at, Query: "www.example.org", Expect: config.Expect{Records: []string{"192.0.2.1"}}}
	wantResult(t, ask(t, spec), status.OK, status.CauseNone, "")

	liar := serveDNS(t, func(q *dns.Msg, _ string) []*dns.Msg { return []*dns.Msg{stray(q)} })
	spec.Target = liar
	wantResult(t, askWithin(t, spec, quick), status.Failed, status.CauseBadAnswer, "not an answer to our question")

	flood := serveDNS(t, func(q *dns.Msg, _ string) []*dns.Msg {
		out := make([]*dns.Msg, 0, 2*maxDNSStrays)
		for range 2 * maxDNSStrays {
			out = append(out, stray(q))
		}
		return out
	})
	spec.Target = flood
	wantResult(t, askWithin(t, spec, 5*time.Second), status.Failed, status.CauseBadAnswer, "none of 64 datagrams is the answer")
}

func TestDNSAddressIsAskedForBackwards(t *testing.T) {
	var asked sync.Map
	at := serveDNS(t, func(q *dns.Msg, _ string) []*dns.Msg {
		asked.Store(q.Question[0].Name, true)
		return []*dns.Msg{answering(q, q.Question[0].Name+" 60 PTR host.example.org.")}
	})
	for _, address := range []string{"192.0.2.7", "2001:db8::7"} {
		spec := config.Monitor{Kind: "dns", Target: at, Query: address, Record: "PTR", Expect: config.Expect{Records: []string{"host.example.org"}}}
		wantResult(t, ask(t, spec), status.OK, status.CauseNone, "")
	}
	if _, ok := asked.Load("7.2.0.192.in-addr.arpa."); !ok {
		t.Error("192.0.2.7 was not asked for backwards")
	}
}

func TestDNSAsksTheSystemsServerByDefault(t *testing.T) {
	at := serveDNS(t, func(q *dns.Msg, _ string) []*dns.Msg {
		return []*dns.Msg{answering(q, "www.example.org. 60 A 192.0.2.1")}
	})
	host, _, err := net.SplitHostPort(at)
	if err != nil {
		t.Fatal(err)
	}
	p, err := compileDNS(config.Monitor{Kind: "dns", Query: "www.example.org"}, new(NewEnv(Env{
		ReadFile: func(string) ([]byte, error) { return []byte("search example.org\nnameserver " + host + "\n"), nil },
	})))
	if err != nil {
		t.Fatal(err)
	}
	server, err := p.(*dnsProbe).systemServer()
	if err != nil || server != host+":53" {
		t.Errorf("got %s, %v", server, err)
	}
}

func TestDNSExpectationsHaveOneForm(t *testing.T) {
	for _, row := range []struct{ record, text, want string }{
		{"A", "192.0.2.1", "192.0.2.1"},
		{"AAAA", "2001:DB8:0::1", "2001:db8::1"},
		{"MX", "10   Mail.Example.org.", "10 mail.example.org"},
		{"NS", "ns.example.org", "ns.example.org"},
		{"SRV", "1 2 443 web.example.org.", "1 2 443 web.example.org"},
		{"SOA", "ns.example.org. host.example.org. 7 1 2 3 4", "ns.example.org host.example.org 7 1 2 3 4"},
		{"TXT", `v=DKIM1; p="x\y"`, `v=DKIM1; p="x\y"`},
		{"CAA", "0 Issue letsencrypt.org", `0 issue "letsencrypt.org"`},
	} {
		got, err := dnsExpectation(row.record, row.text)
		if err != nil || got != row.want {
			t.Errorf("%s %s: got %q, %v; want %q", row.record, row.text, got, err, row.want)
		}
	}
	for _, row := range []struct{ record, text string }{{"A", "::1"}, {"A", ""}, {"MX", "mail"}, {"A", "192.0.2.1\n$INCLUDE /etc/passwd"}, {"NS", "a b"}, {"A", "$INCLUDE /etc/passwd"}} {
		if got, err := dnsExpectation(row.record, row.text); err == nil {
			t.Errorf("%s %q: got %q, want an error", row.record, row.text, got)
		}
	}
}

func FuzzDNSExpectation(f *testing.F) {
	for _, s := range []string{"192.0.2.1", "10 mail.example.org", `0 issue ";"`, "1 2 3 x.", "ns.a. b.c. 1 2 3 4 5", "$INCLUDE /x", "\\# 4 C0000201", `"a" "b"`, "(", "@"} {
		for record := range dnsTypes {
			f.Add(record, s)
		}
	}
	f.Fuzz(func(t *testing.T, record, text string) {
		if _, ok := dnsTypes[record]; !ok {
			return
		}
		value, err := dnsExpectation(record, text)
		if err != nil || record == "TXT" {
			return
		}
		if strings.ContainsAny(value, "\n\r") {
			t.Fatalf("%s %q: %q is more than one line", record, text, value)
		}
	})
}

func FuzzDNSAnswer(f *testing.F) {
	question := new(dns.Msg)
	question.SetQuestion("www.example.org.", dns.TypeA)
	question.Id = 7
	for _, records := range [][]string{{}, {"www.example.org. 60 A 192.0.2.1"}, {"www.example.org. 60 CNAME a.", "a. 1 A 192.0.2.1"}, {`www.example.org. 60 TXT "\"\007"`}, {`www.example.org. 1 CAA 0 issue "x"`}} {
		wire, err := answering(question, records...).Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire)
	}
	p := &dnsProbe{name: "www.example.org.", record: "A", accept: []int{0}}
	f.Fuzz(func(t *testing.T, wire []byte) {
		answer, why := dnsAnswer(wire, question)
		if why != "" {
			return
		}
		run := NewRun("m", "local", time.Time{})
		p.judge(run, answer, time.Millisecond)
		run.Text()
		for _, rr := range answer.Answer {
			dnsValue(rr)
		}
	})
}
