package journal

import (
	"log/slog"
	"time"
)

// sayAgain is how often trouble that lasts is logged after the first time.
const sayAgain = time.Minute

// trouble is a row of failures of one loop. Its zero value is none.
type trouble struct {
	failures int
	said     time.Time
}

// warn counts a failure and logs it when it is the first, or when the last line
// is a minute old: a database that is away for an hour is sixty lines and not
// thousands.
func (t *trouble) warn(log *slog.Logger, msg string, facts ...any) {
	t.failures++
	if now := time.Now(); t.failures == 1 || now.Sub(t.said) >= sayAgain {
		t.said = now
		log.Warn(msg, append(facts, "failures", t.failures)...)
	}
}
