package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/journal"
	"evenkeel/internal/notice"
)

// key signs in tests.
type key string

func (k key) Sign(text string) []byte {
	mac := hmac.New(sha256.New, []byte(k))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

var began = time.Date(2026, 11, 21, 3, 2, 0, 0, time.UTC)

// house makes channels for a test.
func house(t testing.TB, change ...func(*Env)) *House {
	t.Helper()
	e := Env{Version: "2.0.0", Signer: key("house")}
	for _, c := range change {
		c(&e)
	}
	h := NewHouse(e)
	t.Cleanup(h.Close)
	return h
}

// open opens a channel of the file.
func open(t testing.TB, h *House, f config.File, c config.Channel) Channel {
	t.Helper()
	ch, err := h.Open(f, c)
	if err != nil {
		t.Fatalf("open %s: %v", c.Kind, err)
	}
	t.Cleanup(ch.Close)
	return ch
}

func plainSecret(text string) config.Secret { return config.Secret{Plain: text} }

// incident is an event that customers and staff hear of.
func incidentEvent(kind, status string) notice.Event {
	return notice.Event{
		ID: "ev-" + status, Kind: kind, Subject: journal.Ref{Kind: "incident", ID: "01inc"}, Audience: notice.ToBoth, Severity: notice.SeverityMajor,
		Components: []string{"key-checkout"}, Groups: []string{"shop"}, At: began.Add(10 * time.Minute),
		Content: notice.Content{
			Title: "Payments fail", Status: status, Impact: "major", Body: "We see *failures* of [payments](https://example.org/pay).\n\n- cards\n- invoices",
			Staff: "checkout: connection refused by 10.0.0.7:443", Path: "/incidents/01inc", Console: "/console/incidents/01inc",
			Runbook: "https://runbooks.example.org/pay", Names: []string{"Checkout", "API"}, From: began,
			Object: map[string]any{"id": "01inc", "name": "Payments fail", "status": status, "page_id": "status.example.org", "incident_updates": []any{}},
			Facts:  map[string]string{"label": "INC-7"},
		},
	}
}

// toSubscriber is a message to a customer.
func toSubscriber(e notice.Event) notice.Message {
	m := message(e)
	m.To = notice.Recipient{Ref: "subscriber/01sub", Address: "ann@example.org"}
	m.Manage, m.Unsubscribe = "https://status.example.org/subscribe/manage/t", "https://status.example.org/subscribe/unsubscribe/t"
	return m
}

// toTeam is a message to staff by a route.
func toTeam(e notice.Event) notice.Message {
	m := message(e)
	m.To, m.Acknowledge = notice.Recipient{Ref: "route/all"}, "https://status.example.org/acknowledge/t"
	m.Delivery.Alert = "01alert"
	return m
}

func message(e notice.Event) notice.Message {
	return notice.Message{
		Delivery: notice.Delivery{ID: "01delivery", Kind: e.Kind, Subject: e.Subject}, Event: e, Page: "https://status.example.org",
		Hub: "https://status.example.org", PageName: "Example status", Attempt: 1,
	}
}

// within bounds one send of a test.
func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// refusal gives what a failed send says.
func refusal(t testing.TB, err error) *notice.Refusal {
	t.Helper()
	r, ok := errors.AsType[*notice.Refusal](err)
	if !ok {
		t.Fatalf("got %v, want a refusal", err)
	}
	return r
}
