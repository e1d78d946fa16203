package public

import (
	"bytes"
	"compress/gzip"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
)

// Effort of compression: at once, so that a change is seen without delay, and
// later in an idle moment. Brotli's best costs 1.2 s of CPU a megabyte and the
// next below it 0.3 s, so the larger a body, the less it gets.
const (
	gzipAtOnce   = gzip.BestSpeed
	gzipIdle     = gzip.BestCompression
	brotliAtOnce = 5
	brotliHurry  = 1 // at once, of what is large
	brotliIdle   = brotli.BestCompression
	brotliLarge  = 10
	brotliHuge   = 5
	largeBody    = 128 << 10
	hugeBody     = 2 << 20
)

// darkroom turns sheets into photographs. It keeps the writers of the quick
// effort, because making one costs more than a page.
type darkroom struct {
	gzip   sync.Pool // of *gzip.Writer
	brotli sync.Pool // of *brotli.Writer
	hurry  sync.Pool // of *brotli.Writer, for large bodies
}

// quickly compresses a body at once.
func (d *darkroom) quickly(body []byte) (gz, br []byte) {
	g, _ := d.gzip.Get().(*gzip.Writer)
	if g == nil {
		g, _ = gzip.NewWriterLevel(nil, gzipAtOnce) // the level exists
	}
	pool, quality := &d.brotli, brotliAtOnce
	if len(body) > largeBody {
		pool, quality = &d.hurry, brotliHurry
	}
	b, _ := pool.Get().(*brotli.Writer)
	if b == nil {
		b = brotli.NewWriterLevel(nil, quality)
	}
	gz, br = pressed(g, body), pressed(b, body)
	d.gzip.Put(g)
	pool.Put(b)
	return gz, br
}

// well compresses a body as small as its size allows.
func (d *darkroom) well(body []byte) (gz, br []byte) {
	g, _ := gzip.NewWriterLevel(nil, gzipIdle) // the level exists
	quality := brotliIdle
	switch {
	case len(body) > hugeBody:
		quality = brotliHuge
	case len(body) > largeBody:
		quality = brotliLarge
	}
	return pressed(g, body), pressed(brotli.NewWriterLevel(nil, quality), body)
}

// presser is a compressing writer that can be used again.
type presser interface {
	io.WriteCloser
	Reset(io.Writer)
}

// pressed runs a body through a writer. A bytes.Buffer takes everything, so
// there is no error to see. The result is as long as it needs to be, because it
// is kept.
func pressed(w presser, body []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(body)/6 + 512)
	w.Reset(&out)
	_, _ = w.Write(body)
	_ = w.Close()
	return bytes.Clone(out.Bytes())
}
