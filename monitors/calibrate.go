package monitors

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/textproto"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// How the error of recorded latencies is measured.
const (
	calibrateEvery = 10 * time.Second
	calibrateDelay = 50 * time.Millisecond // what the target takes to answer
	calibrateBytes = 1 << 20               // read from one connection, then it is closed
)

// calibration measures how far recorded latencies are off: it probes a target
// of its own whose delay it knows, amid whatever else is being probed. What the
// probe finds beyond that delay is what waiting for a processor adds.
type calibration struct {
	listener net.Listener
	probe    *Compiled
	err      prometheus.Observer

	mu    sync.Mutex
	took  time.Duration // what the target really took, the last time
	conns map[net.Conn]struct{}
	wg    sync.WaitGroup
}

// newCalibration opens the target on a free loopback port. Errors: Unavailable.
func newCalibration(observer prometheus.Observer) (*calibration, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, problem.Unavailable(err, "monitors: opening the calibration target")
	}
	kept := false
	probe, err := Compile(config.Monitor{Kind: "http", URL: "http://" + l.Addr().String(), Fresh: &kept}, Env{})
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &calibration{listener: l, probe: probe, err: observer, conns: make(map[net.Conn]struct{})}, nil
}

// run measures until ctx ends.
func (c *calibration) run(ctx context.Context) {
	c.wg.Go(c.serve)
	tick := time.NewTicker(calibrateEvery)
	defer tick.Stop()
	for {
		c.measure(ctx)
		select {
		case <-ctx.Done():
			c.close()
			return
		case <-tick.C:
		}
	}
}

// measure takes one measurement.
func (c *calibration) measure(ctx context.Context) {
	res := Once(ctx, c.probe, "calibration", status.LocalLocation, calibrateEvery/2)
	if res.Outcome != status.OK || res.Phases[status.PhaseConnect] > 0 { // connecting is not in the target's delay
		return
	}
	c.mu.Lock()
	took := c.took
	c.mu.Unlock()
	c.err.Observe(max(res.Latency-took, 0).Seconds())
}

// serve accepts connections until the listener is closed.
func (c *calibration) serve() {
	for {
		conn, err := c.listener.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		c.conns[conn] = struct{}{}
		c.mu.Unlock()
		c.wg.Go(func() {
			c.answer(conn)
			c.mu.Lock()
			delete(c.conns, conn)
			c.mu.Unlock()
			_ = conn.Close() // the probe has gone, or is told by this
		})
	}
}

// answer answers each request after the delay, and notes how long it really was.
func (c *calibration) answer(conn net.Conn) {
	r := textproto.NewReader(bufio.NewReaderSize(io.LimitReader(conn, calibrateBytes), 1<<10))
	for {
		if _, err := r.ReadLine(); err != nil {
			return
		}
		if _, err := r.ReadMIMEHeader(); err != nil {
			return
		}
		begin := time.Now()
		<-time.After(calibrateDelay)
		took := time.Since(begin)
		c.mu.Lock()
		c.took = took
		c.mu.Unlock()
		if _, err := io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\n"); err != nil {
			return
		}
	}
}

// close ends the target.
func (c *calibration) close() {
	_ = c.listener.Close() // ends serve
	c.probe.Close()
	c.mu.Lock()
	for conn := range c.conns {
		_ = conn.Close()
	}
	c.mu.Unlock()
	c.wg.Wait()
}
