package monitors

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"evenkeel/internal/config"
	"evenkeel/internal/netguard"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// icmpKeys are the options of kind icmp.
var icmpKeys = []string{"target", "ip", "resolver", "count", "size", "expect.condition"}

// Limits and defaults of kind icmp.
const (
	defaultPings = 3
	maxPings     = 100
	defaultSize  = 56 // bytes after the ICMP header, as ping has it
	minSize      = 16 // room for the token by which a run knows its own packets
	maxSize      = 8192
	pingGap      = 200 * time.Millisecond // between two packets of a run, less when the time limit asks for it
	pingShare    = 2                      // packets go out within this part of the time: a half
	pingLinger   = time.Second            // how long late packets are waited for when others were answered
	tokenSize    = 12
)

// icmpProbe sends echo requests to one host and counts the answers. It needs no
// privilege where the kernel allows ping sockets (net.ipv4.ping_group_range on
// Linux), and else a raw socket.
//
// The latency is the mean of the answered packets. A run with at least one
// answer is good unless the monitor's condition says otherwise:
// expect.condition: loss < 0.2.
type icmpProbe struct {
	dial  *Dialer
	guard *netguard.Guard
	host  string
	count int
	size  int
	cond  *Condition
}

// icmpFacts is what a condition may ask of a run.
type icmpFacts struct {
	Latency float64 `expr:"latency"` // mean, ms
	Lowest  float64 `expr:"lowest"`  // ms
	Highest float64 `expr:"highest"` // ms
	Jitter  float64 `expr:"jitter"`  // mean difference of neighbours, ms
	Loss    float64 `expr:"loss"`    // part that was lost, 0 to 1
}

// compileICMP is the kind icmp. Errors: Invalid.
func compileICMP(spec config.Monitor, env *Env) (Probe, error) {
	var found problem.Errors
	p := &icmpProbe{guard: env.Guard, host: spec.Target, count: spec.Count, size: spec.Size}
	var err error
	p.dial, err = env.Dialer(spec)
	found = collect(found, err)
	if _, err := netip.ParseAddr(p.host); p.host == "" || (err != nil && strings.ContainsAny(p.host, ":/ ")) {
		found = append(found, problem.Invalid("target", "is needed: a host name or address, no port"))
	}
	if p.count == 0 {
		p.count = defaultPings
	}
	if p.count < 1 || p.count > maxPings {
		found = append(found, problem.Invalid("count", "is at least 1 and at most %d", maxPings))
	}
	if p.size == 0 {
		p.size = defaultSize
	}
	if p.size < minSize || p.size > maxSize {
		found = append(found, problem.Invalid("size", "is at least %d and at most %d bytes", minSize, maxSize))
	}
	p.cond, err = env.Condition("expect.condition", spec.Expect.Condition, icmpFacts{})
	return p, collect(found, err).Err()
}

// Close has nothing to let go of.
func (p *icmpProbe) Close() {}

// Probe sends the packets of one run and waits for their answers.
func (p *icmpProbe) Probe(ctx context.Context, run *Run) status.Result {
	addrs, err := p.dial.Resolve(ctx, run, p.host)
	if err != nil {
		return run.FailErr(ctx, err, "resolving")
	}
	to := addrs[0]
	if err := p.guard.Check(to); err != nil {
		return run.FailErr(ctx, err, "pinging")
	}
	conn, err := openEcho(to)
	if err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
			return run.Unknown("the hub may not send pings: allow its group in net.ipv4.ping_group_range, or give it CAP_NET_RAW")
		}
		return run.FailErr(ctx, err, "opening a socket")
	}
	defer conn.Close()
	run.Facts().IPVersion = 4
	if to.Is6() {
		run.Facts().IPVersion = 6
	}
	run.Mark(status.PhaseConnect) // the socket; nothing travelled yet
	run.Log("pinging %s with %d packets of %d bytes, %s", to, p.count, p.size, conn.how)
	trips, err := conn.echo(ctx, run, p.count, p.size)
	if err != nil {
		return run.FailErr(ctx, err, "pinging")
	}
	return p.judge(run, trips)
}

// judge makes the result of the round trips; a packet without an answer has none.
func (p *icmpProbe) judge(run *Run, trips []time.Duration) status.Result {
	loss := float64(p.count-len(trips)) / float64(p.count)
	run.Facts().Loss = loss
	if len(trips) == 0 {
		return run.Fail(status.CauseNoAnswer, "none of %d packets was answered", p.count)
	}
	var sum, jitter time.Duration
	for i, t := range trips {
		sum += t
		if i > 0 {
			jitter += (t - trips[i-1]).Abs()
		}
	}
	mean := sum / time.Duration(len(trips))
	if len(trips) > 1 {
		jitter /= time.Duration(len(trips) - 1)
	}
	run.Facts().Jitter = jitter
	run.Took(status.PhaseWait, mean)
	run.Log("%d of %d answered, mean %s, jitter %s", len(trips), p.count, round(mean), round(jitter))
	return conclude(run, mean, certLimits{}, p.cond, icmpFacts{
		Latency: milliseconds(mean), Lowest: milliseconds(slices.Min(trips)), Highest: milliseconds(slices.Max(trips)),
		Jitter: milliseconds(jitter), Loss: loss,
	})
}

// echoConn is a socket for echo requests to one address.
type echoConn struct {
	net.PacketConn
	to      net.Addr
	from    netip.Addr
	request icmp.Type
	reply   icmp.Type
	proto   int // as icmp.ParseMessage wants it
	how     string
}

// openEcho opens an unprivileged socket, or else a raw one.
func openEcho(to netip.Addr) (*echoConn, error) {
	c := &echoConn{from: to, request: ipv4.ICMPTypeEcho, reply: ipv4.ICMPTypeEchoReply, proto: 1}
	ping, raw, local := "udp4", "ip4:icmp", "0.0.0.0"
	if to.Is6() {
		c.request, c.reply, c.proto = ipv6.ICMPTypeEchoRequest, ipv6.ICMPTypeEchoReply, 58
		ping, raw, local = "udp6", "ip6:ipv6-icmp", "::"
	}
	unprivileged, err := icmp.ListenPacket(ping, local)
	if err == nil {
		c.PacketConn, c.how = unprivileged, "without privilege"
		c.to = &net.UDPAddr{IP: to.AsSlice(), Zone: to.Zone()}
		return c, nil
	}
	privileged, err := icmp.ListenPacket(raw, local)
	if err != nil {
		return nil, err
	}
	c.PacketConn, c.how = privileged, "over a raw socket"
	c.to = &net.IPAddr{IP: to.AsSlice(), Zone: to.Zone()}
	// A raw socket hears every ICMP packet of the machine; the kernel drops all but echo replies.
	if p := privileged.IPv4PacketConn(); p != nil {
		var only ipv4.ICMPFilter
		only.SetAll(true)
		only.Accept(ipv4.ICMPTypeEchoReply)
		_ = p.SetICMPFilter(&only) // spares work only: replies are checked anyway
	}
	if p := privileged.IPv6PacketConn(); p != nil {
		var only ipv6.ICMPFilter
		only.SetAll(true)
		only.Accept(ipv6.ICMPTypeEchoReply)
		_ = p.SetICMPFilter(&only)
	}
	return c, nil
}

// echo sends count packets at an even pace and collects the round trips of
// those that were answered, in the order of sending.
func (c *echoConn) echo(ctx context.Context, run *Run, count, size int) ([]time.Duration, error) {
	gap := pingGap
	end, limited := ctx.Deadline()
	if limited {
		gap = min(gap, time.Until(end)/pingShare/time.Duration(count))
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()

	token := make([]byte, tokenSize)
	rand.Read(token)
	sent := make([]time.Time, 0, count)
	trips := make(map[int]time.Duration, count)
	longest := time.Duration(0)
	buf := make([]byte, maxSize+128) // with room for headers
	start := time.Now()
	for len(trips) < count {
		if next := start.Add(time.Duration(len(sent)) * gap); len(sent) < count && !time.Now().Before(next) {
			if err := c.send(token, len(sent), size); err != nil {
				return nil, err
			}
			sent = append(sent, time.Now())
			continue
		}
		until := start.Add(time.Duration(len(sent)) * gap) // the next is due
		if len(sent) == count {
			until = end
			if late := sent[count-1].Add(max(pingLinger, 2*longest)); len(trips) > 0 && (!limited || late.Before(end)) {
				until = late
			}
		}
		if err := c.SetReadDeadline(until); err != nil {
			return nil, err
		}
		if ctx.Err() != nil { // after the deadline was set anew, or the end would be overwritten
			break
		}
		n, from, err := c.ReadFrom(buf)
		if isTimeout(err) {
			if len(sent) == count {
				break
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		at := time.Now()
		if seq, ok := c.match(buf[:n], from, token); ok && seq < len(sent) {
			if _, again := trips[seq]; !again {
				trips[seq] = at.Sub(sent[seq])
				longest = max(longest, trips[seq])
				run.Log("packet %d answered after %s", seq+1, round(trips[seq]))
			}
		}
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, ctx.Err()
	}
	out := make([]time.Duration, 0, len(trips))
	for seq := range count {
		if t, ok := trips[seq]; ok {
			out = append(out, t)
		}
	}
	return out, nil
}

// send sends echo request number seq. The payload begins with the token and the
// number: by them, not by the identifier, the answer is known again, because
// the kernel sets the identifier of unprivileged sockets itself.
func (c *echoConn) send(token []byte, seq, size int) error {
	payload := make([]byte, size)
	copy(payload, token)
	binary.BigEndian.PutUint32(payload[tokenSize:], uint32(seq))
	m := icmp.Message{Type: c.request, Body: &icmp.Echo{
		ID: int(binary.BigEndian.Uint16(token)), Seq: seq, Data: payload,
	}}
	wire, err := m.Marshal(nil) // the kernel fills in the checksum of IPv6
	if err != nil {
		return err
	}
	if _, err = c.WriteTo(wire, c.to); err != nil {
		return fmt.Errorf("sending packet %d: %w", seq+1, err)
	}
	return nil
}

// match reports whether a packet answers one of ours, and which.
func (c *echoConn) match(wire []byte, from net.Addr, token []byte) (seq int, ok bool) {
	if addr, ok := addrOf(from); !ok || addr != c.from.WithZone("") {
		return 0, false
	}
	m, err := icmp.ParseMessage(c.proto, wire)
	if err != nil || m.Type != c.reply {
		return 0, false
	}
	body, ok := m.Body.(*icmp.Echo)
	if !ok || len(body.Data) < minSize || !bytes.HasPrefix(body.Data, token) {
		return 0, false
	}
	return int(binary.BigEndian.Uint32(body.Data[tokenSize:])), true
}

// addrOf gives the IP address of a packet's sender.
func addrOf(a net.Addr) (netip.Addr, bool) {
	var ip net.IP
	switch a := a.(type) {
	case *net.UDPAddr:
		ip = a.IP
	case *net.IPAddr:
		ip = a.IP
	}
	addr, ok := netip.AddrFromSlice(ip)
	return addr.Unmap(), ok
}
