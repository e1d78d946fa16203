package app

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/config"
	"evenkeel/internal/journal"
	"evenkeel/internal/netguard"
	"evenkeel/internal/problem"
	"evenkeel/internal/secret"
	"evenkeel/internal/status"
	"evenkeel/monitors"
)

// Definitions is what is defined in the console beside the file: groups,
// components and monitors, as text in the file's shape. What the file defines is
// the file's alone. All methods are safe for concurrent use.
type Definitions struct {
	app     *App
	aside   atomic.Pointer[[]config.Misfit] // what does not fit the file that is in force
	changed chan struct{}                   // another hub made a definition true
	box     atomic.Pointer[secret.Box]      // the house's: seals secrets of definitions
}

func newDefinitions(a *App) *Definitions {
	return &Definitions{app: a, changed: make(chan struct{}, 1)}
}

// Definition is one document and, when the file no longer fits it, why it is
// set aside.
type Definition struct {
	status.Document
	Aside config.Problems
}

// Definitions gives what the console is offered to define things with.
func (a *App) Definitions() *Definitions { return a.definitions }

// Place tells where the file defines a thing: a group, component, monitor or
// window. What it defines is locked in the console. ok is false for the rest.
func (d *Definitions) Place(kind, id string) (file string, line int, ok bool) {
	p, ok := d.app.config.Load().Place(kind, id)
	return filepath.Base(p.File), p.Line, ok
}

// List gives what was defined in the console, by kind and ID. Errors: Forbidden,
// Unavailable.
func (d *Definitions) List(ctx context.Context, by access.Actor) ([]Definition, error) {
	h, err := d.house()
	if err != nil {
		return nil, err
	}
	docs, err := h.desk.Documents(ctx, by)
	if err != nil {
		return nil, err
	}
	out := make([]Definition, len(docs))
	for i, doc := range docs {
		out[i].Document = doc
		if aside := d.aside.Load(); aside != nil {
			for _, m := range *aside {
				if m.Kind == doc.Kind && m.ID == doc.ID {
					out[i].Aside = m.Problems
				}
			}
		}
	}
	return out, nil
}

// Check tells what Put would change, and everything that is wrong with the
// document, without keeping it. Errors: as Put.
func (d *Definitions) Check(ctx context.Context, by access.Actor, doc status.Document) (status.Plan, error) {
	if err := by.Check(access.ComponentEdit); err != nil {
		return status.Plan{}, err
	}
	h, err := d.house()
	if err != nil {
		return status.Plan{}, err
	}
	_, merged, err := d.with(ctx, h, doc)
	if err != nil {
		return status.Plan{}, err
	}
	return h.watch.Plan(ctx, d.app.definition(merged))
}

// Put keeps a document and makes it true at once. Version 0 is a new one,
// otherwise it is the version that was edited. Plain secrets in it are sealed
// first. Errors: Forbidden, Invalid (problem.Errors: all that is wrong, with its
// line), Conflict when it changed meanwhile or the file defines it, TooMany,
// Unavailable; on any error all is as before.
func (d *Definitions) Put(ctx context.Context, by access.Actor, doc status.Document) (status.Plan, error) {
	if err := by.Check(access.ComponentEdit); err != nil {
		return status.Plan{}, err
	}
	h, err := d.house()
	if err != nil {
		return status.Plan{}, err
	}
	d.app.reloading.Lock()
	defer d.app.reloading.Unlock()
	sealed, merged, err := d.with(ctx, h, doc)
	if err != nil {
		return status.Plan{}, err
	}
	plan, err := h.desk.Define(ctx, by, sealed, d.app.definition(merged))
	if err != nil {
		return status.Plan{}, err
	}
	return plan, d.app.setJobs(h, merged)
}

// Drop takes a document away; what it defined is gone from the page at once and
// keeps its history. Errors: Forbidden, NotFound, Invalid when others need it,
// Conflict when it changed meanwhile, Unavailable.
func (d *Definitions) Drop(ctx context.Context, by access.Actor, kind, id string, version int64) (status.Plan, error) {
	if err := by.Check(access.ComponentEdit); err != nil {
		return status.Plan{}, err
	}
	h, err := d.house()
	if err != nil {
		return status.Plan{}, err
	}
	d.app.reloading.Lock()
	defer d.app.reloading.Unlock()
	file, fit, err := d.fitting(ctx, h)
	if err != nil {
		return status.Plan{}, err
	}
	fit = slices.DeleteFunc(fit, func(x config.Document) bool { return x.Kind == kind && x.ID == id })
	merged, problems := config.Merge(file, fit, d.options())
	if problems != nil {
		return status.Plan{}, invalid(problems, "")
	}
	plan, err := h.desk.Undefine(ctx, by, kind, id, version, d.app.definition(merged))
	if err != nil {
		return status.Plan{}, err
	}
	return plan, d.app.setJobs(h, merged)
}

func (d *Definitions) house() (*house, error) {
	if h := d.app.house.Load(); h != nil {
		return h, nil
	}
	return nil, problem.Unavailable(nil, "The hub is not up yet.")
}

// with gives a document with its secrets sealed, and the file with it and all
// others that fit.
func (d *Definitions) with(ctx context.Context, h *house, doc status.Document) (status.Document, config.File, error) {
	file, fit, err := d.fitting(ctx, h)
	if err != nil {
		return doc, config.File{}, err
	}
	if p, ok := file.Place(doc.Kind, doc.ID); ok {
		return doc, config.File{}, problem.Conflict("%s %s is defined in %s, line %d; change it there.", doc.Kind, doc.ID, filepath.Base(p.File), p.Line)
	}
	sealed, err := config.Seal(config.Document{Kind: doc.Kind, ID: doc.ID, Text: doc.Text}, func(purpose string, plain []byte) (string, error) {
		b, err := d.box.Load().Seal(purpose, plain)
		return base64.StdEncoding.EncodeToString(b), err
	})
	if err != nil {
		return doc, config.File{}, err
	}
	fit = append(slices.DeleteFunc(fit, func(x config.Document) bool { return x.Kind == doc.Kind && x.ID == doc.ID }), sealed)
	merged, problems := config.Merge(file, fit, d.options())
	if problems != nil {
		return doc, config.File{}, invalid(problems, sealed.Name())
	}
	doc.Text = sealed.Text
	return doc, merged, nil
}

// fitting reads the file, and the documents that fit it.
func (d *Definitions) fitting(ctx context.Context, h *house) (config.File, []config.Document, error) {
	if d.app.o.Load == nil {
		return config.File{}, nil, problem.Conflict("This hub was started without a configuration file, so nothing can be added to it.")
	}
	file, err := d.app.o.Load()
	if err != nil {
		return config.File{}, nil, problem.Conflict("The configuration file has problems now; mend it first: %s", firstLine(err))
	}
	docs, err := h.store.Documents(ctx)
	if err != nil {
		return config.File{}, nil, err
	}
	_, aside := config.Fit(file, texts(docs), d.options())
	fit := slices.DeleteFunc(texts(docs), func(x config.Document) bool {
		return slices.ContainsFunc(aside, func(m config.Misfit) bool { return m.Kind == x.Kind && m.ID == x.ID })
	})
	return file, fit, nil
}

// join adds the documents to a file that is to be made true. Those that do not
// fit are set aside, in the log and in sight: a definition made in the console
// never keeps the file from being applied, nor the hub from starting.
func (d *Definitions) join(ctx context.Context, s status.DeskStore, file config.File) (config.File, error) {
	docs, err := s.Documents(ctx)
	if err != nil {
		return config.File{}, err
	}
	if len(docs) == 0 {
		d.aside.Store(nil)
		d.app.health.Forget("definitions")
		return file, nil
	}
	merged, aside := config.Fit(file, texts(docs), d.options())
	d.aside.Store(&aside)
	d.app.health.Note("definitions", len(aside) == 0, setAside(aside))
	for _, m := range aside {
		d.app.log.Warn("a definition made in the console does not fit the file and is set aside", "definition", m.Name(), "err", m.Problems)
	}
	return merged, nil
}

// setAside says in a line what was set aside.
func setAside(aside []config.Misfit) string {
	if len(aside) == 0 {
		return ""
	}
	names := make([]string, len(aside))
	for i, m := range aside {
		names[i] = m.Name()
	}
	return "made in the console, but they do not fit the file: " + strings.Join(names, ", ")
}

func texts(docs []status.Document) []config.Document {
	out := make([]config.Document, len(docs))
	for i, d := range docs {
		out[i] = config.Document{Kind: d.Kind, ID: d.ID, Text: d.Text}
	}
	return out
}

// options are the checks of a document: those of the file.
func (d *Definitions) options() config.Options {
	o := checks(config.Options{Environ: os.Environ(), ReadFile: noFiles})
	o.Unseal = func(purpose, sealed string) ([]byte, error) {
		b, err := base64.StdEncoding.DecodeString(sealed)
		if err != nil {
			return nil, err
		}
		return d.box.Load().Unseal(purpose, b)
	}
	return o
}

// unsealLater stands in for secrets that only the hub can open.
func unsealLater(purpose, _ string) ([]byte, error) { return []byte(purpose), nil }

// noFiles reads nothing: who may define things in the console need not be able
// to read the hub's machine.
func noFiles(name string) ([]byte, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("files are not read for definitions made in the console")}
}

// invalid turns problems of documents into those of a request. The one being
// edited is not named again and again.
func invalid(ps config.Problems, edited string) error {
	var es problem.Errors
	for _, p := range ps {
		text := p.Reason
		if p.Hint != "" {
			text += " (" + p.Hint + ")"
		}
		if p.File == edited {
			es = append(es, problem.Invalid(p.Path, "line %d: %s", p.Line, text))
		} else {
			es = append(es, problem.Invalid("", "%s, line %d: %s: %s", p.File, p.Line, p.Path, text))
		}
	}
	return es.Err()
}

// consoleEnv is probeEnv for monitors that were made in the console: private
// addresses only where that is allowed, no files of this machine, and of its
// environment only what is meant for probes.
func (a *App) consoleEnv(file config.File) (monitors.Env, error) {
	guard, err := netguard.New(netguard.Options{AllowPrivate: file.Probe.ConsolePrivate, Deny: file.Probe.Deny})
	if err != nil {
		return monitors.Env{}, err
	}
	return monitors.NewEnv(monitors.Env{
		Guard: guard, UserAgent: a.env.UserAgent, Zone: a.env.Zone, Pings: a.pings, ReadFile: noFiles,
		LookupEnv: func(name string) (string, bool) {
			if !strings.HasPrefix(name, config.ProbeVariable) {
				return "", false
			}
			return os.LookupEnv(name)
		},
	}), nil
}

// follow notes that another hub made a definition true.
func (d *Definitions) follow(h *house, entries []journal.Sealed) {
	for _, e := range entries {
		if e.Verb == "setup.applied" && !h.watch.Applied(e.Subject.ID) {
			d.nudge()
			return
		}
	}
}

func (d *Definitions) nudge() {
	select {
	case d.changed <- struct{}{}:
	default:
	}
}

// takeOverAgain is the pause before it is tried again.
const takeOverAgain = 2 * time.Second

// definitionsEvery is how often the loop that waits for them says that it does.
const definitionsEvery = 30 * time.Second

// run takes over what other hubs made true, until ctx ends.
func (d *Definitions) run(ctx context.Context, h *house) error {
	alive := time.NewTicker(definitionsEvery)
	defer alive.Stop()
	for {
		d.app.health.Beat("definitions loop", definitionsEvery)
		select {
		case <-ctx.Done():
			return nil
		case <-alive.C:
			continue
		case <-d.changed:
		}
		if err := d.takeOver(ctx, h); err != nil && ctx.Err() == nil {
			d.app.log.Warn("what another hub defined is not taken over yet", "err", err)
			again := time.NewTimer(takeOverAgain)
			select {
			case <-ctx.Done():
			case <-again.C:
			}
			again.Stop()
			d.nudge()
		}
	}
}

// takeOver makes what SQL now defines what this process watches and probes, as
// far as its own file and the console's definitions say how.
func (d *Definitions) takeOver(ctx context.Context, h *house) error {
	d.app.reloading.Lock()
	defer d.app.reloading.Unlock()
	if err := h.watch.Adopt(ctx); err != nil {
		return err
	}
	if d.app.o.Load == nil {
		return nil
	}
	file, err := d.app.o.Load()
	if err != nil {
		return fmt.Errorf("read the file for its monitors: %w", err)
	}
	merged, err := d.join(ctx, h.store, file)
	if err != nil {
		return err
	}
	return d.app.setJobs(h, merged)
}
