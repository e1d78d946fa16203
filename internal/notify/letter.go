package notify

import (
	"embed"
	htmltemplate "html/template"
	"io/fs"
	"strings"
	"sync"
	texttemplate "text/template"

	"evenkeel/internal/markup"
)

//go:embed templates
var templates embed.FS

// colours are the colours of tones on white; the dark ones stand in the template.
var colours = map[tone]htmltemplate.CSS{
	toneGood: "#0f6a50", toneInfo: "#4a5660", toneMinor: "#825300", toneMajor: "#a83a08", toneCritical: "#98112f", toneMaintenance: "#2858aa",
}

// maxPreview is how many characters a mailbox shows beside the subject.
const maxPreview = 140

var textForm = sync.OnceValue(func() *texttemplate.Template {
	return texttemplate.Must(texttemplate.New("text").Funcs(texttemplate.FuncMap{"text": markup.Text}).Parse(source("text.tmpl")))
})

var htmlForm = sync.OnceValue(func() *htmltemplate.Template {
	return htmltemplate.Must(htmltemplate.New("html").Funcs(htmltemplate.FuncMap{
		"html": markup.HTML, "colour": func(t tone) htmltemplate.CSS { return colours[t] }, "preview": preview,
	}).Parse(source("html.tmpl")))
})

// source gives a template of the house.
func source(name string) string {
	b, err := fs.ReadFile(templates, "templates/"+name)
	if err != nil {
		panic("notify: " + err.Error()) // it is embedded
	}
	return string(b)
}

// preview gives what a mailbox shows beside the subject.
func preview(t telling) string {
	if s := markup.Summary(t.Body, maxPreview); s != "" {
		return s
	}
	return cut(line(t.Note, maxPreview), maxPreview)
}

// text gives the message as plain text.
func (t telling) text() string {
	var out strings.Builder
	if err := textForm().ExecuteTemplate(&out, "message", t); err != nil { // a telling holds nothing that can fail
		return t.Headline() + "\n"
	}
	return strings.TrimSpace(out.String()) + "\n"
}

// html gives the message as one HTML document: one column, light and dark,
// nothing from outside.
func (t telling) html() (string, error) {
	var out strings.Builder
	err := htmlForm().ExecuteTemplate(&out, "message", t)
	return out.String(), err
}
