package procedure

import (
	"errors"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
)

// Expression wants a condition over the facts to hold. It is compiled, and its
// types are checked, when the procedure is read.
type Expression struct {
	Text    string
	program *vm.Program
}

// asked is what a condition may ask.
type asked struct {
	Kind     string             `expr:"kind"` // of the release
	Bump     string             `expr:"bump"`
	Downtime bool               `expr:"downtime"`
	Data     string             `expr:"data"`
	Branch   string             `expr:"branch"`
	RC       int                `expr:"rc"`
	Changes  int                `expr:"changes"`
	Kinds    map[string]int     `expr:"kinds"`   // of changes → how many
	Figures  map[string]float64 `expr:"figures"` // of the candidate
	Hour     int                `expr:"hour"`    // UTC
	Weekday  string             `expr:"weekday"` // mon, tue, …; UTC
}

// CompileExpression reads a condition. The error names what is wrong with it.
func CompileExpression(text string) (Expression, error) {
	if strings.TrimSpace(text) == "" {
		return Expression{}, errors.New("a condition is missing")
	}
	program, err := expr.Compile(text, expr.Env(asked{}), expr.AsBool())
	if err != nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return Expression{}, errors.New(first)
	}
	return Expression{Text: text, program: program}, nil
}

// Kind is expr.
func (Expression) Kind() string { return "expr" }

func (k Expression) judge(c *course) Verdict {
	if k.program == nil {
		return waiting("The condition cannot be told.")
	}
	r := c.f.Release
	env := asked{
		Kind: string(r.Kind), Bump: string(r.Bump), Downtime: r.Downtime == "downtime", Data: string(r.Data), Branch: r.Branch, RC: c.f.Candidate.Number,
		Changes: len(c.f.Changes), Kinds: map[string]int{}, Figures: c.f.Candidate.Figures, Hour: c.now.UTC().Hour(), Weekday: strings.ToLower(c.now.UTC().Weekday().String()[:3]),
	}
	for _, ch := range c.f.Changes {
		env.Kinds[ch.Kind]++
	}
	out, err := expr.Run(k.program, env)
	switch ok, is := out.(bool); {
	case err != nil || !is:
		return waiting("The condition cannot be told: " + k.Text)
	case !ok:
		return Verdict{State: Failed, Why: "Not so: " + k.Text}
	}
	return passed("", "So it is: "+k.Text)
}
