// Package netguard decides which addresses the hub may connect to, so that a
// probe or webhook whose target somebody chose cannot be turned against the
// machine it runs on: cloud metadata and link-local addresses never, private
// ones only where that is allowed. It checks the address that is really being
// dialled, after the name was resolved, so a name that answers differently the
// second time gains nothing. It is a leaf: it knows no monitor and no HTTP.
package netguard

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"syscall"

	"evenkeel/internal/problem"
)

// Options is what an operator may choose.
type Options struct {
	AllowPrivate bool     // private, loopback and shared addresses, and unix sockets
	Deny         []string // networks or addresses refused besides: 10.1.0.0/16, 192.0.2.7
}

// Guard says which addresses may be dialled. It never changes and may be shared.
// The zero Guard allows public addresses alone.
type Guard struct {
	allowPrivate bool
	deny         []netip.Prefix
}

// Refused is the error of a connection that the guard did not allow.
type Refused struct {
	Address string // as dialled
	Why     string // "is a link-local address"
}

// Error names the address and the rule.
func (r *Refused) Error() string {
	return fmt.Sprintf("%s %s; connecting there is not allowed", r.Address, r.Why)
}

// rule is one network and why it is special.
type rule struct {
	net netip.Prefix
	why string
}

// never lists what no option opens: addresses that hand out credentials or that
// mean something only on the machine or link itself.
var never = []rule{
	{netip.MustParsePrefix("169.254.0.0/16"), "is a link-local address"}, // metadata of most clouds is 169.254.169.254
	{netip.MustParsePrefix("fe80::/10"), "is a link-local address"},
	{netip.MustParsePrefix("fd00:ec2::254/128"), "is a metadata address"},      // AWS
	{netip.MustParsePrefix("fd20:ce::254/128"), "is a metadata address"},       // Google
	{netip.MustParsePrefix("fd00:c1::a9fe:a9fe/128"), "is a metadata address"}, // Oracle
	{netip.MustParsePrefix("100.100.100.200/32"), "is a metadata address"},     // Alibaba
	{netip.MustParsePrefix("168.63.129.16/32"), "is a metadata address"},       // Azure wire server
	{netip.MustParsePrefix("192.0.0.192/32"), "is a metadata address"},         // Oracle, classic
	{netip.MustParsePrefix("224.0.0.0/4"), "is a multicast address"},
	{netip.MustParsePrefix("ff00::/8"), "is a multicast address"},
	{netip.MustParsePrefix("255.255.255.255/32"), "is the broadcast address"},
}

// private lists what is refused unless Options.AllowPrivate: IANA's
// special-purpose registries (RFC 6890) less what stands in never.
var private = []rule{
	{netip.MustParsePrefix("127.0.0.0/8"), "is a loopback address"},
	{netip.MustParsePrefix("::1/128"), "is a loopback address"},
	{netip.MustParsePrefix("0.0.0.0/8"), "means this machine"}, // Linux connects 0.0.0.0 to itself
	{netip.MustParsePrefix("::/128"), "means this machine"},
	{netip.MustParsePrefix("10.0.0.0/8"), "is a private address"},
	{netip.MustParsePrefix("172.16.0.0/12"), "is a private address"},
	{netip.MustParsePrefix("192.168.0.0/16"), "is a private address"},
	{netip.MustParsePrefix("fc00::/7"), "is a private address"},
	{netip.MustParsePrefix("fec0::/10"), "is a private address"}, // site-local, withdrawn but still routed by some
	{netip.MustParsePrefix("100.64.0.0/10"), "is a shared (carrier) address"},
	{netip.MustParsePrefix("192.0.0.0/24"), "is a protocol assignment"},
	{netip.MustParsePrefix("198.18.0.0/15"), "is a benchmark address"},
	{netip.MustParsePrefix("240.0.0.0/4"), "is a reserved address"},
}

// New checks the options. Errors: Invalid, field "deny".
func New(o Options) (*Guard, error) {
	g := &Guard{allowPrivate: o.AllowPrivate}
	for _, text := range o.Deny {
		p, err := parseNetwork(text)
		if err != nil {
			return nil, problem.Invalid("deny", "%q is neither a network like 10.1.0.0/16 nor an address", text)
		}
		g.deny = append(g.deny, p)
	}
	return g, nil
}

// Default allows private addresses: for targets that the operator wrote into the file.
func Default() *Guard { return &Guard{allowPrivate: true} }

func parseNetwork(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// Check says whether an address may be dialled. Errors: *Refused.
func (g *Guard) Check(addr netip.Addr) error {
	for _, a := range meanings(addr) {
		if why := g.refuses(a); why != "" {
			return &Refused{Address: addr.String(), Why: why}
		}
	}
	return nil
}

func (g *Guard) refuses(a netip.Addr) string {
	for _, r := range never {
		if r.net.Contains(a) {
			return r.why
		}
	}
	for _, p := range g.deny {
		if p.Contains(a) {
			return "lies in the denied network " + p.String()
		}
	}
	if g.allowPrivate {
		return ""
	}
	for _, r := range private {
		if r.net.Contains(a) {
			return r.why
		}
	}
	return ""
}

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96")   // RFC 6052
	nat64l = netip.MustParsePrefix("64:ff9b:1::/48") // RFC 8215, local use
	sixTo4 = netip.MustParsePrefix("2002::/16")      // RFC 3056
	teredo = netip.MustParsePrefix("2001::/32")      // RFC 4380
	compat = netip.MustParsePrefix("::/96")          // IPv4-compatible, withdrawn
)

// meanings gives the address and the IPv4 address that hides in it, if any: a
// translator on the way would connect there.
func meanings(addr netip.Addr) []netip.Addr {
	a := addr.WithZone("").Unmap()
	out := make([]netip.Addr, 1, 2)
	out[0] = a
	if a.Is4() {
		return out
	}
	b := a.As16()
	switch {
	case nat64.Contains(a), nat64l.Contains(a):
		out = append(out, netip.AddrFrom4([4]byte(b[12:16])))
	case compat.Contains(a) && !a.IsLoopback() && !a.IsUnspecified():
		out = append(out, netip.AddrFrom4([4]byte(b[12:16])))
	case sixTo4.Contains(a):
		out = append(out, netip.AddrFrom4([4]byte(b[2:6])))
	case teredo.Contains(a):
		out = append(out, netip.AddrFrom4([4]byte{^b[12], ^b[13], ^b[14], ^b[15]}))
	}
	return out
}

// Control is for net.Dialer: it runs after the name was resolved and before the
// socket connects, for every address that is tried. Errors: *Refused.
func (g *Guard) Control(network, address string, _ syscall.RawConn) error {
	if strings.HasPrefix(network, "unix") {
		if !g.allowPrivate {
			return &Refused{Address: "a unix socket", Why: "is on this machine"}
		}
		return nil
	}
	addr, err := addressOf(address)
	if err != nil {
		return &Refused{Address: address, Why: "is not an address"}
	}
	return g.Check(addr)
}

// ControlContext is Control in the shape of net.Dialer.ControlContext.
func (g *Guard) ControlContext(_ context.Context, network, address string, c syscall.RawConn) error {
	return g.Control(network, address, c)
}

// addressOf reads "ip:port", and the bare address that raw IP sockets have.
func addressOf(text string) (netip.Addr, error) {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return ap.Addr(), nil
	}
	return netip.ParseAddr(text)
}
