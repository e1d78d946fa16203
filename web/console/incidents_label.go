package console

import (
	"context"
	"strings"
	"sync"

	"evenkeel/internal/access"
	"evenkeel/internal/incident"
	"evenkeel/internal/journal"
)

// maxLabels bounds the labels that are remembered; when it is full, it starts anew.
const maxLabels = 10_000

// labels remembers what staff call incidents, by id. A number is given once and
// for ever, and tells nothing else of an incident.
type labels struct {
	mu    sync.Mutex
	known map[string]string
}

// incidentLabel gives what staff call an incident, INC-231; "" for one that is
// not known.
func (c *Console) incidentLabel(ctx context.Context, id string) string {
	if c.deps.Room == nil {
		return ""
	}
	c.labels.mu.Lock()
	label, ok := c.labels.known[id]
	c.labels.mu.Unlock()
	if ok {
		return label
	}
	i, err := c.deps.Room.Find(ctx, access.Hub, id)
	if err != nil {
		return ""
	}
	label = i.Label()
	c.labels.mu.Lock()
	defer c.labels.mu.Unlock()
	if c.labels.known == nil || len(c.labels.known) >= maxLabels {
		c.labels.known = map[string]string{}
	}
	c.labels.known[id] = label
	return label
}

// labelOf gives what staff call the incident that an entry is about; most
// entries say so themselves.
func (c *Console) labelOf(ctx context.Context, e journal.Entry) string {
	if e.Subject.Kind != "incident" {
		return ""
	}
	if n := e.Payload["number"]; n != "" {
		return incident.LabelPrefix + n
	}
	return c.incidentLabel(ctx, e.Subject.ID)
}

// incidentRefOf reads a reference as staff write it: incident/INC-231 and
// INC-231 are the incident with that number.
func (c *Console) incidentRefOf(ctx context.Context, ref journal.Ref) journal.Ref {
	label := ref.ID
	if label == "" {
		label = ref.Kind
	}
	if c.deps.Room == nil || !strings.HasPrefix(strings.ToUpper(label), incident.LabelPrefix) || ref.ID != "" && ref.Kind != "incident" {
		return ref
	}
	if i, err := c.deps.Room.Find(ctx, access.Hub, label); err == nil {
		return incidentRef(i.ID)
	}
	return ref
}
