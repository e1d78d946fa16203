package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

var verbReady = verb{name: "ready", summary: "ask a running hub whether it is ready", run: runReady}

// readyWithin bounds the question.
const readyWithin = 3 * time.Second

// runReady asks /readyz: for health checks of containers, which have no curl.
func runReady(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c := newCommand(usage{
		verb: "ready", args: "[URL]",
		what:    "Ask a running hub whether it is ready. Without a URL it asks EVENKEEL_URL, else this machine at the port of EVENKEEL_LISTEN. Exit code 1 means not ready, and says why.",
		example: "evenkeel ready\nevenkeel ready http://127.0.0.1:8080",
	}, stdout, stderr)
	rest, code, done := c.parse(args, 0, 1)
	if done {
		return code
	}
	url := hubURL()
	if len(rest) == 1 {
		url = rest[0]
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return c.misuse(err.Error())
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return c.fail(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Ready  bool `json:"ready"`
		Checks []struct {
			Name   string `json:"name"`
			OK     bool   `json:"ok"`
			Detail string `json:"detail"`
		} `json:"checks"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer); err != nil {
		return c.fail(fmt.Errorf("%s does not look like a hub: %w", url, err))
	}
	if c.json {
		c.printJSON(answer)
	}
	for _, check := range answer.Checks {
		switch {
		case check.OK:
		case check.Detail == "": // the public listener gives no details
			fmt.Fprintf(stderr, "%s is not ok; /readyz of the admin listener and the log say why\n", check.Name)
		default:
			fmt.Fprintf(stderr, "%s: %s\n", check.Name, check.Detail)
		}
	}
	if !answer.Ready {
		return exitFailed
	}
	return exitOK
}

// hubURL is where the hub of this environment listens.
func hubURL() string {
	if url := os.Getenv("EVENKEEL_URL"); url != "" {
		return url
	}
	_, port, err := net.SplitHostPort(os.Getenv("EVENKEEL_LISTEN"))
	if err != nil {
		port = "8080"
	}
	return "http://127.0.0.1:" + port
}
