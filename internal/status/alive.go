package status

import "time"

// AliveEvery is how often the watching hub says in SQL that it is there. After a
// crash, at most so much of measured time is taken for not measured.
const AliveEvery = 10 * time.Second

// untilAlive is how long until the next sign of life is due.
func (r *recorder) untilAlive() time.Duration { return r.aliveDue - r.watch.mono() }
