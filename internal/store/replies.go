package store

import (
	"bytes"
	"context"
	"database/sql"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/api"
	"evenkeel/internal/problem"
)

// pruneReplies is how many old answers go with a new one.
const pruneReplies = 50

// BeginReply takes a key for a request, or gives the answer it had. Errors:
// Conflict when the key belongs to another request, or this one is under way.
func (s *Store) BeginReply(ctx context.Context, actor, key string, hash []byte, now time.Time) (found *api.Reply, err error) {
	defer problem.Wrap(&err, "take an idempotency key")
	err = s.run(ctx, access.Hub, func(t *tx) error {
		found = nil
		if _, err := t.exec(`delete from replies where (actor, key) in (select actor, key from replies where began_at < $1 limit $2)`,
			at(now.Add(-api.KeepReplies)), pruneReplies); err != nil {
			return err
		}
		type row struct {
			api.Reply
			hash  []byte
			began time.Time
		}
		rows, err := list(t.ctx, s, t.conn, func(r *sql.Rows, v *row) error {
			return r.Scan(&v.hash, into(&v.began), &v.Code, &v.Type, &v.Body)
		}, `select hash, began_at, code, type, body from replies where actor = $1 and key = $2`, actor, key)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			_, err := t.exec(`insert into replies (actor, key, hash, began_at, code, type, body) values ($1, $2, $3, $4, 0, '', $5)`,
				actor, key, hash, at(now), []byte{})
			return err
		}
		one := rows[0]
		switch {
		case !bytes.Equal(one.hash, hash):
			return problem.Conflict("This Idempotency-Key was used for another request.")
		case one.Code != 0:
			found = &one.Reply
			return nil
		case one.began.After(now.Add(-api.ReplyWithin)):
			return problem.Conflict("The same request is still being answered.")
		}
		_, err = t.exec(`update replies set began_at = $3 where actor = $1 and key = $2`, actor, key, at(now))
		return err
	})
	return found, err
}

// EndReply keeps an answer, or frees the key when there is none.
func (s *Store) EndReply(ctx context.Context, actor, key string, reply *api.Reply) (err error) {
	defer problem.Wrap(&err, "keep an answer")
	return s.run(ctx, access.Hub, func(t *tx) error {
		if reply == nil {
			_, err := t.exec(`delete from replies where actor = $1 and key = $2 and code = 0`, actor, key)
			return err
		}
		_, err := t.exec(`update replies set code = $3, type = $4, body = $5 where actor = $1 and key = $2`,
			actor, key, reply.Code, reply.Type, whole(reply.Body))
		return err
	})
}
