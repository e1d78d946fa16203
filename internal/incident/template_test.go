package incident_test

import (
	"strings"
	"testing"
	"time"

	"evenkeel/internal/incident"
	"evenkeel/internal/problem"
)

// template keeps a template that must be kept.
func (p *place) template(body string) incident.Template {
	p.tb.Helper()
	tpl, err := p.PutTemplate(p.tb.Context(), operator, incident.Template{Name: "Failing " + body, Title: "{{component}} fails", Body: body, State: incident.Identified})
	if err != nil {
		p.tb.Fatal(err)
	}
	return tpl
}

func TestTemplateIsFilledFromValuesAndTheIncident(t *testing.T) {
	p := newPlace(t)
	i := p.public(incident.Declaration{StartedAt: time.Now().Add(-30 * time.Minute), Components: []incident.Affected{{Component: "pay", Status: "major_outage"}, {Component: "ledger", Status: "major_outage"}}})
	tpl := p.template("{{components}} fails for {{ who }} since {{duration}}; impact {{impact}}.")
	got, err := p.Fill(t.Context(), viewer, tpl.ID, i.ID, map[string]string{"who": "one *in* three", "component": "Pay & Go"})
	if err != nil {
		t.Fatal(err)
	}
	if want := `Payments fails for one \*in\* three since 30 minutes; impact critical.`; got.Body != want {
		t.Errorf("got %q, want %q", got.Body, want)
	}
	if got.Title != "Pay & Go fails" || got.State != incident.Identified {
		t.Errorf("got %+v", got)
	}
}

func TestTemplateNamesTheVariableWithoutValue(t *testing.T) {
	p := newPlace(t)
	tpl := p.template("Since {{since_when}}.")
	_, err := p.Fill(t.Context(), viewer, tpl.ID, "", map[string]string{"component": "x"})
	wantKind(t, err, problem.KindInvalid)
	if !strings.Contains(err.Error(), "{{since_when}}") {
		t.Errorf("got %v", err)
	}
}

func TestTemplateValuesAreNeverLookedAtAgain(t *testing.T) {
	p := newPlace(t)
	tpl := p.template("{{a}}{{b}}")
	got, err := p.Fill(t.Context(), viewer, tpl.ID, "", map[string]string{"a": "{{b}}", "b": "[click](https://evil.example)<script>", "component": "{{a}}\n# x"})
	if err != nil {
		t.Fatal(err)
	}
	if want := `\{\{b\}\}\[click\]\(https\:\/\/evil\.example\)\<script\>`; got.Body != want {
		t.Errorf("got %s, want %s", got.Body, want)
	}
	if got.Title != "{{a}} # x fails" {
		t.Errorf("got %s", got.Title)
	}
}

func TestTemplateIsChecked(t *testing.T) {
	p := newPlace(t)
	for name, tpl := range map[string]incident.Template{
		"no name":  {Body: "x"},
		"no body":  {Name: "x"},
		"unclosed": {Name: "x", Body: "{{a"},
		"odd name": {Name: "x", Body: "{{A-b}}"},
		"empty":    {Name: "x", Body: "{{}}"},
		"state":    {Name: "x", Body: "x", State: incident.Suspected},
		"impact":   {Name: "x", Body: "x", Impact: "auto"},
		"long":     {Name: strings.Repeat("x", incident.MaxTemplateName+1), Body: "x"},
		"version":  {ID: "x", Name: "x", Body: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.PutTemplate(t.Context(), operator, tpl)
			wantKind(t, err, problem.KindInvalid)
		})
	}
	kept := p.template("x")
	kept.Body = "y"
	if _, err := p.PutTemplate(t.Context(), operator, kept); err != nil {
		t.Fatal(err)
	}
	_, err := p.PutTemplate(t.Context(), operator, kept)
	wantKind(t, err, problem.KindConflict)
	wantKind(t, p.DropTemplate(t.Context(), operator, kept.ID, kept.Version), problem.KindConflict)
	if err := p.DropTemplate(t.Context(), operator, kept.ID, kept.Version+1); err != nil {
		t.Fatal(err)
	}
	_, err = p.Fill(t.Context(), viewer, kept.ID, "", nil)
	wantKind(t, err, problem.KindNotFound)
}
