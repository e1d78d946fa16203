package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
)

// Services are the simulated services. They listen on loopback only.
type Services struct {
	log     *slog.Logger
	began   time.Time
	turn    atomic.Uint64 // alternates answers while flapping
	Web     netip.AddrPort
	DNS     netip.AddrPort
	Data    netip.AddrPort
	Mail    netip.AddrPort
	PingURL string // where the export job reports; set before Run
	web     net.Listener
	dnsConn net.PacketConn
}

// Listen opens the sockets, at the wanted addresses where they are free and
// anywhere on loopback where they are not.
func Listen(log *slog.Logger, want Addresses) (*Services, error) {
	s := &Services{log: log}
	var err error
	if s.web, err = listenNear(want.Web); err != nil {
		return nil, fmt.Errorf("listen for the simulated web services: %w", err)
	}
	s.Web = s.web.Addr().(*net.TCPAddr).AddrPort()
	if s.dnsConn, err = net.ListenPacket("udp", want.DNS); err != nil {
		if s.dnsConn, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
			return nil, errors.Join(fmt.Errorf("listen for the simulated DNS: %w", err), s.web.Close())
		}
	}
	s.DNS = s.dnsConn.LocalAddr().(*net.UDPAddr).AddrPort()
	for _, end := range []struct {
		want string
		got  *netip.AddrPort
	}{{want.Data, &s.Data}, {want.Mail, &s.Mail}} {
		l, err := listenNear(end.want)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("listen for a simulated service: %w", err), s.web.Close(), s.dnsConn.Close())
		}
		*end.got = l.Addr().(*net.TCPAddr).AddrPort()
		// These two come and go with the script; the address stays known.
		if err := l.Close(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Addresses are where the services would like to listen.
type Addresses struct{ Web, DNS, Data, Mail string }

func listenNear(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	return l, nil
}

// Run plays the script until ctx ends.
func (s *Services) Run(ctx context.Context) error {
	s.began = time.Now()
	var wg sync.WaitGroup
	srv := &http.Server{Handler: s.pages(), ReadHeaderTimeout: 5 * time.Second}
	wg.Go(func() {
		if err := srv.Serve(s.web); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("simulated web services stopped", "err", err)
		}
	})
	names := &dns.Server{PacketConn: s.dnsConn, Handler: dns.HandlerFunc(s.answerDNS)}
	wg.Go(func() {
		if err := names.ActivateAndServe(); err != nil && ctx.Err() == nil {
			s.log.Error("simulated DNS stopped", "err", err)
		}
	})
	wg.Go(func() { s.keepListening(ctx, serviceDatabase, s.Data, serveDatabase) })
	wg.Go(func() { s.keepListening(ctx, serviceMail, s.Mail, s.serveMail) })
	wg.Go(func() { s.runExport(ctx) })
	<-ctx.Done()
	err := errors.Join(srv.Close(), names.Shutdown())
	wg.Wait()
	return err
}

func (s *Services) ails(service string) faultKind { return state(service, time.Since(s.began)) }

// pages are the shop's front page, the checkout and the search, and the
// metrics of a queue, each with a believable delay.
func (s *Services) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /shop", func(w http.ResponseWriter, r *http.Request) {
		delay := around(70 * time.Millisecond)
		if s.ails(serviceShop) == slow {
			delay = around(900 * time.Millisecond)
		}
		s.answer(w, r, delay, http.StatusOK, "text/html", "<!doctype html><title>Shop</title><p>Everything for the harbour.")
	})
	mux.HandleFunc("GET /checkout/health", func(w http.ResponseWriter, r *http.Request) {
		if s.ails(serviceDatabase) == refusing {
			s.answer(w, r, around(40*time.Millisecond), http.StatusServiceUnavailable, "application/json", `{"status":"no database"}`)
			return
		}
		s.answer(w, r, around(45*time.Millisecond), http.StatusOK, "application/json", `{"status":"ok","version":"2.30.4"}`)
	})
	mux.HandleFunc("GET /search/by-name", func(w http.ResponseWriter, r *http.Request) {
		s.answer(w, r, around(120*time.Millisecond), http.StatusOK, "application/json", `{"hits":17,"items":["rope","lamp"]}`)
	})
	mux.HandleFunc("GET /search/by-date", func(w http.ResponseWriter, r *http.Request) {
		if s.ails(serviceSearch) == failing {
			s.answer(w, r, around(30*time.Millisecond), http.StatusOK, "application/json", `{"hits":0,"items":[]}`)
			return
		}
		s.answer(w, r, around(150*time.Millisecond), http.StatusOK, "application/json", `{"hits":9,"items":["tide table"]}`)
	})
	mux.HandleFunc("GET /metrics/api/v1/query", func(w http.ResponseWriter, r *http.Request) {
		body := fmt.Sprintf(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"queue":"orders"},"value":[%d,"%d"]}]}}`,
			time.Now().Unix(), s.queueDepth())
		s.answer(w, r, around(5*time.Millisecond), http.StatusOK, "application/json", body)
	})
	return mux
}

// queueDepth grows while the database is away, as a queue would.
func (s *Services) queueDepth() int {
	depth := 12 + rand.IntN(9)
	for _, f := range script {
		if at := time.Since(s.began) % Cycle; f.service == serviceDatabase && at >= f.from && at < f.to {
			depth += int((at - f.from).Seconds()) * 15
		}
	}
	return depth
}

func (s *Services) answer(w http.ResponseWriter, r *http.Request, delay time.Duration, code int, kind, body string) {
	select {
	case <-r.Context().Done():
		return
	case <-time.After(delay):
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(code)
	if _, err := io.WriteString(w, body); err != nil {
		s.log.Debug("simulated answer not taken", "err", err)
	}
}

// around spreads a delay by a quarter either way.
func around(d time.Duration) time.Duration {
	return d*3/4 + rand.N(d/2)
}

func (s *Services) answerDNS(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg)
	m.SetReply(q)
	address := "192.0.2.10"
	if s.ails(serviceDNS) == failing {
		address = "192.0.2.66" // an old server: the answer is there, and wrong
	}
	for _, question := range q.Question {
		if question.Qtype != dns.TypeA {
			continue
		}
		m.Answer = append(m.Answer, &dns.A{
			Hdr: dns.RR_Header{Name: question.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 30},
			A:   net.ParseIP(address),
		})
	}
	if err := w.WriteMsg(m); err != nil {
		s.log.Debug("simulated DNS answer not taken", "err", err)
	}
}

// keepListening serves on addr, and goes away while the script refuses.
func (s *Services) keepListening(ctx context.Context, service string, addr netip.AddrPort, serve func(net.Conn)) {
	var l net.Listener
	var conns sync.WaitGroup
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		want := s.ails(service) != refusing && ctx.Err() == nil
		switch {
		case want && l == nil:
			opened, err := net.Listen("tcp", addr.String())
			if err != nil {
				s.log.Debug("simulated service not back yet", "service", service, "err", err)
				break
			}
			l = opened
			conns.Go(func() { acceptAll(opened, &conns, serve) })
		case !want && l != nil:
			if err := l.Close(); err != nil {
				s.log.Debug("close simulated service", "service", service, "err", err)
			}
			l = nil
		}
		select {
		case <-ctx.Done():
			if l != nil {
				if err := l.Close(); err != nil {
					s.log.Debug("close simulated service", "service", service, "err", err)
				}
			}
			conns.Wait()
			return
		case <-tick.C:
		}
	}
}

func acceptAll(l net.Listener, conns *sync.WaitGroup, serve func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return // closed by the script or the end
		}
		conns.Go(func() {
			defer c.Close()
			if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err == nil {
				serve(c)
			}
		})
	}
}

// serveDatabase greets and answers one ping, as line-based databases do.
func serveDatabase(c net.Conn) {
	if _, err := io.WriteString(c, "+READY simulated database 1.0\r\n"); err != nil {
		return
	}
	line := make([]byte, 64)
	n, err := c.Read(line)
	if err != nil {
		return
	}
	reply := "-ERR unknown command\r\n"
	if strings.HasPrefix(string(line[:n]), "PING") {
		reply = "+PONG\r\n"
	}
	if _, err := io.WriteString(c, reply); err != nil {
		return
	}
}

// serveMail greets as an IMAP server and understands LOGOUT; while flapping it
// hangs up on every other caller.
func (s *Services) serveMail(c net.Conn) {
	if s.ails(serviceMail) == flapping && s.turn.Add(1)%4 < 2 {
		return
	}
	if _, err := io.WriteString(c, "* OK [CAPABILITY IMAP4rev1] simulated mail ready\r\n"); err != nil {
		return
	}
	line := make([]byte, 256)
	for {
		n, err := c.Read(line)
		if err != nil {
			return
		}
		tag, rest, _ := strings.Cut(strings.TrimSpace(string(line[:n])), " ")
		reply := tag + " BAD unknown command\r\n"
		switch strings.ToUpper(rest) {
		case "CAPABILITY":
			reply = "* CAPABILITY IMAP4rev1\r\n" + tag + " OK done\r\n"
		case "NOOP":
			reply = tag + " OK done\r\n"
		case "LOGOUT":
			reply = "* BYE until next time\r\n" + tag + " OK done\r\n"
		}
		if _, err := io.WriteString(c, reply); err != nil {
			return
		}
	}
}

// runExport is the nightly job, sped up: it runs every ten seconds and reports
// to its heartbeat, but for the stretch in which it dies quietly.
func (s *Services) runExport(ctx context.Context) {
	client := &http.Client{Timeout: 3 * time.Second}
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for {
		if s.PingURL != "" && s.ails(serviceExport) != silent {
			for _, signal := range []string{"/start", ""} {
				if err := ping(ctx, client, s.PingURL+signal); err != nil && ctx.Err() == nil {
					s.log.Debug("simulated job could not report", "err", err)
				}
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func ping(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return fmt.Errorf("ping answered %s", resp.Status)
	}
	return nil
}
