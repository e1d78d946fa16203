package monitors

import (
	"bufio"
	"cmp"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"evenkeel/internal/status"
)

// expositionType is the media type of what WriteMetrics writes.
const expositionType = "text/plain; version=0.0.4; charset=utf-8"

// linesInOneGo is how many series are written before others may run: a scrape of
// ten thousand monitors must make no probe late.
const linesInOneGo = 500

// labelled is a result and the labels of its monitor, as they are written.
type labelled struct {
	labels string
	finding
}

// WriteMetrics writes the last result of every monitor in Prometheus' text
// format, as blackbox_exporter would: series exist only while their monitor
// does. At ten thousand monitors there are two hundred thousand of them, so they
// are written as they come and never all held.
func (r *Runner) WriteMetrics(w io.Writer) error {
	r.mu.Lock()
	tasks := make([]*task, 0, len(r.tasks))
	for _, t := range r.tasks {
		tasks = append(tasks, t)
	}
	r.mu.Unlock()
	all := make([]labelled, 0, len(tasks))
	for _, t := range tasks {
		if result, ok := t.newest(); ok {
			all = append(all, labelled{labelsOf(t.job), told(t.job.Kind, result)})
		}
	}
	slices.SortFunc(all, func(a, b labelled) int { return cmp.Compare(a.labels, b.labels) })
	return writeProbes(w, all)
}

// told makes a result ready to be told.
func told(kind string, result status.Result) finding {
	p := finding{kind, result, result.Facts}
	if p.facts == nil {
		p.facts = &status.Facts{}
	}
	return p
}

// labelsOf names a monitor by ids only, never by a URL, a host or a text.
func labelsOf(j Job) string {
	return `component="` + escaped(j.Component) + `",kind="` + escaped(j.Kind) + `",location="` + escaped(j.Location) + `",monitor="` + escaped(j.ID) + `"`
}

// escaped makes a text fit for a label value.
func escaped(s string) string { return labelEscapes.Replace(s) }

var labelEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// writeProbes writes all metrics, each with its help and type once.
func writeProbes(w io.Writer, all []labelled) error {
	x := &exposition{out: bufio.NewWriterSize(w, 32<<10), line: make([]byte, 0, 512)}
	send := x.send // made once: one for each series would be all the garbage of a scrape
	for _, m := range probeMetrics {
		x.metric, x.begun = m, false
		for i := range all {
			x.labels = all[i].labels
			m.of(&all[i].finding, send)
		}
	}
	return x.out.Flush()
}

// exposition is a text with metrics as it is being written.
type exposition struct {
	out    *bufio.Writer // keeps what goes wrong until Flush
	metric probeMetric   // the one being written
	begun  bool          // its help and type are written
	labels string        // of the monitor being written
	line   []byte
	lines  int
}

// send writes one series.
func (x *exposition) send(value float64, word string) {
	if !x.begun {
		x.begun = true
		_, _ = x.out.WriteString("# HELP " + x.metric.name + " " + x.metric.help + "\n# TYPE " + x.metric.name + " gauge\n")
	}
	x.line = appendSeries(x.line[:0], x.metric, x.labels, word, value)
	_, _ = x.out.Write(x.line)
	if x.lines++; x.lines%linesInOneGo == 0 {
		runtime.Gosched()
	}
}

// appendSeries appends one line.
func appendSeries(b []byte, m probeMetric, labels, word string, value float64) []byte {
	b = append(b, m.name...)
	if labels != "" || m.label != "" {
		b = append(append(b, '{'), labels...)
		if m.label != "" {
			if labels != "" {
				b = append(b, ',')
			}
			b = append(append(b, m.label...), `="`...)
			b = append(append(b, escaped(word)...), '"')
		}
		b = append(b, '}')
	}
	return append(strconv.AppendFloat(append(b, ' '), value, 'g', -1, 64), '\n')
}
