package monitors

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"evenkeel/internal/problem"
)

// Limits of a condition. The text comes from the operator, the values from a
// stranger: work may grow with the answer, never faster.
const (
	maxCondition       = 2 << 10 // bytes of text
	maxConditionNodes  = 500     // nodes of its syntax tree
	maxConditionMemory = 500_000 // values it may make while it runs
)

// conditionFunctions are the functions a condition may call: those whose cost
// is at most in proportion to what they are given. reduce, repeat, replace and
// join are not among them, because they can build a value of any size.
var conditionFunctions = []string{
	"all", "any", "one", "none", "count", "filter", "map", "find", "findIndex", "findLast", "findLastIndex",
	"len", "lower", "upper", "trim", "trimPrefix", "trimSuffix", "hasPrefix", "hasSuffix", "indexOf", "lastIndexOf", "split",
	"abs", "ceil", "floor", "round", "int", "float", "string", "type", "min", "max", "sum", "mean", "median",
	"first", "last", "keys", "values", "date", "duration", "now",
}

// Condition is an expression over the typed result of a probe, compiled and
// type-checked when the configuration is read: status == 200 && body.ok.
// A nil Condition always holds. Safe for concurrent use.
type Condition struct {
	text    string
	program *vm.Program
	names   []string // the values it looks at, to show them when it does not hold
}

// Condition compiles text, which must give true or false. sample is a value of
// the struct that failure will be given; its fields are known by their expr
// tags. An empty text gives nil. Errors: Invalid, with the token at fault and
// its position.
func (e *Env) Condition(field, text string, sample any) (*Condition, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if len(text) > maxCondition {
		return nil, problem.Invalid(field, "is longer than %d bytes", maxCondition)
	}
	options := []expr.Option{expr.Env(sample), expr.AsBool(), expr.MaxNodes(maxConditionNodes), expr.DisableAllBuiltins()}
	for _, name := range conditionFunctions {
		options = append(options, expr.EnableBuiltin(name))
	}
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, problem.Invalid(field, "%s", explainCondition(text, err))
	}
	seen := &conditionVisitor{}
	ast.Walk(&tree.Node, seen)
	if seen.refused != "" { // expr leaves some of its builtins on whatever one disables
		return nil, problem.Invalid(field, "there is no function %s; the functions are %s", seen.refused, strings.Join(conditionFunctions, ", "))
	}
	if seen.nested {
		return nil, problem.Invalid(field, "a loop inside a loop, such as any(body.a, any(#.b, …)), is not allowed: its work could grow without measure")
	}
	program, err := expr.Compile(text, options...)
	if err != nil {
		return nil, problem.Invalid(field, "%s", explainCondition(text, err))
	}
	return &Condition{text: text, program: program, names: seen.names}, nil
}

// conditionVisitor finds the names a condition uses, functions that it must
// not, and loops within loops.
type conditionVisitor struct {
	names   []string
	refused string
	nested  bool
}

// Visit is called for every node.
func (v *conditionVisitor) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		if !slices.Contains(v.names, n.Value) {
			v.names = append(v.names, n.Value)
		}
	case *ast.BuiltinNode:
		if !slices.Contains(conditionFunctions, n.Name) {
			v.refused = n.Name
		}
	case *ast.PredicateNode:
		inner := &predicateCounter{}
		ast.Walk(&n.Node, inner)
		v.nested = v.nested || inner.found
	}
}

type predicateCounter struct{ found bool }

// Visit notes that there is a predicate.
func (c *predicateCounter) Visit(node *ast.Node) {
	if _, ok := (*node).(*ast.PredicateNode); ok {
		c.found = true
	}
}

// explainCondition names the offending token and where it stands.
func explainCondition(text string, err error) string {
	at, ok := errors.AsType[*file.Error](err)
	if !ok {
		return err.Error()
	}
	message := at.Message
	token := ""
	if runes := []rune(text); at.From >= 0 && at.From < at.To && at.To <= len(runes) {
		token = string(runes[at.From:at.To])
	}
	if token == "" {
		return fmt.Sprintf("line %d, column %d: %s", at.Line, at.Column+1, message)
	}
	return fmt.Sprintf("line %d, column %d, at %q: %s", at.Line, at.Column+1, token, message)
}

// failure evaluates the condition on values, a value of the sample's type. It
// gives "" when the condition holds, else a sentence with the values it looked at.
func (c *Condition) failure(values any) (why string) {
	if c == nil {
		return ""
	}
	defer func() { // a stranger's value must not end the run
		if v := recover(); v != nil {
			why = fmt.Sprintf("the condition %s cannot be evaluated: %v", quote(c.text), v)
		}
	}()
	machine := vm.VM{MemoryBudget: maxConditionMemory}
	out, err := machine.Run(c.program, values)
	if err != nil {
		message := err.Error()
		if at, ok := errors.AsType[*file.Error](err); ok {
			message = at.Message
		}
		return fmt.Sprintf("the condition %s cannot be evaluated: %s", quote(c.text), message)
	}
	if holds, ok := out.(bool); ok && holds {
		return ""
	}
	return fmt.Sprintf("the condition %s does not hold%s", quote(c.text), c.shown(values))
}

// shown lists the plain values that the condition looked at.
func (c *Condition) shown(values any) string {
	var parts []string
	v := reflect.ValueOf(values)
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("expr")
		if !slices.Contains(c.names, name) {
			continue
		}
		switch f := v.Field(i); f.Kind() {
		case reflect.Int, reflect.Bool:
			parts = append(parts, fmt.Sprintf("%s is %v", name, f.Interface()))
		case reflect.Float64:
			parts = append(parts, name+" is "+number(f.Float()))
		case reflect.String:
			parts = append(parts, name+" is "+quote(f.String()))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}
