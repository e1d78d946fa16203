// Package api holds the request and response types of the management API, which
// the server and the command line share. It is a leaf: it knows JSON and no
// rule of the house.
package api

// Problem is an error answer (RFC 9457, application/problem+json).
type Problem struct {
	Type     string  `json:"type" doc:"URI of the kind of problem; about:blank when the title says it all"`
	Title    string  `json:"title" doc:"The same words for the same kind"`
	Status   int     `json:"status" doc:"HTTP status code"`
	Detail   string  `json:"detail,omitempty" doc:"What is wrong here, for the person who asked"`
	Instance string  `json:"instance,omitempty" doc:"Names this occurrence; of an internal error, the id under which it stands in the log"`
	Errors   []Field `json:"errors,omitempty" doc:"Every field at fault"`
}

// Field is one field of a request that is at fault.
type Field struct {
	Field  string `json:"field" doc:"Dotted name of the field"`
	Detail string `json:"detail" doc:"What is wrong with it"`
}

// ProblemType is the media type of a Problem.
const ProblemType = "application/problem+json"

// Error gives the detail, or else the title.
func (p *Problem) Error() string {
	if p.Detail != "" {
		return p.Detail
	}
	return p.Title
}

// GetStatus gives the HTTP status code; the name is the API library's.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType makes an answer in JSON a problem+json.
func (p *Problem) ContentType(ct string) string {
	if ct == "application/json" {
		return ProblemType
	}
	return ct
}
