package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"evenkeel/internal/api"
)

// maxAnswer bounds one answer of the hub, in bytes.
const maxAnswer = 64 << 20

// hubClient asks a hub's management API.
type hubClient struct {
	base  string // without a slash at its end
	token string
}

// hubFrom finds the hub that the environment names: EVENKEEL_URL and
// EVENKEEL_TOKEN, each with a _FILE twin.
func hubFrom(env func(string) string) (*hubClient, error) {
	base, err := named(env, "EVENKEEL_URL")
	if err != nil {
		return nil, err
	}
	token, err := named(env, "EVENKEEL_TOKEN")
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("EVENKEEL_URL must be the address of the hub, such as https://hub.example.org")
	}
	return &hubClient{base: strings.TrimSuffix(base, "/"), token: token}, nil
}

// named reads a variable or the file that its twin names.
func named(env func(string) string, name string) (string, error) {
	if v := env(name); v != "" {
		return v, nil
	}
	path := env(name + "_FILE")
	if path == "" {
		return "", fmt.Errorf("set %s or %s_FILE", name, name)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read %s_FILE: %w", name, err)
	}
	return strings.TrimSpace(string(body)), nil
}

func (h *hubClient) get(ctx context.Context, path string, into any) error {
	return h.ask(ctx, http.MethodGet, path, "", nil, into)
}

// post sends body once: the hub answers the same key the same way.
func (h *hubClient) post(ctx context.Context, path, key string, body, into any) error {
	return h.ask(ctx, http.MethodPost, path, key, body, into)
}

// ask makes one request. Errors: *api.Problem for what the hub refused.
func (h *hubClient) ask(ctx context.Context, method, path, key string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, hubWithin)
	defer cancel()
	var text io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("write the request: %w", err)
		}
		text = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, h.base+path, text)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+h.token)
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("no hub answers: %w", err)
	}
	defer resp.Body.Close()
	dec := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer))
	if resp.StatusCode >= http.StatusBadRequest {
		p := &api.Problem{Status: resp.StatusCode}
		if err := dec.Decode(p); err != nil {
			return fmt.Errorf("the hub answers %s", resp.Status)
		}
		for _, f := range p.Errors {
			p.Detail += " " + f.Field + ": " + f.Detail
		}
		return p
	}
	if into == nil {
		return nil
	}
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("%s%s does not look like a hub: %w", h.base, path, err)
	}
	return nil
}
