package report

import (
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

// found are the figures of a scan that found nothing.
func found() Figures {
	return Figures{"critical": 0, "high": 0, "medium": 0, "low": 0, "unknown": 0, "findings": 0}
}

// note counts one finding.
func (f Figures) note(severity string) {
	severity = strings.ToLower(severity)
	if _, known := f[severity]; !known || severity == "findings" {
		severity = "unknown"
	}
	f[severity]++
	f["findings"]++
}

// document reads one JSON document into v, and nothing behind it.
func document(r io.Reader, v any) error {
	d := json.NewDecoder(r)
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	return nil
}

// sarif is what is read of a log (SARIF 2.1.0, sections 3.13, 3.14, 3.27).
type sarif struct {
	Runs []struct {
		Tool struct {
			Driver struct {
				Rules []struct {
					ID         string `json:"id"`
					Properties struct {
						Severity string `json:"security-severity"`
					} `json:"properties"`
				} `json:"rules"`
			} `json:"driver"`
		} `json:"tool"`
		Results []struct {
			RuleID       string            `json:"ruleId"`
			Level        string            `json:"level"`
			Kind         string            `json:"kind"`
			Suppressions []json.RawMessage `json:"suppressions"`
		} `json:"results"`
	} `json:"runs"`
}

// readSARIF counts results by the security severity of their rule, and where it has
// none by their level. What passed or was suppressed does not count.
func readSARIF(r io.Reader) (Figures, error) {
	var log sarif
	if err := document(r, &log); err != nil {
		return nil, err
	}
	if log.Runs == nil {
		return nil, errors.New("it has no runs")
	}
	f := found()
	for _, run := range log.Runs {
		score := map[string]string{}
		for _, rule := range run.Tool.Driver.Rules {
			score[rule.ID] = rule.Properties.Severity
		}
		for _, one := range run.Results {
			if len(one.Suppressions) > 0 || one.Kind != "" && one.Kind != "fail" {
				continue
			}
			if severity := severityOf(score[one.RuleID], one.Level); severity != "" {
				f.note(severity)
			}
		}
	}
	return f, nil
}

// severityOf names a severity by a score from 0 to 10 (the bands of CVSS 3.1,
// section 5), or by a level; "" for what is no finding.
func severityOf(score, level string) string {
	if v, err := strconv.ParseFloat(score, 64); err == nil {
		switch {
		case v >= 9:
			return "critical"
		case v >= 7:
			return "high"
		case v >= 4:
			return "medium"
		case v > 0:
			return "low"
		}
		return ""
	}
	switch level {
	case "error":
		return "high"
	case "", "warning": // a level that is not said is a warning
		return "medium"
	case "note":
		return "low"
	case "none":
		return ""
	}
	return "unknown"
}

// trivy is what is read of a report of Trivy, schema version 2.
type trivy struct {
	SchemaVersion int `json:"SchemaVersion"`
	Results       []struct {
		Vulnerabilities []struct {
			Severity string `json:"Severity"`
		} `json:"Vulnerabilities"`
		Misconfigurations []struct {
			Severity string `json:"Severity"`
			Status   string `json:"Status"`
		} `json:"Misconfigurations"`
		Secrets []struct {
			Severity string `json:"Severity"`
		} `json:"Secrets"`
	} `json:"Results"`
}

// readTrivy counts vulnerabilities, failed checks and secrets.
func readTrivy(r io.Reader) (Figures, error) {
	var all trivy
	if err := document(r, &all); err != nil {
		return nil, err
	}
	if all.SchemaVersion == 0 {
		return nil, errors.New("it has no schema version")
	}
	f := found()
	for _, one := range all.Results {
		for _, v := range one.Vulnerabilities {
			f.note(v.Severity)
		}
		for _, m := range one.Misconfigurations {
			if m.Status != "PASS" && m.Status != "EXCEPTION" {
				f.note(m.Severity)
			}
		}
		for _, s := range one.Secrets {
			f.note(s.Severity)
		}
	}
	return f, nil
}
