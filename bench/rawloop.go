package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// rawLoop is the limit that probing is compared with: the leanest slotted
// net/http loop without verdicts, records or metrics. Targets fall due evenly
// over the interval, and those within a slot are fired together.
func rawLoop(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("rawloop", flag.ContinueOnError)
	base := fs.String("base", "", "URL before the target's number")
	n := fs.Int("n", 1000, "targets")
	interval := fs.Duration("interval", time.Second, "interval")
	slot := fs.Duration("slot", 10*time.Millisecond, "coalescing width")
	kept := fs.Bool("kept", true, "keep connections")
	if err := fs.Parse(args); err != nil {
		return err
	}
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		MaxIdleConnsPerHost: *n, DisableKeepAlives: !*kept, DisableCompression: true,
	}}
	fmt.Println("ready raw")
	slots := max(1, int(*interval / *slot))
	due := make([][]*http.Request, slots)
	for i := range *n {
		req, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s%d", *base, i), nil)
		if err != nil {
			return err
		}
		due[i*slots / *n] = append(due[i*slots / *n], req)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	began := time.Now()
	for k := 0; ; k++ {
		at := began.Add(time.Duration(k) * *interval / time.Duration(slots))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(at)):
		}
		for _, req := range due[k%slots] {
			wg.Go(func() {
				resp, err := client.Do(req.WithContext(ctx))
				if err != nil {
					return
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					return
				}
				resp.Body.Close()
			})
		}
	}
}
