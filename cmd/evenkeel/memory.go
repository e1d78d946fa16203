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
	risePercent = 50
	// A running hub may hold steadyGarbage bytes of garbage, within these bounds
	// in percent of what it needs: a small hub need not collect often, and a
	// large one need not hold as much garbage as monitors.
	steadyGarbage = 5 << 20
	leastPercent  = 15
	mostPercent   = 100
	// A crowd makes garbage faster than probes do, and each round of the collector
	// stands in its way. So a hub may hold what crowdWorth of its work leaves
	// behind, up to crowdGarbage bytes; when the crowd is gone, so is that.
	crowdGarbage = 64 << 20
	crowdWorth   = 250 * time.Millisecond
	// A crowd lasts: what is made in less than crowdLasts is a burst, such as a
	// page that is compressed.
	crowdLasts = time.Second
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
	runtime.GC() // pools keep what they hold through one round
	debug.FreeOSMemory()
	releaseCode()
	if os.Getenv("GOGC") == "" {
		live, made := heap()
		p := &pacer{at: time.Now(), made: made, percent: steadyPercent(live)}
		debug.SetGCPercent(p.percent)
		p.wait()
	}
}

// pacer sets the collector after its rounds by how fast garbage was made since
// it last looked.
type pacer struct {
	at      time.Time // when it last looked
	made    uint64    // bytes allocated up to then
	percent int       // the setting that holds
}

// wait waits for the end of the collector's next round: it finds nobody who
// holds the marker, and says so.
func (p *pacer) wait() { runtime.AddCleanup(&marker{}, (*pacer).round, p) }

// round looks at what has happened up to the round that has just ended, unless
// it has looked a moment ago.
func (p *pacer) round() {
	defer p.wait()
	now := time.Now()
	if now.Sub(p.at) < crowdLasts {
		return
	}
	live, made := heap()
	// A change stops the world for a moment, so that a small one is not worth it.
	want, was := percent(live, made-p.made, now.Sub(p.at)), p.percent
	if want < was*7/8 || want > was*9/8 {
		p.percent = want
		debug.SetGCPercent(want)
	}
	if want < was/2 { // the crowd is gone: what it needed goes back now, and not by and by
		debug.FreeOSMemory()
		now = time.Now()
		_, made = heap()
	}
	p.at, p.made = now, made
}

// marker is a thing on the heap that nobody holds. It has a pointer, because the
// runtime lumps small things without one together.
type marker struct{ _ *marker }

// percent is the setting of the collector that suits a hub which needs live
// bytes and has allocated made bytes in a time.
func percent(live, made uint64, in time.Duration) int {
	worth := float64(made) * float64(crowdWorth) / float64(in)
	garbage := uint64(min(worth, crowdGarbage))
	return max(steadyPercent(live), int(garbage*100/max(live, 1<<20)))
}

// steadyPercent is the setting of the collector that suits a hub at its probes
// which needs so many bytes.
func steadyPercent(live uint64) int {
	return int(min(mostPercent, max(leastPercent, 100*steadyGarbage/max(live, 1))))
}

// heap is what the last round of the collector found in use, and all that was
// allocated so far, in bytes.
func heap() (live, made uint64) {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64(), sample[1].Value.Uint64()
}
