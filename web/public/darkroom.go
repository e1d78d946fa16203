package public

import (
	"bytes"
	"compress/gzip"
	"io"
	"math/bits"
	"sync"

	"github.com/andybalholm/brotli"
)

// Effort of compression: at once, so that a change is seen without delay, and
// later in an idle moment. Brotli's best saves 3 % over the level below and takes
// four times as long, every minute, on the cores that probe; and what is not a
// page that somebody waits for is not worth the effort of one.
const (
	gzipAtOnce   = gzip.BestSpeed
	gzipIdle     = gzip.BestCompression
	brotliAtOnce = 1
	brotliHurry  = 0 // of large bodies at once
	brotliPage   = 10
	brotliOther  = 6
	largeBody    = 128 << 10
)

// How far back brotli looks, as a power of two. Its best effort takes eight bytes
// of memory for each byte of the window, and a window larger than the body finds
// nothing more.
const (
	narrowWindow = 16
	widestWindow = 22
)

// window gives the window that a body fills.
func window(body []byte) int { return min(widestWindow, max(narrowWindow, bits.Len(uint(len(body))))) }

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

// well compresses a body in an idle moment.
func (d *darkroom) well(body []byte, page bool) (gz, br []byte) {
	g, _ := gzip.NewWriterLevel(nil, gzipIdle) // the level exists
	quality := brotliOther
	if page {
		quality = brotliPage
	}
	b := brotli.NewWriterOptions(nil, brotli.WriterOptions{Quality: quality, LGWin: window(body)})
	return pressed(g, body), pressed(b, body)
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
