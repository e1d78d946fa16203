package telemetry

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/prometheus/common/expfmt"
)

// maxScrapes bounds how many scrapes are served at once.
const maxScrapes = 4

// serveMetrics answers with all metrics as text: first those of the registry,
// then what Series writes, which nobody ever holds as a whole.
func serveMetrics(o AdminOptions) http.Handler {
	slots := make(chan struct{}, maxScrapes)
	packers := sync.Pool{New: func() any {
		z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level exists
		return z
	}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		default:
			http.Error(w, "too many scrapes are under way", http.StatusServiceUnavailable)
			return
		}
		families, err := o.Registry.Gather()
		if err != nil {
			o.Log.Error("metrics cannot be gathered", "err", err)
			http.Error(w, "metrics cannot be gathered; the log says why", http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", string(expfmt.NewFormat(expfmt.TypeTextPlain)))
		h.Set("Cache-Control", "no-store")
		h.Set("Vary", "Accept-Encoding")
		var out io.Writer = w
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			z, _ := packers.Get().(*gzip.Writer)
			z.Reset(w)
			defer func() {
				_ = z.Close() // whoever asked may have gone
				packers.Put(z)
			}()
			out = z
		}
		for _, family := range families {
			if _, err := expfmt.MetricFamilyToText(out, family); err != nil {
				return
			}
		}
		if o.Series != nil {
			_ = o.Series(out)
		}
	})
}
