// Command bench measures the built hub from outside, as its users' machines
// would: a real binary, a real Redis, targets and load in processes of their
// own, server on one core and client on the other, each beside a limit (a raw
// loop, a bare net/http server) in the same run and in alternation. It prints
// a table of ratios; it never judges. `make bench` builds the hub and runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// scenario is one row or a few of the table.
type scenario struct {
	name string
	what string
	run  func(ctx context.Context, l *lab) error
}

var scenarios = []scenario{
	{"probes-100", "CPU per 1,000 HTTP probes at 100/s, against a raw slotted loop", probesAt(100, 1000, 10*time.Second)},
	{"probes-1000", "CPU per 1,000 HTTP probes at 1,000/s, against a raw slotted loop", probesAt(1000, 1000, time.Second)},
	{"probes-most", "most probes on one core, kept and fresh", probesMost},
	{"hanging", "a tenth of the targets hanging", hangingTenth},
	{"accuracy", "recorded latency of a 50 ms target at 1,000/s", accuracy},
	{"ramp", "every monitor probed within one interval of the start", ramp},
	{"detection", "outage to API and open page at a 10 s interval, no confirmation", detection},
	{"told", "10,000 webhook subscribers told of an incident while 1,000/s are probed, against bare posts", told},
	{"mail", "mails from a loopback Dovecot become tickets: rate, cost, and arrival to ticket", ingestMail},
	{"page", "page and JSON against a bare net/http server of the same bytes", pageLoad},
	{"size", "RSS at 10,000 monitors, first page after start, first load in bytes", size},
}

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "targets":
			os.Exit(runChild(serveTargets))
		case "rawloop":
			os.Exit(runChild(rawLoop))
		case "posts":
			os.Exit(runChild(postAll))
		case "bare":
			os.Exit(runChild(serveBare))
		case "load":
			os.Exit(runChild(generateLoad))
		}
	}
	hub := flag.String("hub", "bin/evenkeel", "the built hub")
	only := flag.String("run", "", "regular expression of scenarios to run; all when empty")
	rounds := flag.Int("rounds", 7, "alternations of each comparison")
	window := flag.Duration("window", 8*time.Second, "length of one measured stretch")
	list := flag.Bool("list", false, "list the scenarios and stop")
	flag.Parse()
	if *list {
		for _, s := range scenarios {
			fmt.Printf("%-12s %s\n", s.name, s.what)
		}
		return
	}
	pick, err := regexp.Compile(*only)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: -run:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l := &lab{hub: *hub, rounds: *rounds, window: *window}
	code := 0
	for _, s := range scenarios {
		if !pick.MatchString(s.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench: %s: %s\n", s.name, s.what)
		if err := s.run(ctx, l); err != nil {
			if ctx.Err() != nil {
				fmt.Fprintln(os.Stderr, "bench: stopped")
				code = 1
				break
			}
			fmt.Fprintf(os.Stderr, "bench: %s: %v\n", s.name, err)
			code = 1
		}
	}
	l.print(os.Stdout)
	stop()
	os.Exit(code)
}

// lab holds what the scenarios share and what they found.
type lab struct {
	hub    string
	rounds int
	window time.Duration
	rows   []row
}

// row is one line of the table. The ratio is median of pairs where there is a limit to compare with.
type row struct{ what, ours, limit, ratio, goal string }

func (l *lab) add(what, ours, limit, ratio, goal string) {
	l.rows = append(l.rows, row{what, ours, limit, ratio, goal})
	fmt.Fprintf(os.Stderr, "bench:   %s: %s · %s · %s · goal %s\n", what, ours, limit, ratio, goal)
}

func (l *lab) print(w *os.File) {
	fmt.Fprintln(w, "| what | ours | beside it | ratio | goal |")
	fmt.Fprintln(w, "| --- | --- | --- | --- | --- |")
	for _, r := range l.rows {
		fmt.Fprintf(w, "| %s |\n", strings.Join([]string{r.what, r.ours, r.limit, r.ratio, r.goal}, " | "))
	}
}

// median of a copy; NaN-free input expected.
func median(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(xs))
	return s[len(s)/2]
}

func quantile(xs []float64, q float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(xs))
	i := int(q * float64(len(s)))
	return s[min(i, len(s)-1)]
}

// ratios divides pair by pair.
func ratios(a, b []float64) []float64 {
	out := make([]float64, 0, len(a))
	for i := range min(len(a), len(b)) {
		if b[i] != 0 {
			out = append(out, a[i]/b[i])
		}
	}
	return out
}

// runChild runs one of our own helper processes until it is told to stop.
func runChild(f func(ctx context.Context, args []string) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := f(ctx, os.Args[2:]); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}
