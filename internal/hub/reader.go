package hub

import (
	"reflect"
	"slices"
	"sync"
	"time"

	"evenkeel/internal/ticket"
	"evenkeel/internal/ticket/cluster"
)

// maxReadings bounds how many letters are kept in memory as they were read.
const maxReadings = 4000

// aliasesAgain is how often the configuration is asked for aliases.
const aliasesAgain = 30 * time.Second

// readings keeps what letters say, so that each is read once while it is young. It
// is a cache and no more: what is missing is read again.
type readings struct {
	mu         sync.Mutex
	scene      *scene              // that the components were taken from
	lookedAt   time.Time           // when they were
	components []cluster.Component // that the vocabulary was made of
	vocabulary *cluster.Vocabulary
	known      map[string]cluster.Reading // by ticket
}

// reader reads letters with the components there are now.
type reader struct {
	*cluster.Vocabulary
	of *readings
}

// reader gives a reader; its vocabulary is made anew when components changed.
func (h *Hub) reader() reader {
	s, now := h.Present.scene.Load(), h.now()
	r := &h.readings
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.scene == s && now.Sub(r.lookedAt) < aliasesAgain {
		return reader{r.vocabulary, r}
	}
	components := make([]cluster.Component, 0, len(s.components))
	for _, c := range s.components {
		aliases := []string{c.ID}
		if h.Aliases != nil {
			aliases = append(aliases, h.Aliases(c.ID)...)
		}
		components = append(components, cluster.Component{Key: c.Key, Name: c.Name, Aliases: aliases})
	}
	r.scene, r.lookedAt = s, now
	if r.vocabulary == nil || !reflect.DeepEqual(r.components, components) {
		r.components, r.vocabulary, r.known = components, cluster.NewVocabulary(components), map[string]cluster.Reading{}
	}
	return reader{r.vocabulary, r}
}

// read reads the first message of a ticket.
func (r reader) read(t *ticket.Ticket, m *ticket.Message) cluster.Reading {
	text := cluster.Text{ID: t.ID, Subject: m.Subject, Body: m.Reply, Sender: m.Sender.Address, At: t.CreatedAt, Chosen: t.Components}
	if m.Kind != "" && m.Kind != ticket.KindPerson {
		text.Automatic = m.Kind
	}
	if text.Body == "" {
		text.Body = m.Text
	}
	if text.Sender == "" {
		text.Sender = t.Requester
	}
	return r.Read(text)
}

// cached gives what was read of a ticket.
func (r reader) cached(id string) (cluster.Reading, bool) {
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	if r.of.vocabulary != r.Vocabulary {
		return cluster.Reading{}, false
	}
	known, ok := r.of.known[id]
	return known, ok
}

// keep remembers what was read of a ticket.
func (r reader) keep(id string, x cluster.Reading) {
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	if r.of.vocabulary != r.Vocabulary {
		return
	}
	if len(r.of.known) >= maxReadings {
		clear(r.of.known)
	}
	r.of.known[id] = x
}

// topmost gives at most n of the components that a letter names.
func topmost(keys []string, n int) []string { return slices.Clone(keys[:min(len(keys), n)]) }
