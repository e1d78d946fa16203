package ticket

import "strings"

// maxFilled bounds a text after its variables were filled in, in bytes.
const maxFilled = 8 * MaxAnswer

// fill puts values in the place of {{name}}. What is filled in is not read again,
// so no value can bring a variable of its own; variables that are not known stay.
func fill(body string, values map[string]string) string {
	var b strings.Builder
	for b.Len() < maxFilled {
		before, rest, found := strings.Cut(body, "{{")
		b.WriteString(before)
		if !found {
			break
		}
		name, after, closed := strings.Cut(rest, "}}")
		value, known := values[strings.TrimSpace(name)]
		if !closed || !known {
			b.WriteString("{{")
			body = rest
			continue
		}
		b.WriteString(value)
		body = after
	}
	return b.String()
}

// Variables gives the names that saved replies can use.
func Variables() []string {
	return []string{"number", "subject", "name", "first_name", "agent", "queue", "component"}
}
