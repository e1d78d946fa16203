package statuspage

import (
	"encoding/json"
	"mime"
	"net/url"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/problem"
)

// sent is what a request says of an incident or maintenance; nil is left out.
// What Statuspage knows besides (metadata, tweets, transitions) is read over.
type sent struct {
	Name           *string    `json:"name"`
	Status         *string    `json:"status"`
	Body           *string    `json:"body"`
	Override       *string    `json:"impact_override"`
	ComponentIDs   []string   `json:"component_ids"`
	Components     statuses   `json:"components"`
	Deliver        *flag      `json:"deliver_notifications"`
	ScheduledFor   *time.Time `json:"scheduled_for"`
	ScheduledUntil *time.Time `json:"scheduled_until"`
	RemindPrior    *flag      `json:"scheduled_remind_prior"`
	AutoInProgress *flag      `json:"scheduled_auto_in_progress"`
	AutoCompleted  *flag      `json:"scheduled_auto_completed"`
}

// statuses are what a request says of components, by id. Where it names them in a
// list, as older scripts do, nothing is said of them: "".
type statuses map[string]string

// UnmarshalJSON reads an object, or a list of ids. Errors: of encoding/json.
func (s *statuses) UnmarshalJSON(text []byte) error {
	var list []string
	if json.Unmarshal(text, &list) == nil {
		*s = make(statuses, len(list))
		for _, id := range list {
			(*s)[id] = ""
		}
		return nil
	}
	return json.Unmarshal(text, (*map[string]string)(s))
}

// sentComponent is what a request says of a component.
type sentComponent struct {
	Status      *string `json:"status"`
	Name        *string `json:"name"`
	Description *string `json:"description"`
}

// sentSubscriber is what a request says of a subscriber.
type sentSubscriber struct {
	Email        string   `json:"email"`
	Endpoint     string   `json:"endpoint"`
	ComponentIDs []string `json:"component_ids"`
	SkipConfirm  flag     `json:"skip_confirmation_notification"`
}

// flag is a boolean that forms write as a word.
type flag bool

// UnmarshalJSON reads a boolean, or a word for one. Errors: of strconv.
func (f *flag) UnmarshalJSON(text []byte) error {
	b, err := strconv.ParseBool(strings.Trim(string(text), `"`))
	*f = flag(b)
	return err
}

// is gives the flag, or what it is when it was left out.
func (f *flag) is(otherwise bool) bool {
	if f == nil {
		return otherwise
	}
	return bool(*f)
}

// read reads the object of that name from a body, JSON or a form. Errors: Invalid.
func (c *call) read(name string, into any) error {
	kind, _, _ := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	var object json.RawMessage
	if kind == "application/x-www-form-urlencoded" {
		if err := c.r.ParseForm(); err != nil {
			return problem.Invalid(name, "The form cannot be read.")
		}
		object, _ = json.Marshal(nested(name, c.r.PostForm)) // texts always marshal
	} else {
		var body map[string]json.RawMessage
		if err := json.NewDecoder(c.r.Body).Decode(&body); err != nil {
			return problem.Invalid(name, "The body is not JSON that can be read.")
		}
		object = body[name]
	}
	if len(object) == 0 || string(object) == "null" || string(object) == "{}" {
		return problem.Invalid(name, "Send an object of this name.")
	}
	if err := json.Unmarshal(object, into); err != nil {
		return problem.Invalid(name, "It does not have the shape that is expected: %s.", strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}

// nested reads the fields of a form that are named incident[name],
// incident[component_ids][] and incident[components][web].
func nested(name string, form url.Values) map[string]any {
	out := map[string]any{}
	for key, values := range form {
		rest, ok := strings.CutPrefix(key, name+"[")
		if !ok || len(values) == 0 {
			continue
		}
		field, rest, ok := strings.Cut(rest, "]")
		switch {
		case !ok || field == "":
		case rest == "":
			out[field] = values[0]
		case rest == "[]":
			out[field] = values
		case strings.HasPrefix(rest, "[") && strings.HasSuffix(rest, "]"):
			inner, ok := out[field].(map[string]any)
			if !ok {
				inner = map[string]any{}
				out[field] = inner
			}
			inner[rest[1:len(rest)-1]] = values[0]
		}
	}
	return out
}

// Limits of a page of a list, and how deep one can turn.
const (
	perPage   = 100
	deepest   = 1000
	firstPage = 1
)

// sheet reads which page of a list is wanted: rows [from, to). Errors: Invalid.
func (c *call) sheet() (from, to int, err error) {
	q := c.r.URL.Query()
	page, size := firstPage, perPage
	for _, p := range []struct {
		name string
		into *int
		most int
	}{{"page", &page, deepest}, {"per_page", &size, perPage}, {"limit", &size, perPage}} {
		if text := q.Get(p.name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 || n > p.most {
				return 0, 0, problem.Invalid(p.name, "This is a number up to %d.", p.most)
			}
			*p.into = n
		}
	}
	page, size = max(page, firstPage), max(size, 1)
	if from = (page - 1) * size; from+size > deepest {
		return 0, 0, problem.Invalid("page", "A list shows its first %d.", deepest)
	}
	return from, from + size, nil
}

// part gives the rows of a page.
func part[T any](all []T, from, to int) []T {
	out := all[min(from, len(all)):min(to, len(all))]
	if out == nil {
		return []T{}
	}
	return out
}
