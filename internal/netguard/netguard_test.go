package netguard

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"

	"evenkeel/internal/problem"
)

func TestGuardNeverAllowsMetadataAndLinkLocal(t *testing.T) {
	for _, addr := range []string{
		"169.254.169.254", "169.254.0.1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fd20:ce::254", "100.100.100.200",
		"168.63.129.16", "224.0.0.1", "ff02::1", "255.255.255.255",
		"::ffff:169.254.169.254",   // mapped
		"64:ff9b::169.254.169.254", // NAT64
		"2002:a9fe:a9fe::1",        // 6to4
		"2001:0:1::5601:5601",      // Teredo: the client address is written inverted
		"::169.254.169.254",        // compatible
	} {
		a := netip.MustParseAddr(addr)
		for _, open := range []bool{true, false} {
			g, err := New(Options{AllowPrivate: open})
			if err != nil {
				t.Fatal(err)
			}
			err = g.Check(a)
			if _, ok := errors.AsType[*Refused](err); !ok {
				t.Errorf("Check(%s) with AllowPrivate=%v: got %v, want it refused", addr, open, err)
			}
		}
	}
}

func TestGuardPrivateOnlyWhenAllowed(t *testing.T) {
	open, shut := Default(), &Guard{}
	for _, addr := range []string{
		"127.0.0.1", "::1", "0.0.0.0", "::", "10.0.0.1", "172.16.9.9", "192.168.1.1", "fd12::1", "100.64.0.1", "198.18.0.1", "240.0.0.1",
		"::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "fec0::1",
	} {
		a := netip.MustParseAddr(addr)
		if err := open.Check(a); err != nil {
			t.Errorf("open.Check(%s) = %v, want allowed", addr, err)
		}
		if err := shut.Check(a); err == nil {
			t.Errorf("shut.Check(%s) allowed it", addr)
		}
	}
	for _, addr := range []string{"192.0.2.1", "8.8.8.8", "2606:4700::1111", "172.32.0.1", "100.128.0.1"} {
		if err := shut.Check(netip.MustParseAddr(addr)); err != nil {
			t.Errorf("shut.Check(%s) = %v, want allowed", addr, err)
		}
	}
}

func TestGuardDenyList(t *testing.T) {
	g, err := New(Options{AllowPrivate: true, Deny: []string{"10.1.0.0/16", "192.0.2.7", "2001:db8::/32"}})
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]bool{"10.1.2.3": false, "10.2.0.1": true, "192.0.2.7": false, "192.0.2.8": true, "2001:db8::1": false, "::ffff:10.1.0.1": false} {
		if got := g.Check(netip.MustParseAddr(addr)) == nil; got != want {
			t.Errorf("Check(%s) allowed = %v, want %v", addr, got, want)
		}
	}
	if _, err := New(Options{Deny: []string{"ten"}}); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("New with a bad network: got %v, want Invalid", err)
	}
}

func TestControlStopsARealDial(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	shut := &Guard{}
	d := net.Dialer{ControlContext: shut.ControlContext}
	conn, err := d.DialContext(context.Background(), "tcp", l.Addr().String())
	if _, ok := errors.AsType[*Refused](err); !ok {
		t.Fatalf("dialling loopback through a shut guard: got %v, %v, want *Refused", conn, err)
	}
	d.ControlContext = Default().ControlContext
	conn, err = d.DialContext(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatalf("dialling loopback through the default guard: %v", err)
	}
	conn.Close()
	if err := shut.Control("unix", "/run/x.sock", nil); err == nil {
		t.Error("a shut guard allowed a unix socket")
	}
	if err := shut.Control("tcp", "nonsense", nil); err == nil {
		t.Error("a guard allowed an address that it could not read")
	}
}

func FuzzGuard(f *testing.F) {
	for _, s := range []string{"169.254.169.254", "::ffff:a9fe:a9fe", "64:ff9b::a9fe:a9fe", "8.8.8.8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return
		}
		open, shut := Default(), &Guard{}
		if open.Check(a) != nil && shut.Check(a) == nil {
			t.Fatalf("%s: the shut guard allows what the open one refuses", text)
		}
		if mapped := a.Unmap(); (open.Check(mapped) == nil) != (open.Check(a) == nil) {
			t.Fatalf("%s: mapped and plain form differ", text)
		}
	})
}
