package app

import (
	"errors"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// stalledFor is how long a visitor may leave unread what was sent.
const stalledFor = 30 * time.Second

// cutStalled has the kernel close a listener's connections whose other side has
// taken nothing for stalledFor, neither data nor the question whether there is
// room (TCP_USER_TIMEOUT, tcp(7)). Accepted ones inherit it, so that no answer
// pays for a clock of its own.
func cutStalled(_, _ string, c syscall.RawConn) error {
	var set error
	err := c.Control(func(fd uintptr) {
		set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(stalledFor.Milliseconds()))
	})
	return errors.Join(err, set)
}
