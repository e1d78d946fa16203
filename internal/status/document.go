package status

import (
	"context"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// The kinds of documents.
const (
	KindGroup     = "group"
	KindComponent = "component"
	KindMonitor   = "monitor"
)

const (
	// MaxDocuments bounds what is defined in the console, and MaxDocument the text
	// of one definition, in bytes.
	MaxDocuments = 2000
	MaxDocument  = 16 << 10
)

// Document is one group, component or monitor that was defined in the console,
// as text in the shape of the file. What it says is read elsewhere; secrets in
// it are sealed.
type Document struct {
	Kind    string // group, component, monitor
	ID      string // as its text says
	Text    string
	By      string // actor id of who wrote it last
	At      time.Time
	Version int64
}

// Documents gives what was defined in the console, by kind and ID. Errors:
// Forbidden, Unavailable.
func (d *Desk) Documents(ctx context.Context, by access.Actor) ([]Document, error) {
	if err := by.Check(access.ComponentRead); err != nil {
		return nil, err
	}
	return d.store.Documents(ctx)
}

// Define keeps a document and makes the definition true that it is part of, in
// one unit of work. Version 0 is a new one, otherwise it is the version that was
// edited. The definition must have been checked. Errors: Forbidden, Invalid,
// Conflict, TooMany, Unavailable; on any error all is as before.
func (d *Desk) Define(ctx context.Context, by access.Actor, doc Document, def Definition) (Plan, error) {
	if err := d.mayDefine(by, doc.Kind, doc.ID, def); err != nil {
		return Plan{}, err
	}
	if len(doc.Text) > MaxDocument {
		return Plan{}, problem.Invalid("text", "is longer than %d bytes.", MaxDocument)
	}
	if doc.Version == 0 {
		docs, err := d.store.Documents(ctx)
		if err != nil {
			return Plan{}, err
		}
		if len(docs) >= MaxDocuments {
			return Plan{}, problem.TooMany("There are %d definitions made here already; keep more of them in a file.", len(docs))
		}
	}
	return d.watch.apply(ctx, by.As(access.ComponentEdit), def, func(tx journal.Tx) error {
		doc.By, doc.At = by.ID, tx.Now()
		if err := d.store.PutDocument(ctx, tx, doc); err != nil {
			return err
		}
		return tx.Append(documented("definition.put", doc.Kind, doc.ID))
	})
}

// Undefine drops a document and makes the definition true that is left, in one
// unit of work. What it defined is gone from the page; its history is kept, and
// comes back with it. Errors: as Define, and NotFound.
func (d *Desk) Undefine(ctx context.Context, by access.Actor, kind, id string, version int64, def Definition) (Plan, error) {
	if err := d.mayDefine(by, kind, id, def); err != nil {
		return Plan{}, err
	}
	return d.watch.apply(ctx, by.As(access.ComponentEdit), def, func(tx journal.Tx) error {
		if err := d.store.DropDocument(ctx, tx, kind, id, version); err != nil {
			return err
		}
		return tx.Append(documented("definition.removed", kind, id))
	})
}

// mayDefine checks the right to define one thing: on the component that it is,
// or that it checks now and is to check. What is new needs the right everywhere.
func (d *Desk) mayDefine(by access.Actor, kind, id string, def Definition) error {
	var comps []*Component
	touch := func(component string) error {
		c, err := d.component(component)
		if err != nil {
			return by.CheckOn(access.ComponentEdit)
		}
		comps = append(comps, c)
		return nil
	}
	switch kind {
	case KindComponent:
		if err := touch(id); err != nil {
			return err
		}
	case KindMonitor:
		for _, m := range d.watch.Catalog().Monitors {
			if m.ID == id {
				if err := touch(m.Component); err != nil {
					return err
				}
			}
		}
		for _, m := range def.Monitors {
			if m.ID == id {
				if err := touch(m.Component); err != nil {
					return err
				}
			}
		}
	}
	return allows(by, access.ComponentEdit, comps...)
}

// documented is the journal entry of a document.
func documented(verb, kind, id string) journal.Entry {
	return journal.Entry{
		Verb: verb, Subject: journal.Ref{Kind: "definition", ID: kind + "/" + id}, Audience: journal.AudienceStaff,
	}
}
