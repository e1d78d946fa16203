package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"net/http"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/problem"
)

// Replies remembers answers by who asked and under which key.
// Errors: Unavailable.
type Replies interface {
	// BeginReply takes the key for a request whose hash is given. It gives the
	// answer when there was one, and Conflict when the key belongs to another
	// request or the same one is still being answered. A key that was taken and
	// never answered, because the hub stopped, is free again after api.ReplyWithin.
	BeginReply(ctx context.Context, actor, key string, hash []byte, now time.Time) (*api.Reply, error)
	// EndReply keeps the answer, or frees the key when it is nil.
	EndReply(ctx context.Context, actor, key string, r *api.Reply) error
}

// Limits of keys.
const (
	MaxKey    = 255              // bytes
	MaxReply  = 1 << 20          // bytes that are kept of an answer
	endWithin = 10 * time.Second // for keeping an answer when the client is gone
)

// Once is what answering once stands on.
type Once struct {
	Replies func() Replies // nil while the record is not there
	Actor   func(ctx context.Context) access.Actor
	Now     func() time.Time
	Fail    func(w http.ResponseWriter, err error)
}

// Wrap answers a POST that carries an Idempotency-Key once: the same request
// under the same key gets the same answer, whatever happened to the first one
// on its way back. Failures of ours are not remembered.
func (s Once) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		if key == "" || r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		replies := s.Replies()
		if replies == nil {
			s.Fail(w, errAway())
			return
		}
		if len(key) > MaxKey {
			s.Fail(w, problem.Invalid("Idempotency-Key", "A key has at most %d bytes.", MaxKey))
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxUpload))
		if err != nil {
			s.Fail(w, problem.Invalid("", "The body cannot be read, or is larger than %d bytes.", MaxUpload))
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		sum := sha256.New()
		_, _ = io.WriteString(sum, r.URL.RequestURI()+"\n"+r.Header.Get("Content-Type")+"\n") // a hash takes everything
		sum.Write(body)
		actor := s.Actor(r.Context()).ID
		kept, err := replies.BeginReply(r.Context(), actor, key, sum.Sum(nil), s.Now().UTC())
		if err != nil {
			s.Fail(w, err)
			return
		}
		if kept != nil {
			w.Header().Set("Content-Type", kept.Type)
			w.Header().Set("Idempotency-Replayed", "true")
			w.WriteHeader(kept.Code)
			_, _ = w.Write(kept.Body) // whoever hung up does not want it
			return
		}
		seen := &seenWriter{ResponseWriter: w, code: http.StatusOK}
		var reply *api.Reply
		defer func() {
			ctx, done := context.WithTimeout(context.WithoutCancel(r.Context()), endWithin)
			defer done()
			_ = replies.EndReply(ctx, actor, key, reply) // the key frees itself later
		}()
		next.ServeHTTP(seen, r)
		if seen.code < http.StatusInternalServerError && seen.code != http.StatusTooManyRequests && seen.body.Len() <= MaxReply {
			reply = &api.Reply{Code: seen.code, Type: w.Header().Get("Content-Type"), Body: seen.body.Bytes()}
		}
	})
}

// seenWriter keeps what is written.
type seenWriter struct {
	http.ResponseWriter
	code int
	body bytes.Buffer
}

// WriteHeader sends and keeps the code.
func (w *seenWriter) WriteHeader(code int) {
	w.code = code
	w.ResponseWriter.WriteHeader(code)
}

// Write sends and keeps a part of the body.
func (w *seenWriter) Write(p []byte) (int, error) {
	if w.body.Len() <= MaxReply {
		w.body.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap gives the writer beneath, for http.ResponseController.
func (w *seenWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
