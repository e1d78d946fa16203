package app

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Photographs have no write deadline of their own: the kernel watches for them.
func TestAcceptedConnectionsAreCutWhenTheOtherSideStalls(t *testing.T) {
	l, err := listen("127.0.0.1:0", "listen:")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var got int
	var asked error
	if err := raw.Control(func(fd uintptr) { got, asked = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT) }); err != nil || asked != nil {
		t.Fatal(err, asked)
	}
	if time.Duration(got)*time.Millisecond != stalledFor {
		t.Errorf("a visitor who takes nothing is cut off after %d ms, want %s", got, stalledFor)
	}
}
