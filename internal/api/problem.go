// Package api holds the request and response types of the management API, which
// the server and the command line share. It is a leaf: it knows JSON and no
// rule of the house.
package api

import (
	"crypto/rand"
	"net/http"
	"strings"
)

// Problem is an error answer (RFC 9457, application/problem+json).
type Problem struct {
	Type     string  `json:"type" doc:"URI of the kind of problem; about:blank when the title says it all"`
	Title    string  `json:"title" doc:"The same words for the same kind"`
	Status   int     `json:"status" doc:"HTTP status code"`
	Detail   string  `json:"detail" doc:"What is wrong here, for the person who asked"`
	Instance string  `json:"instance" doc:"Names this occurrence; an internal error stands in the log under this id"`
	Errors   []Field `json:"errors,omitempty" doc:"Every field at fault"`
}

// Field is one field of a request that is at fault.
type Field struct {
	Field  string `json:"field" doc:"Dotted name of the field"`
	Detail string `json:"detail" doc:"What is wrong with it"`
}

// NewProblem makes the problem of a status code under an id of its own.
func NewProblem(status int, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Instance: instancePrefix + rand.Text()[:12]}
}

// instancePrefix makes an id a URI.
const instancePrefix = "urn:request:"

// Request gives the id of the occurrence alone, as the log has it.
func (p *Problem) Request() string { return strings.TrimPrefix(p.Instance, instancePrefix) }

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
