package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// elements reads the elements of a document, one at a time. enter and leave see
// each with its depth, from 1. A document type is refused: entities are how small
// files become large ones and how foreign files are read.
func elements(r io.Reader, enter func(e xml.StartElement, depth int) error, leave func(name string)) error {
	d := xml.NewDecoder(r)
	d.Strict = true
	d.Entity = map[string]string{}
	d.CharsetReader = func(charset string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("it is written in %q, not in UTF-8", charset)
	}
	depth, seen := 0, false
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			if !seen || depth != 0 {
				return errors.New("it ends too early")
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.Directive:
			return errors.New("it has a document type")
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return fmt.Errorf("it is nested more than %d deep", maxDepth)
			}
			seen = true
			if err := enter(t, depth); err != nil {
				return err
			}
		case xml.EndElement:
			if depth--; depth < 0 {
				return errors.New("it closes what was not open")
			}
			leave(t.Name.Local)
		}
	}
}

// attribute gives the value of an attribute; "" when there is none.
func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// decimal reads a number that is finite; 0 for anything else.
func decimal(text string) float64 {
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

// readJUnit counts test cases as they stand there: the totals that runners write
// on suites are often wrong.
func readJUnit(r io.Reader) (Figures, error) {
	f := Figures{"tests": 0, "failed": 0, "errors": 0, "skipped": 0, "seconds": 0}
	inCase, worst := false, ""
	rank := map[string]int{"skipped": 1, "failed": 2, "errors": 3}
	err := elements(r, func(e xml.StartElement, depth int) error {
		name := e.Name.Local
		if depth == 1 && name != "testsuites" && name != "testsuite" {
			return fmt.Errorf("it begins with <%.40s>", name)
		}
		as := ""
		switch {
		case name == "testcase":
			inCase, worst = true, ""
			f["tests"]++
			f["seconds"] += decimal(attribute(e, "time"))
		case inCase && name == "failure":
			as = "failed"
		case inCase && name == "error":
			as = "errors"
		case inCase && name == "skipped":
			as = "skipped"
		case !inCase && name == "error": // of a suite that could not even begin
			f["errors"]++
		}
		if rank[as] > rank[worst] {
			worst = as
		}
		return nil
	}, func(name string) {
		if name == "testcase" {
			if worst != "" {
				f[worst]++
			}
			inCase = false
		}
	})
	return f, err
}

// readCobertura counts lines, and takes the rate on the document where it has none.
func readCobertura(r io.Reader) (Figures, error) {
	var lines, covered float64
	rate, inMethod := -1.0, 0
	err := elements(r, func(e xml.StartElement, depth int) error {
		switch name := e.Name.Local; {
		case depth == 1 && name != "coverage":
			return fmt.Errorf("it begins with <%.40s>", name)
		case depth == 1:
			if text := attribute(e, "line-rate"); text != "" {
				rate = decimal(text)
			}
		case name == "methods":
			inMethod++
		case name == "line" && inMethod == 0: // those of methods stand below the class again
			lines++
			if decimal(attribute(e, "hits")) > 0 {
				covered++
			}
		}
		return nil
	}, func(name string) {
		if name == "methods" {
			inMethod--
		}
	})
	switch {
	case err != nil:
		return nil, err
	case lines > 0:
		return Figures{"coverage": percent(covered, lines), "lines": lines, "covered": covered}, nil
	case rate >= 0 && rate <= 1:
		return Figures{"coverage": percent(rate, 1)}, nil
	}
	return nil, errors.New("it says nothing of lines")
}
