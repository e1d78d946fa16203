package door

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"evenkeel/internal/problem"
)

// Proxies are the networks of proxies whose word on the client is believed.
type Proxies []netip.Prefix

// ParseProxies reads networks such as 10.0.0.0/8, and single addresses. Errors: Invalid.
func ParseProxies(networks []string) (Proxies, error) {
	var out Proxies
	for _, n := range networks {
		p, err := netip.ParsePrefix(n)
		if addr, aerr := netip.ParseAddr(n); err != nil && aerr == nil {
			p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, problem.Invalid("trusted_proxies", "%q is no network, such as 10.0.0.0/8.", n)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// trusts reports whether an address is a proxy's.
func (p Proxies) trusts(a netip.Addr) bool {
	for _, n := range p {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// peer gives the other end of the connection.
func peer(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	a, _ := netip.ParseAddr(host)
	return a.Unmap().WithZone("")
}

// Address gives who asks: the other end of the connection or, when that is a
// proxy, the last address it names that is none. The zero address for none.
func (p Proxies) Address(r *http.Request) netip.Addr {
	a := peer(r)
	if !p.trusts(a) {
		return a
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		a = hop.Unmap().WithZone("")
		if !p.trusts(a) {
			break
		}
	}
	return a
}

// ipv6Bits is the network that an IPv6 host has to itself, and can take any
// address of.
const ipv6Bits = 64

// Network gives whom attempts are counted with: an address, or the /64 of one.
func (p Proxies) Network(r *http.Request) string {
	a := p.Address(r)
	if a.Is6() {
		if n, err := a.Prefix(ipv6Bits); err == nil {
			return n.String()
		}
	}
	return a.String()
}

// Secure reports whether the browser's connection is encrypted: ours, or that
// of a proxy which says so.
func (p Proxies) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	if !p.trusts(peer(r)) {
		return false
	}
	last := r.Header.Get("X-Forwarded-Proto")
	if i := strings.LastIndexByte(last, ','); i >= 0 {
		last = last[i+1:]
	}
	return strings.EqualFold(strings.TrimSpace(last), "https")
}

// loopbackHost reports whether the browser calls this machine by a name that
// only means itself.
func loopbackHost(r *http.Request) bool {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(strings.ToLower(host), "[]")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
