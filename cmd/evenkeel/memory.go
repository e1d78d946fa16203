package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How the memory of a hub is kept small. Reading a large configuration makes a
// hundred times the garbage of a second of probing, and what a hub holds then
// hardly changes: so the collector is lazy while it starts and thorough after.
const (
	// readPercent lets the heap grow while the configuration is read, when every
	// round of the collector stands between a visitor and the first page.
	readPercent = 400
	// risePercent holds while the rest rises: what lives long must not lie
	// scattered between what does not.
	risePercent = 100
	// A running hub may hold steadyGarbage bytes of garbage, within these bounds
	// in percent of what it needs: a small hub need not collect often, and a
	// large one need not hold as much garbage as monitors.
	steadyGarbage = 10 << 20
	leastPercent  = 25
	mostPercent   = 100
	// settleAfter is when a hub has done what only a start does: the first round
	// of probes is over and the page is kept on disk.
	settleAfter = 10 * time.Second
)

// hurry prepares memory for reading the configuration. A GOGC that somebody set stays.
func hurry() {
	runtime.MemProfileRate = 0 // its tables take 1.5 MB; calm turns it on
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(readPercent)
	}
}

// calm follows on hurry when the configuration is read. A heap that is to be
// profiled is sampled from now on.
func calm(sampled bool) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(risePercent)
	}
	if sampled {
		runtime.MemProfileRate = 512 << 10
	}
}

// settle gives back to the system what only the start needed, and prepares the
// collector for the long run.
func settle() {
	debug.FreeOSMemory()
	releaseCode()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(steadyPercent(heapLive()))
	}
}

// steadyPercent is the setting of the collector that suits a hub which needs so
// many bytes.
func steadyPercent(live uint64) int {
	return int(min(mostPercent, max(leastPercent, 100*steadyGarbage/max(live, 1))))
}

// heapLive is what the last round of the collector found in use, in bytes.
func heapLive() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
