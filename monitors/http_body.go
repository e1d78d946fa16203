package monitors

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/andybalholm/brotli"
	"golang.org/x/text/encoding/htmlindex"

	"evenkeel/internal/status"
)

// answer is what came back, read to its end.
type answer struct {
	began  bool // the first byte came
	status int
	header http.Header
	body   *bytes.Buffer // nil when nobody looks at it
	facts  httpFacts
}

// bodies are buffers for bodies that are looked at.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooledBody is the size above which a buffer is not kept for later.
const maxPooledBody = 256 << 10

// scratch is where bodies go that nobody looks at.
var scratch = sync.Pool{New: func() any { return new([8 << 10]byte) }}

func (a *answer) reset() {
	a.release()
	*a = answer{}
}

// release gives the buffer back; the answer's body must not be used after.
func (a *answer) release() {
	if a.body != nil && a.body.Cap() <= maxPooledBody {
		a.body.Reset()
		bodies.Put(a.body)
	}
	a.body = nil
}

// take notes the header.
func (a *answer) take(resp *http.Response) {
	a.status, a.header = resp.StatusCode, resp.Header
	a.facts.version = "1.1"
	if !resp.ProtoAtLeast(1, 1) {
		a.facts.version = "1.0"
	}
	a.facts.contentLength = resp.ContentLength
	if v := resp.Header["Last-Modified"]; len(v) > 0 {
		if t, err := http.ParseTime(v[0]); err == nil {
			a.facts.lastModified = t.Unix()
		}
	}
}

// read reads the body to its end: without that the connection could not be
// kept, and an answer that never ends would look good. At most limit bytes are
// taken, before and after decompression. Errors are for failTalk.
func (a *answer) read(resp *http.Response, limit int64, keep bool) error {
	if resp.ContentLength > limit {
		return wrongf("it has %d bytes, more than the %d of max_body", resp.ContentLength, limit)
	}
	raw := &io.LimitedReader{R: resp.Body, N: limit + 1}
	body, err := io.Reader(raw), error(nil)
	if resp.Body != http.NoBody { // a HEAD answer names the encoding of a body that does not come
		if body, err = decoder(raw, resp.Header); err != nil {
			return bodyError(err)
		}
	}
	plain := body == io.Reader(raw)
	if !plain {
		body = &io.LimitedReader{R: body, N: limit + 1}
	}
	if keep {
		a.body = bodies.Get().(*bytes.Buffer)
		a.facts.bytes, err = a.body.ReadFrom(body)
	} else {
		buf := scratch.Get().(*[8 << 10]byte)
		a.facts.bytes, err = io.CopyBuffer(sink{}, body, buf[:])
		scratch.Put(buf)
	}
	switch {
	case a.facts.bytes > limit && !plain:
		return wrongf("it grows to more than the %d bytes of max_body when decompressed", limit)
	case raw.N <= 0:
		return wrongf("it is longer than the %d bytes of max_body", limit)
	case err != nil:
		return bodyError(err)
	case !plain: // what follows the compressed stream still belongs to the body
		if _, err := io.Copy(sink{}, raw); err != nil {
			return bodyError(err)
		}
	}
	return nil
}

// sink is io.Discard without its own buffer: it must use ours.
type sink struct{}

func (sink) Write(b []byte) (int, error) { return len(b), nil }

// decoder undoes the body's compression.
func decoder(raw io.Reader, header http.Header) (io.Reader, error) {
	encoding := header["Content-Encoding"]
	if len(encoding) == 0 {
		return raw, nil
	}
	switch strings.ToLower(strings.TrimSpace(encoding[0])) {
	case "", "identity":
		return raw, nil
	case "gzip", "x-gzip":
		return gzip.NewReader(raw)
	case "deflate":
		return zlib.NewReader(raw)
	case "br":
		return brotli.NewReader(raw), nil
	}
	return nil, wrongf("it is compressed as %s, which this probe cannot read", quote(encoding[0]))
}

// bodyError tells a connection that broke from a body that is broken.
func bodyError(err error) error {
	if _, ok := errors.AsType[*wrong](err); ok || isNetwork(err) {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return wrongf("the connection was closed in the middle of it")
	}
	return wrongf("it is broken: %s", printable(rootText(err), maxQuoted))
}

// text gives the body as UTF-8, or why it is none: a charset that nobody knows,
// or bytes that are not what the header says.
func (a *answer) text() (text []byte, why string) {
	body := a.body.Bytes()
	charset := "utf-8"
	media, params, err := mime.ParseMediaType(a.header.Get("Content-Type"))
	if err == nil && params["charset"] != "" {
		charset = strings.ToLower(params["charset"])
	}
	if charset == "utf-8" || charset == "utf8" || charset == "us-ascii" {
		claims := params["charset"] != "" || media == "application/json"
		if claims && !utf8.Valid(body) {
			return nil, "the body is not valid UTF-8, though its header says so"
		}
		return body, ""
	}
	encoding, err := htmlindex.Get(charset)
	if err != nil {
		return nil, "the header names the charset " + quote(charset) + ", which nobody knows"
	}
	text, err = encoding.NewDecoder().Bytes(body)
	if err != nil {
		return nil, "the body cannot be read as " + quote(charset)
	}
	return text, ""
}

// httpAnswer is what a condition may look at.
type httpAnswer struct {
	Status    int               `expr:"status"`    // 200
	Latency   float64           `expr:"latency"`   // milliseconds
	Body      any               `expr:"body"`      // the decoded JSON, or the text when it is none
	Text      string            `expr:"text"`      // the body as text
	Header    map[string]string `expr:"header"`    // names in lower case, values joined by ", "
	Size      int               `expr:"size"`      // bytes of the body
	Redirects int               `expr:"redirects"` // followed
	IP        int               `expr:"ip"`        // 4 or 6
	TLS       string            `expr:"tls"`       // "TLS 1.3"; "" for plain
	CertDays  float64           `expr:"cert_days"` // until the certificate expires; 0 for plain
	Resolve   float64           `expr:"resolve"`   // milliseconds of each phase
	Connect   float64           `expr:"connect"`
	Handshake float64           `expr:"handshake"`
	Wait      float64           `expr:"wait"`
	Transfer  float64           `expr:"transfer"`
}

// typed gives the answer to a condition.
func (a *answer) typed(run *Run, latency time.Duration, text []byte) httpAnswer {
	phase := func(p status.Phase) float64 { return milliseconds(run.phases[p]) }
	t := httpAnswer{
		Status: a.status, Latency: milliseconds(latency), Text: string(text), Header: make(map[string]string, len(a.header)),
		Size: int(a.facts.bytes), Redirects: a.facts.redirects, IP: a.facts.ipVersion, TLS: a.facts.tlsVersion,
		Resolve: phase(status.PhaseResolve), Connect: phase(status.PhaseConnect), Handshake: phase(status.PhaseTLS),
		Wait: phase(status.PhaseWait), Transfer: phase(status.PhaseTransfer),
	}
	for name, values := range a.header {
		t.Header[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	if !a.facts.certExpiry.IsZero() {
		t.CertDays = time.Until(a.facts.certExpiry).Hours() / 24
	}
	if document, err := decodeJSON(text); err == nil {
		t.Body = document
	} else {
		t.Body = t.Text
	}
	return t
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
