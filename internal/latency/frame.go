package latency

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"time"

	"evenkeel/internal/problem"
)

// A frame is what one second brought, packed: the crash log, and what other
// replicas follow. It explains itself, so that it can be read by a process that
// knows nothing of the one that wrote it:
//
//	version byte · writer id (8) · base time uvarint (Unix ms)
//	then per sample
//	  series uvarint: a number given earlier in this frame, or the next free
//	    one, followed by: len monitor · len location · interval ms (uvarints)
//	  due - base varint (ms) · flags byte · slot (4) · value (4, when flagged)
//
// Fixed numbers are little-endian. Phases are not in it: their sums may lose a
// minute, and they are most of a result.
const (
	frameVersion = 1
	frameValue   = 1 // flag
	maxFrame     = 1 << 20
)

// writerID tells the frames of one process from those of others.
type writerID [8]byte

func newWriterID() (id writerID) {
	_, _ = rand.Read(id[:]) // never fails
	return id
}

// frameWriter packs chunks into frames. The frames of a batch stand in one
// buffer that the next batch uses again.
type frameWriter struct {
	writer writerID
	number uint64 // of the frame, so that a series knows whether this one has named it
	packed []byte
}

// batch packs each chunk into a frame; the frames are valid until the next batch.
func (w *frameWriter) batch(chunks []chunk) [][]byte {
	w.packed = w.packed[:0]
	ends := make([]int, len(chunks))
	for i, c := range chunks {
		w.frame(c)
		ends[i] = len(w.packed)
	}
	frames := make([][]byte, len(chunks))
	start := 0
	for i, end := range ends {
		frames[i] = w.packed[start:end:end]
		start = end
	}
	return frames
}

func (w *frameWriter) frame(c chunk) {
	w.number++
	base := c[0].due
	p := append(w.packed, frameVersion)
	p = append(p, w.writer[:]...)
	p = binary.AppendUvarint(p, uint64(base))
	var known uint64
	for i := range c {
		s := c[i].series
		if s.frame == w.number {
			p = binary.AppendUvarint(p, s.ref)
		} else {
			s.frame, s.ref = w.number, known
			p = binary.AppendUvarint(p, known)
			known++
			p = binary.AppendUvarint(p, uint64(len(s.monitor)))
			p = append(p, s.monitor...)
			p = binary.AppendUvarint(p, uint64(len(s.location)))
			p = append(p, s.location...)
			p = binary.AppendUvarint(p, uint64(s.interval.Milliseconds()))
		}
		p = binary.AppendVarint(p, c[i].due-base)
		if c[i].value == 0 {
			p = append(p, 0)
			p = binary.LittleEndian.AppendUint32(p, c[i].word)
		} else {
			p = append(p, frameValue)
			p = binary.LittleEndian.AppendUint32(p, c[i].word)
			p = binary.LittleEndian.AppendUint32(p, c[i].value)
		}
	}
	w.packed = p
}

// framed is one sample of a frame that was read.
type framed struct {
	ref         uint64 // number of the series in this frame
	due         int64
	word, value uint32
}

// frameSeries is a series as a frame names it.
type frameSeries struct {
	name
	interval time.Duration
}

// writerOf tells who wrote a frame; ok is false when it is none.
func writerOf(frame []byte) (id writerID, ok bool) {
	if len(frame) < 1+len(id) || frame[0] != frameVersion {
		return id, false
	}
	copy(id[:], frame[1:])
	return id, true
}

// readFrame unpacks a frame. Errors: Invalid when it is anything else than what
// frameWriter writes; nothing of it is used then.
func readFrame(frame []byte) (named []frameSeries, samples []framed, err error) {
	damaged := problem.Invalid("frame", "a frame of measurements is damaged")
	if _, ok := writerOf(frame); !ok || len(frame) > maxFrame {
		return nil, nil, damaged
	}
	r := reader{rest: frame[1+len(writerID{}):]}
	base := r.millis()
	for len(r.rest) > 0 && !r.bad {
		ref := r.uvarint(uint64(len(named)))
		if !r.bad && ref == uint64(len(named)) {
			s := frameSeries{name: name{r.text(MaxName), r.text(MaxName)}}
			s.interval = time.Duration(r.uvarint(uint64(MaxInterval.Milliseconds()))) * time.Millisecond
			if !usable(s.monitor, s.location, s.interval) {
				r.bad = true
			}
			named = append(named, s)
		}
		s := framed{ref: ref, due: base + r.varint(MaxKeep.Milliseconds()*2)}
		flags := r.byte()
		s.word = r.uint32()
		if flags == frameValue {
			s.value = r.uint32()
		} else if flags != 0 {
			r.bad = true
		}
		if s.word&slotPresent == 0 || s.due < 0 || len(samples) == frameSamples {
			r.bad = true
		}
		samples = append(samples, s)
	}
	if r.bad || len(samples) == 0 {
		return nil, nil, damaged
	}
	return named, samples, nil
}

// reader reads packed bytes and remembers that something was wrong: after that
// every read gives nothing.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) uvarint(limit uint64) uint64 {
	v, n := binary.Uvarint(r.rest)
	if r.bad || n <= 0 || v > limit {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) varint(limit int64) int64 {
	v, n := binary.Varint(r.rest)
	if r.bad || n <= 0 || v > limit || v < -limit {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// maxMillis is the last Unix millisecond that time.Duration arithmetic can hold.
const maxMillis = math.MaxInt64 / int64(time.Millisecond)

// millis reads a time in Unix milliseconds.
func (r *reader) millis() int64 { return int64(r.uvarint(uint64(maxMillis))) }

func (r *reader) bytes(n int) []byte {
	if r.bad || n > len(r.rest) {
		r.bad = true
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) text(limit int) string { return string(r.bytes(int(r.uvarint(uint64(limit))))) }

func (r *reader) byte() byte {
	if b := r.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.bytes(slotBytes); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}
