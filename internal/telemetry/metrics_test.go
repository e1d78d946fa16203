package telemetry

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestMetricsGoOnWithSeriesThatNobodyHolds(t *testing.T) {
	const series = "# HELP probe_success x\n# TYPE probe_success gauge\nprobe_success{monitor=\"m\"} 1\n"
	base := admin(t, func(o *AdminOptions) {
		o.Series = func(w io.Writer) error { _, err := io.WriteString(w, series); return err }
	})
	for _, encoding := range []string{"identity", "gzip"} {
		for range 2 { // the second is packed by a writer that was used before
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/metrics", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Accept-Encoding", encoding)
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			body := io.Reader(resp.Body)
			if resp.Header.Get("Content-Encoding") == "gzip" {
				if body, err = gzip.NewReader(resp.Body); err != nil {
					t.Fatal(err)
				}
			} else if encoding == "gzip" {
				t.Error("gzip was asked for and not given")
			}
			text, err := io.ReadAll(body)
			if err := errors.Join(err, resp.Body.Close()); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain; version=0.0.4") {
				t.Errorf("the type is %s", resp.Header.Get("Content-Type"))
			}
			if !strings.HasSuffix(string(text), series) || !strings.Contains(string(text), "evenkeel_build_info{") || strings.Count(string(text), "probe_success x") != 1 {
				t.Errorf("%s: %d bytes without registry or series", encoding, len(text))
			}
		}
	}
}
