package incident

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// Templates gives all templates, by name.
func (r *Room) Templates(ctx context.Context, by access.Actor) ([]Template, error) {
	if err := by.Check(access.IncidentRead); err != nil {
		return nil, err
	}
	return r.store.Templates(ctx)
}

// PutTemplate keeps words for a next time: a new template (ID "") or a changed
// one (ID and Version as read). Errors: Invalid, TooMany.
func (r *Room) PutTemplate(ctx context.Context, by access.Actor, t Template) (Template, error) {
	if err := r.allows(by, access.IncidentUpdate, nil); err != nil {
		return Template{}, err
	}
	t, err := t.checked()
	if err != nil {
		return Template{}, err
	}
	if t.ID == "" {
		all, err := r.store.Templates(ctx)
		if err != nil {
			return Template{}, err
		}
		if len(all) >= MaxTemplates {
			return Template{}, problem.TooMany("There are %d templates already.", MaxTemplates)
		}
		t.ID, t.Version = newID(), 0
	} else if t.Version == 0 {
		return Template{}, problem.Invalid("version", "Say which version was changed.")
	}
	was := t.Version
	err = r.work.Do(ctx, by.As(access.IncidentUpdate), func(tx journal.Tx) error {
		t.Version = was
		if err := r.store.PutTemplate(ctx, tx, &t); err != nil {
			return err
		}
		return tx.Append(journal.Entry{Verb: "template.put", Subject: journal.Ref{Kind: "template", ID: t.ID}, Audience: journal.AudienceStaff})
	})
	return t, err
}

// DropTemplate deletes a template.
func (r *Room) DropTemplate(ctx context.Context, by access.Actor, id string, version int64) error {
	if err := r.allows(by, access.IncidentUpdate, nil); err != nil {
		return err
	}
	return r.work.Do(ctx, by.As(access.IncidentUpdate), func(tx journal.Tx) error {
		if err := r.store.DropTemplate(ctx, tx, id, version); err != nil {
			return err
		}
		return tx.Append(journal.Entry{Verb: "template.dropped", Subject: journal.Ref{Kind: "template", ID: id}, Audience: journal.AudienceStaff})
	})
}

// checked gives a template as it is kept. Errors: Invalid.
func (t Template) checked() (Template, error) {
	var errs problem.Errors
	var err error
	t.Name, err = line("name", t.Name, MaxTemplateName)
	errs = gather(errs, err)
	if t.Title != "" {
		t.Title, err = line("title", t.Title, MaxName)
		errs = gather(errs, err)
	}
	t.Body, err = text("body", t.Body, MaxBody, false)
	errs = gather(errs, err)
	if t.State != "" {
		_, err = saying(t.State)
		errs = gather(errs, err)
	}
	if t.Impact != "" && !t.Impact.Valid() {
		errs = append(errs, problem.Invalid("impact", "%q is no impact.", t.Impact))
	}
	for field, s := range map[string]string{"title": t.Title, "body": t.Body} {
		_, err = expand(field, s, func(string) (string, bool) { return "", true })
		errs = gather(errs, err)
	}
	return t, errs.Err()
}

// Filled is a template with its variables replaced: what a form starts with.
type Filled struct {
	Title, Body string
	State       State
	Impact      Impact
}

// Fill replaces the variables of a template by values, and by what is known of
// an incident, when one is named: incident, label, components, impact, status,
// started, duration. Values given go first. A value is text and nothing else:
// Markdown in it is shown as it stands. Errors: Invalid, naming a variable that
// has no value.
func (r *Room) Fill(ctx context.Context, by access.Actor, templateID, incidentID string, values map[string]string) (Filled, error) {
	all, err := r.Templates(ctx, by)
	if err != nil {
		return Filled{}, err
	}
	n := slices.IndexFunc(all, func(t Template) bool { return t.ID == templateID })
	if n < 0 {
		return Filled{}, problem.NotFound("There is no such template.")
	}
	known := map[string]string{}
	if incidentID != "" {
		i, err := r.find(ctx, by, incidentID)
		if err != nil {
			return Filled{}, err
		}
		known = r.variables(&i)
	}
	if len(values) > MaxVariables {
		return Filled{}, problem.Invalid("values", "A template takes at most %d values.", MaxVariables)
	}
	for name, value := range values {
		if !variable.MatchString(name) {
			return Filled{}, problem.Invalid("values", "A variable is named by small letters, digits and underscores.")
		}
		if value == "" {
			continue
		}
		if known[name], err = line("values."+name, value, MaxValue); err != nil {
			return Filled{}, err
		}
	}
	return all[n].fill(known)
}

// variables gives what is known of an incident.
func (r *Room) variables(i *Incident) map[string]string {
	return map[string]string{
		"incident": i.Name, "label": i.Label(), "impact": string(i.Impact), "status": string(i.State),
		"components": together(publicNames(i.Components, r.known())), "started": clock(i.StartedAt), "duration": elapsed(r.now().Sub(i.StartedAt)),
	}
}

// fill replaces the variables of a template. Errors: Invalid.
func (t Template) fill(values map[string]string) (Filled, error) {
	f := Filled{State: t.State, Impact: t.Impact}
	var errs problem.Errors
	var err error
	f.Title, err = expand("title", t.Title, func(name string) (string, bool) { v, ok := values[name]; return v, ok })
	errs = gather(errs, err)
	f.Body, err = expand("body", t.Body, func(name string) (string, bool) { v, ok := values[name]; return plainly(v), ok })
	errs = gather(errs, err)
	return f, errs.Err()
}

// variable is how variables are named.
var variable = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)

// expand replaces each {{name}} by its value, once: what a value holds is never
// looked at again. Errors: Invalid.
func expand(field, s string, value func(name string) (string, bool)) (string, error) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "{{")
		b.WriteString(before)
		if !found {
			return b.String(), nil
		}
		name, after, closed := strings.Cut(rest, "}}")
		name = strings.TrimSpace(name)
		switch {
		case !closed:
			return "", problem.Invalid(field, "A variable that begins with {{ ends with }}.")
		case !variable.MatchString(name):
			return "", problem.Invalid(field, "A variable is named by small letters, digits and underscores: {{component}}.")
		}
		v, ok := value(name)
		if !ok {
			return "", problem.Invalid(field, "There is no value for the variable {{%s}}.", name)
		}
		b.WriteString(v)
		s = after
	}
}

// plainly escapes text so that Markdown shows it as it stands (CommonMark 0.31,
// section 2.4: a backslash before any ASCII punctuation makes it literal).
// Harmless marks inside a sentence stay as they are, for those who read the source.
func plainly(s string) string {
	var b strings.Builder
	for n, c := range []byte(s) {
		if special(c) && !(c == '-' && n > 0 && n+1 < len(s) && alphanumeric(s[n-1]) && alphanumeric(s[n+1])) {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// special reports ASCII punctuation that can mean something in Markdown.
func special(c byte) bool { return strings.IndexByte("\\`*_{}[]()#+-.!|<>~&:@/=^$", c) >= 0 }

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
