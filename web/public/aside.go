package public

import (
	"os"
	"runtime"
)

// aside does long work that nobody waits for. On one processor Go lets it run for
// ten milliseconds at a time, and every probe that falls due meanwhile is late.
// So it gets a second place to run: then the kernel shares the core between the
// two, and whoever wakes up has its turn at once.
func aside(work func()) {
	if runtime.GOMAXPROCS(0) > 1 {
		work()
		return
	}
	runtime.GOMAXPROCS(2)
	defer func() {
		if os.Getenv("GOMAXPROCS") != "" {
			runtime.GOMAXPROCS(1)
		} else {
			runtime.SetDefaultGOMAXPROCS()
		}
	}()
	work()
}
