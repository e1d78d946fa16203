package public

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// encoding indexes the forms a photograph is kept in.
type encoding int

const (
	identity encoding = iota
	gzipped
	brotlied
	encodings
)

// Photograph is one rendered answer in every encoding, ready to be sent. It is
// never written after it was made: a better compressed one takes its place.
type Photograph struct {
	path     string
	html     bool // it can carry the notice that the page is old
	bodies   [encodings][]byte
	heads    [encodings][]field // complete, shared by all answers
	same     [encodings][]field // of 304
	common   []field            // of them, what all encodings share
	etags    [encodings]string
	tag      string // of the identity bytes, without quotes
	at       time.Time
	number   uint64 // of the rendering it belongs to, when made on demand
	polished bool   // compressed as well as it gets
	from     sheet  // what it was made of, without the bytes
}

// sheet gives back what the photograph was made of.
func (p *Photograph) sheet() sheet {
	s := p.from
	s.body = p.bodies[identity]
	return s
}

// policy gives the policy it was made with.
func (p *Photograph) policy() string { return p.from.policy }

// field is one header field in its canonical spelling.
type field struct {
	name   string
	values []string
}

// tooSmall is the size below which compression is not worth a header.
const tooSmall = 256

// atOnce is the size up to which the kernel takes an answer as a whole from us.
// Beyond it a slow reader holds us up, and must be done within sendWithin. The
// clock costs 3 % of an answer; who does not read at all is cut off by the
// kernel, without one (see the listener in internal/app).
const (
	atOnce     = 64 << 10
	sendWithin = 30 * time.Second
)

// ETag gives the strong tag of the plain bytes.
func (p *Photograph) ETag() string { return p.etags[identity] }

// Body gives the plain bytes, which must not be written to.
func (p *Photograph) Body() []byte { return p.bodies[identity] }

// Encoded gives the number of bytes sent to a client that accepts brotli.
func (p *Photograph) Encoded() int { return len(p.bodies[brotlied]) }

// sheet is what a renderer gives: the bytes and how they are to be served.
type sheet struct {
	body   []byte
	kind   string // media type
	policy string // Content-Security-Policy; "" for what is no document
	open   bool   // any origin may read it
	html   bool
	moved  string // where it is now; "" = here
}

// cacheFor lets a cache on the way keep a page for a moment: it spares the hub
// a crowd and costs a visitor at most these seconds. An error may be papered
// over with the last page for a day.
const cacheFor = "public, max-age=5, stale-if-error=86400"

// develop makes a photograph of a sheet, compressed at once; at is the moment it shows.
func (d *darkroom) develop(path string, s sheet, at time.Time) *Photograph {
	p := &Photograph{path: path, html: s.html, at: at, from: s}
	p.from.body = nil
	sum := sha256.Sum256(s.body)
	p.tag = hex.EncodeToString(sum[:12])
	p.bodies[identity] = s.body
	if len(s.body) < tooSmall {
		p.bodies[gzipped], p.bodies[brotlied] = s.body, s.body
		p.polished = true
	} else {
		p.bodies[gzipped], p.bodies[brotlied] = d.quickly(s.body)
	}
	// Each field costs a hundredth of an answer's CPU, so there are only those
	// that a kind needs; the referrer policy stands in the page.
	common := []field{
		{"Content-Type", []string{s.kind}},
		{"Cache-Control", []string{cacheFor}},
		{"Vary", []string{"Accept-Encoding"}},
		{"X-Content-Type-Options", []string{"nosniff"}},
	}
	if s.policy != "" {
		common = append(common, field{"Content-Security-Policy", []string{s.policy}})
	}
	if s.moved != "" {
		common = append(common, field{"Location", []string{s.moved}})
	}
	if s.open {
		common = append(common, field{"Access-Control-Allow-Origin", []string{"*"}})
	}
	p.dress(common)
	return p
}

// dress makes the complete header of each encoding from what they share.
func (p *Photograph) dress(common []field) {
	names := [encodings]string{"", "gzip", "br"}
	for e := range encodings {
		p.etags[e] = `"` + p.tag + `"`
		h := append(make([]field, 0, len(common)+3), common...)
		if e != identity && len(p.bodies[identity]) >= tooSmall {
			h = append(h, field{"Content-Encoding", []string{names[e]}})
			p.etags[e] = `"` + p.tag + "-" + names[e] + `"`
		}
		p.heads[e] = append(h,
			field{"Etag", []string{p.etags[e]}},
			field{"Content-Length", []string{strconv.Itoa(len(p.bodies[e]))}})
		p.same[e] = unchanged(p.heads[e])
	}
	p.common = common
}

// unchanged gives what a 304 tells of a header (RFC 9110 section 15.4.5): what a
// cache goes by, and who may read. The rest describes bytes that are the same,
// so that it stands in the answer that the client has.
func unchanged(head []field) []field {
	var out []field
	for _, f := range head {
		switch f.name {
		case "Cache-Control", "Vary", "Etag", "Access-Control-Allow-Origin":
			out = append(out, f)
		}
	}
	return out
}

// polish gives the same photograph compressed as well as it gets.
func (d *darkroom) polish(p *Photograph) *Photograph {
	q := *p
	q.polished = true
	q.bodies[gzipped], q.bodies[brotlied] = d.well(p.bodies[identity], p.html)
	q.dress(p.common)
	return &q
}

// ServeHTTP sends the photograph, or 304 to who has it. It allocates nothing.
func (p *Photograph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := accepted(r.Header["Accept-Encoding"])
	h := w.Header()
	if match := r.Header["If-None-Match"]; len(match) > 0 && p.from.moved == "" && p.matches(match) {
		for _, f := range p.same[e] {
			h[f.name] = f.values
		}
		w.WriteHeader(http.StatusNotModified)
		return
	}
	for _, f := range p.heads[e] {
		h[f.name] = f.values
	}
	if p.from.moved != "" {
		w.WriteHeader(http.StatusMovedPermanently)
	}
	if r.Method == http.MethodHead {
		return
	}
	body := p.bodies[e]
	if len(body) > atOnce {
		if c, ok := w.(interface{ SetWriteDeadline(time.Time) error }); ok {
			_ = c.SetWriteDeadline(time.Now().Add(sendWithin))
		}
	}
	_, _ = w.Write(body) // a visitor who hung up is no trouble of ours
}

// accepted picks the smallest encoding the client takes (RFC 9110 section
// 12.5.3). A coding with q=0 is refused; other weights are not told apart.
func accepted(values []string) encoding {
	best := identity
	for _, v := range values {
		for v != "" {
			var part string
			if part, v, _ = strings.Cut(v, ","); part == "" {
				continue
			}
			name, params, _ := strings.Cut(part, ";")
			if name, q := strings.TrimSpace(name), strings.TrimSpace(params); refused(q) {
				continue
			} else if strings.EqualFold(name, "br") {
				return brotlied
			} else if strings.EqualFold(name, "gzip") || name == "*" {
				best = gzipped
			}
		}
	}
	return best
}

// refused reports a weight of nought.
func refused(q string) bool {
	v, ok := strings.CutPrefix(strings.ReplaceAll(q, " ", ""), "q=0")
	return ok && strings.Trim(v, ".0") == ""
}

// matches reports whether a list of tags names this photograph in any encoding;
// by RFC 9110 section 13.1.2 the comparison is the weak one.
func (p *Photograph) matches(values []string) bool {
	for _, v := range values {
		for v != "" {
			var tag string
			tag, v, _ = strings.Cut(v, ",")
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if tag == "*" || tag == p.etags[identity] || tag == p.etags[gzipped] || tag == p.etags[brotlied] {
				return true
			}
		}
	}
	return false
}
