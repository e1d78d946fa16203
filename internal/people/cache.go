package people

import (
	"sync"
	"time"
)

// cacheFor is how long a lookup is believed: what another process revoked is
// noticed after it. This process clears its own at once.
const cacheFor = 5 * time.Second

// maxCached bounds a cache; when it is full it starts anew.
const maxCached = 4096

// cache remembers lookups by the hash of a secret for a few seconds. The zero
// value is ready for use.
type cache[T any] struct {
	mu    sync.Mutex
	epoch int // grows with every clear, so that a lookup under way does not bring the old back
	kept  map[string]cached[T]
}

type cached[T any] struct {
	value T
	until time.Time
}

// find gives what is remembered, and the epoch to remember a fresh lookup under.
func (c *cache[T]) find(hash []byte, now time.Time) (value T, epoch int, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.kept[string(hash)]
	return found.value, c.epoch, ok && now.Before(found.until)
}

// keep remembers a lookup that began under the epoch.
func (c *cache[T]) keep(hash []byte, value T, epoch int, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if epoch != c.epoch {
		return
	}
	if c.kept == nil || len(c.kept) >= maxCached {
		c.kept = map[string]cached[T]{}
	}
	c.kept[string(hash)] = cached[T]{value, now.Add(cacheFor)}
}

// clear forgets everything, because something was changed or revoked.
func (c *cache[T]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch++
	c.kept = nil
}
