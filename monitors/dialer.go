package monitors

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/proxy"

	"evenkeel/internal/config"
	"evenkeel/internal/netguard"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// dialKeys are the options of every kind that connects through a Dialer.
var dialKeys = []string{"ip", "proxy", "resolver"}

// minAddressTime is the least time one of several addresses of a name gets
// before the next is tried.
const minAddressTime = 500 * time.Millisecond

// maxProxyAnswer bounds the header of a proxy's answer, in bytes.
const maxProxyAnswer = 16 << 10

// Dialer connects to targets the way a monitor asks for: by one IP version, by
// its own resolver, through a proxy; always through the guard. It marks the
// phases resolve and connect. Safe for concurrent use.
type Dialer struct {
	guard    *netguard.Guard
	family   string // "ip", "ip4" or "ip6", as net.Resolver has it
	resolver *net.Resolver
	proxy    *url.URL // nil for none
	proxyTLS *tls.Config
}

// Dialer compiles the options ip, resolver and proxy. Errors: Invalid.
func (e *Env) Dialer(spec config.Monitor) (*Dialer, error) {
	if (spec.IP == "" || spec.IP == "any") && spec.Resolver == "" && spec.Proxy == "" && e.shared.dialer.guard == e.Guard {
		return e.shared.dialer, nil
	}
	var found problem.Errors
	d := &Dialer{guard: e.Guard, resolver: net.DefaultResolver}
	switch spec.IP {
	case "", "any":
		d.family = "ip"
	case "4":
		d.family = "ip4"
	case "6":
		d.family = "ip6"
	default:
		found = append(found, problem.Invalid("ip", "%q is not any, 4 or 6", spec.IP))
	}
	if spec.Resolver != "" {
		server, err := withPort(spec.Resolver, "53")
		if err != nil {
			found = append(found, problem.Invalid("resolver", "%q is not host:port of a name server", spec.Resolver))
		}
		d.resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{ControlContext: e.Guard.ControlContext}).DialContext(ctx, network, server)
		}}
	}
	if spec.Proxy != "" {
		u, err := url.Parse(spec.Proxy)
		switch {
		case err != nil || u.Host == "":
			found = append(found, problem.Invalid("proxy", "is not a URL like http://proxy.example.org:3128"))
		case u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "socks5":
			found = append(found, problem.Invalid("proxy", "the scheme %q is not http, https or socks5", u.Scheme))
		default:
			d.proxy = u
			if u.User != nil {
				if password, ok := u.User.Password(); ok {
					e.hide(password)
				}
			}
			if u.Scheme == "https" {
				d.proxyTLS = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
			}
		}
	}
	return d, found.Err()
}

// withPort completes host or host:port.
func withPort(address, port string) (string, error) {
	if _, err := netip.ParseAddr(address); err == nil {
		return net.JoinHostPort(address, port), nil
	}
	if !strings.Contains(address, ":") {
		address += ":" + port
	}
	host, p, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if n, err := strconv.ParseUint(p, 10, 16); err != nil || n == 0 || host == "" {
		return "", fmt.Errorf("%q is not host:port", address)
	}
	return address, nil
}

// Dial connects to address, "host:port" or the path of a unix socket, and marks
// the phases. network is tcp, udp or unix. The connection has the deadline of
// ctx. Errors are for Run.FailErr.
func (d *Dialer) Dial(ctx context.Context, run *Run, network, address string) (net.Conn, error) {
	if network == "unix" {
		conn, err := (&net.Dialer{ControlContext: d.guard.ControlContext}).DialContext(ctx, network, address)
		run.Mark(status.PhaseConnect)
		return withDeadline(ctx, conn, err)
	}
	if d.proxy != nil && network == "tcp" {
		return d.dialThroughProxy(ctx, run, address)
	}
	return d.dialDirect(ctx, run, network, address)
}

// Resolve gives the addresses of host in the order in which to try them, and
// marks the phase. A literal address costs nothing.
func (d *Dialer) Resolve(ctx context.Context, run *Run, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		if (d.family == "ip4" && !a.Is4()) || (d.family == "ip6" && a.Is4()) {
			return nil, fmt.Errorf("%s is not an IPv%s address", host, d.family[2:])
		}
		return []netip.Addr{a}, nil
	}
	addrs, err := d.resolver.LookupNetIP(ctx, d.family, host)
	run.Mark(status.PhaseResolve)
	if err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	for i, a := range addrs {
		addrs[i] = a.Unmap()
	}
	run.Log("%s is %v", host, addrs)
	return addrs, nil
}

func (d *Dialer) dialDirect(ctx context.Context, run *Run, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	n, err := net.DefaultResolver.LookupPort(ctx, network, port)
	if err != nil {
		return nil, err
	}
	addrs, err := d.Resolve(ctx, run, host)
	if err != nil {
		return nil, err
	}
	for i, a := range addrs {
		var conn net.Conn
		conn, err = d.dialAddr(ctx, network, netip.AddrPortFrom(a, uint16(n)), len(addrs)-i)
		run.Mark(status.PhaseConnect)
		if err == nil {
			run.Facts().IPVersion = 4
			if a.Is6() {
				run.facts.IPVersion = 6
			}
			return conn, nil
		}
		run.Log("connecting to %s: %v", a, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

// dialAddr connects to one address of left that remain to be tried, within its
// share of the time.
func (d *Dialer) dialAddr(ctx context.Context, network string, to netip.AddrPort, left int) (net.Conn, error) {
	// Keep-alive packets are off: a connection is used every interval or not
	// at all, and four system calls a probe count at thousands a second.
	dialer := net.Dialer{ControlContext: d.guard.ControlContext, KeepAlive: -1, FallbackDelay: -1}
	if end, ok := ctx.Deadline(); ok && left > 1 {
		share := max(time.Until(end)/time.Duration(left), minAddressTime)
		dialer.Timeout = share
	}
	conn, err := dialer.DialContext(ctx, network, to.String())
	return withDeadline(ctx, conn, err)
}

func withDeadline(ctx context.Context, conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	if end, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(end); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return conn, nil
}

// DialTLS is Dial followed by Handshake.
func (d *Dialer) DialTLS(ctx context.Context, run *Run, network, address string, conf *tls.Config) (*tls.Conn, error) {
	conn, err := d.Dial(ctx, run, network, address)
	if err != nil {
		return nil, err
	}
	if conf.ServerName == "" && network != "unix" {
		conf = conf.Clone()
		conf.ServerName, _, _ = net.SplitHostPort(address)
	}
	return Handshake(ctx, run, conn, conf)
}

// Handshake secures conn as a client, marks the phase and notes the facts of
// the certificate. When it fails, conn is closed.
func Handshake(ctx context.Context, run *Run, conn net.Conn, conf *tls.Config) (*tls.Conn, error) {
	secured := tls.Client(conn, conf)
	err := secured.HandshakeContext(ctx)
	run.Mark(status.PhaseTLS)
	if err != nil {
		_ = conn.Close() // the handshake's error says more
		return nil, err
	}
	run.addTLS(secured.ConnectionState())
	return secured, nil
}

// dialThroughProxy asks the proxy for a connection to address. Who resolves the
// name is the proxy; the guard sees the proxy's own address, and address when
// it is a literal one.
func (d *Dialer) dialThroughProxy(ctx context.Context, run *Run, address string) (net.Conn, error) {
	if ap, err := netip.ParseAddrPort(address); err == nil {
		if err := d.guard.Check(ap.Addr()); err != nil {
			return nil, err
		}
	}
	conn, err := d.DialProxy(ctx, run)
	if err != nil {
		return nil, fmt.Errorf("reaching the proxy: %w", err)
	}
	run.Log("connected to the proxy %s", d.proxy.Host)
	if d.proxy.Scheme == "socks5" {
		conn, err = socks(ctx, d.proxy, conn, address)
	} else {
		conn, err = connectMethod(d.proxy, conn, address)
	}
	run.Mark(status.PhaseConnect)
	return conn, err
}

// DialProxy connects to the proxy itself.
func (d *Dialer) DialProxy(ctx context.Context, run *Run) (net.Conn, error) {
	address, err := withPort(d.proxy.Host, map[string]string{"http": "80", "https": "443", "socks5": "1080"}[d.proxy.Scheme])
	if err != nil {
		return nil, err
	}
	conn, err := d.dialDirect(ctx, run, "tcp", address)
	if err != nil || d.proxyTLS == nil {
		return conn, err
	}
	secured := tls.Client(conn, d.proxyTLS)
	err = secured.HandshakeContext(ctx)
	run.Mark(status.PhaseConnect) // the proxy's own TLS is not the target's
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return secured, nil
}

// socks speaks SOCKS5 (RFC 1928) over a connection that is open already.
func socks(ctx context.Context, u *url.URL, conn net.Conn, address string) (net.Conn, error) {
	var auth *proxy.Auth
	if u.User != nil {
		password, _ := u.User.Password()
		auth = &proxy.Auth{User: u.User.Username(), Password: password}
	}
	dialer, err := proxy.SOCKS5("tcp", u.Host, auth, opened{conn})
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	through, err := dialer.(proxy.ContextDialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the proxy did not connect: %w", err), conn.Close())
	}
	return withDeadline(ctx, through, nil) // the SOCKS client clears the deadline
}

// opened is a dialer that gives the one connection it has.
type opened struct{ net.Conn }

func (o opened) Dial(string, string) (net.Conn, error) { return o.Conn, nil }

func (o opened) DialContext(context.Context, string, string) (net.Conn, error) { return o.Conn, nil }

// connectMethod asks an HTTP proxy for a tunnel (RFC 9110 section 9.3.6).
func connectMethod(u *url.URL, conn net.Conn, address string) (net.Conn, error) {
	var ask strings.Builder
	fmt.Fprintf(&ask, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n", address, address)
	if v := proxyAuthorization(u); v != "" {
		ask.WriteString("Proxy-Authorization: " + v + "\r\n")
	}
	ask.WriteString("\r\n")
	if _, err := io.WriteString(conn, ask.String()); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	r := bufio.NewReaderSize(io.LimitReader(conn, maxProxyAnswer), 1024)
	resp, err := http.ReadResponse(r, &http.Request{Method: http.MethodConnect})
	switch {
	case err != nil:
		err = fmt.Errorf("reading the proxy's answer: %w", err)
	case resp.StatusCode != http.StatusOK:
		err = fmt.Errorf("the proxy did not connect: status %d", resp.StatusCode)
	case r.Buffered() > 0:
		err = errors.New("the proxy sent data before the tunnel was open")
	default:
		return conn, nil
	}
	return nil, errors.Join(err, conn.Close())
}

func proxyAuthorization(u *url.URL) string {
	if u == nil || u.User == nil {
		return ""
	}
	password, _ := u.User.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))
}
