package monitors

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"evenkeel/internal/config"
	"evenkeel/internal/netguard"
	"evenkeel/internal/status"
)

// nameServer answers every A question with what addresses gives next.
func nameServer(t testing.TB, addresses func(name string) []string) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m := new(dns.Msg).SetReply(q)
		m.RecursionAvailable = true
		list := addresses(q.Question[0].Name)
		if len(list) == 0 {
			m.Rcode = dns.RcodeNameError
		}
		if q.Question[0].Qtype == dns.TypeA {
			for _, a := range list {
				rr, err := dns.NewRR(fmt.Sprintf("%s 0 IN A %s", q.Question[0].Name, a))
				if err != nil {
					t.Error(err)
				}
				m.Answer = append(m.Answer, rr)
			}
		}
		w.WriteMsg(m)
	})}
	up := make(chan struct{})
	server.NotifyStartedFunc = func() { close(up) }
	go server.ActivateAndServe()
	<-up
	t.Cleanup(func() { server.Shutdown() })
	return conn.LocalAddr().String()
}

func TestDialerOwnResolverAndPhases(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host) }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	names := nameServer(t, func(name string) []string {
		switch name {
		case "shop.example.org.":
			return []string{"127.0.0.1"}
		case "half.example.org.": // the first address does not answer
			return []string{"127.0.0.2", "127.0.0.1"}
		}
		return nil
	})
	spec := config.Monitor{Kind: "http", URL: "http://shop.example.org:" + port, Resolver: names, Expect: config.Expect{Body: "^shop.example.org:"}}
	res := probed(t, spec, time.Minute)
	wantHTTP(t, res, status.OK, status.CauseNone, "")
	if res.Phases[status.PhaseResolve] <= 0 {
		t.Error("resolving took no time")
	}
	spec.URL, spec.Expect.Body = "http://half.example.org:"+port, ""
	wantHTTP(t, probed(t, spec, time.Minute), status.OK, status.CauseNone, "")
	spec.URL = "http://absent.example.org:" + port
	wantHTTP(t, probed(t, spec, time.Minute), status.Failed, status.CauseNoAnswer, "the name absent.example.org does not exist")
	spec.URL, spec.IP = "http://127.0.0.1:"+port, "6"
	wantHTTP(t, probed(t, spec, time.Minute), status.Failed, status.CauseNoAnswer, "127.0.0.1 is not an IPv6 address")
}

// A name that gives a harmless address first and an inner one later (DNS
// rebinding) gains nothing: the guard looks at the address being dialled.
func TestDialerRebindingNameIsRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {}))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	var inner atomic.Value
	inner.Store("127.0.0.1")
	names := nameServer(t, func(string) []string { return []string{inner.Load().(string)} })
	guard, err := netguard.New(netguard.Options{AllowPrivate: true, Deny: []string{"10.9.0.0/16"}})
	if err != nil {
		t.Fatal(err)
	}
	p := compiled(t, config.Monitor{Kind: "http", URL: "http://rebind.example.org:" + port, Resolver: names}, Env{Guard: guard})
	run := func() status.Result { return Once(t.Context(), p, "key", "local", time.Minute) }
	wantHTTP(t, run(), status.OK, status.CauseNone, "")
	for address, why := range map[string]string{
		"169.254.169.254": "is a link-local address", "100.100.100.200": "is a metadata address", "10.9.8.7": "lies in the denied network 10.9.0.0/16",
	} {
		inner.Store(address)
		wantHTTP(t, run(), status.Inconclusive, status.CauseSelf, address+" "+why)
	}
}

// A redirect must not lead where the guard does not let a monitor go.
func TestDialerRedirectToMetadataIsRefused(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
	}))
	defer server.Close()
	wantHTTP(t, probed(t, config.Monitor{Kind: "http", URL: server.URL}, time.Minute), status.Inconclusive, status.CauseSelf, "link-local")
}

func TestDialerHTTPProxy(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "plain target") }))
	defer plain.Close()
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "secure target") }))
	defer secure.Close()
	var seen atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen.Store(r.Method + " " + r.RequestURI)
		if r.Header.Get("Proxy-Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte("u:proxy-password")) {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		if r.Method != http.MethodConnect {
			resp, err := http.Get(r.RequestURI)
			if err != nil {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			defer resp.Body.Close()
			io.Copy(w, resp.Body)
			return
		}
		to, err := net.Dial("tcp", r.RequestURI)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.WriteHeader(http.StatusOK)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		go func() {
			io.Copy(to, conn)
			to.Close()
		}()
		io.Copy(conn, to)
		conn.Close()
	}))
	defer proxy.Close()
	at := strings.Replace(proxy.URL, "http://", "http://u:proxy-password@", 1)
	spec := config.Monitor{Kind: "http", URL: plain.URL + "/x", Proxy: at, Expect: config.Expect{Body: "plain target"}}
	wantHTTP(t, probed(t, spec, time.Minute), status.OK, status.CauseNone, "")
	if got := seen.Load(); got != "GET "+plain.URL+"/x" {
		t.Errorf("the proxy was asked %q", got)
	}
	spec = config.Monitor{Kind: "http", URL: secure.URL, Proxy: at, TLS: config.TLS{CAFile: certificates(t, secure)}, Expect: config.Expect{Body: "secure target"}}
	res := probed(t, spec, time.Minute)
	wantHTTP(t, res, status.OK, status.CauseNone, "")
	if got := seen.Load(); got != "CONNECT "+secure.Listener.Addr().String() {
		t.Errorf("the proxy was asked %q", got)
	}
	spec.Proxy = proxy.URL
	wantHTTP(t, probed(t, spec, time.Minute), status.Failed, status.CauseNoAnswer, "the proxy did not connect: status 407")
	if log := strings.Join(res.Facts.Log, "\n"); strings.Contains(log, "proxy-password") {
		t.Errorf("the log shows the proxy's password: %s", log)
	}
	spec.URL = "https://169.254.169.254"
	wantHTTP(t, probed(t, spec, time.Minute), status.Inconclusive, status.CauseSelf, "link-local")
}

// socksServer is a SOCKS5 proxy without sign-in that connects everybody to address.
func socksServer(t testing.TB, address string) string {
	return speaks(t, func(conn net.Conn) {
		r := bufio.NewReader(conn)
		head := make([]byte, 2)
		if _, err := io.ReadFull(r, head); err != nil {
			return
		}
		io.CopyN(io.Discard, r, int64(head[1]))
		conn.Write([]byte{5, 0})
		ask := make([]byte, 5)
		if _, err := io.ReadFull(r, ask); err != nil || ask[3] != 3 { // a name: the proxy resolves it
			conn.Write([]byte{5, 8, 0, 1, 0, 0, 0, 0, 0, 0})
			return
		}
		io.CopyN(io.Discard, r, int64(ask[4])+2)
		to, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		defer to.Close()
		conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		go io.Copy(to, r)
		io.Copy(conn, to)
	})
}

func TestDialerSOCKSProxyResolvesTheName(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "hello ", r.Host) }))
	defer server.Close()
	proxy := "socks5://" + socksServer(t, server.Listener.Addr().String())
	spec := config.Monitor{Kind: "http", URL: "http://inner.example.org/", Proxy: proxy, Expect: config.Expect{Body: "^hello inner.example.org$"}}
	wantHTTP(t, probed(t, spec, time.Minute), status.OK, status.CauseNone, "")
	silent := speaks(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })
	spec.Proxy = "socks5://" + silent
	wantHTTP(t, probed(t, spec, 200*time.Millisecond), status.Failed, status.CauseNoAnswer, "no answer in time")
	rude := speaks(t, func(conn net.Conn) { conn.Write([]byte("no\r\n")) })
	spec.Proxy = "http://" + rude
	spec.URL = "https://inner.example.org/"
	res := probed(t, spec, time.Minute)
	if res.Outcome != status.Failed || res.Reason == "" {
		t.Errorf("a proxy that talks nonsense: %+v", res)
	}
}
