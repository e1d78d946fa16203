package journal

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/problem"
)

// Head is the head of the journal on one day, kept outside of the database: who
// rewrites the whole chain cannot rewrite what was carried away before.
type Head struct {
	Date string // 2006-01-02, UTC
	Seq  int64
	Hash string
}

// String gives the line that is kept: date, number and hash.
func (h Head) String() string { return fmt.Sprintf("%s %d %s", h.Date, h.Seq, h.Hash) }

// maxHeads bounds the lines of one file: three hundred years of days.
const maxHeads = 100_000

// ReadHeads reads lines as String gives them; empty ones and those that begin
// with # are passed over. Errors: Invalid, naming the line.
func ReadHeads(r io.Reader) ([]Head, error) {
	var heads []Head
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		h, ok := readHead(text)
		if !ok || len(heads) == maxHeads {
			return nil, problem.Invalid("", "Line %d is no head of a journal; one is a date, a number and a hash.", n)
		}
		heads = append(heads, h)
	}
	if err := lines.Err(); err != nil {
		return nil, problem.Invalid("", "The heads cannot be read: %v.", err)
	}
	return heads, nil
}

// readHead reads one line.
func readHead(text string) (Head, bool) {
	words := strings.Fields(text)
	if len(words) != 3 || len(words[2]) != len(Genesis) {
		return Head{}, false
	}
	day, err := time.Parse(time.DateOnly, words[0])
	if err != nil {
		return Head{}, false
	}
	seq, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil || seq < 1 {
		return Head{}, false
	}
	return Head{Date: day.Format(time.DateOnly), Seq: seq, Hash: words[2]}, true
}

// VerifyHeads is Verify that also compares the chain with heads that were kept.
// A *Broken tells the first that the journal no longer has.
func VerifyHeads(ctx context.Context, r Reader, heads []Head) error {
	kept := make(map[int64]Head, len(heads))
	last := Head{}
	for _, h := range heads {
		if was, twice := kept[h.Seq]; twice && was.Hash != h.Hash {
			return problem.Invalid("", "The heads of %s and %s have one number and two hashes.", was.Date, h.Date)
		}
		kept[h.Seq] = h
		if h.Seq > last.Seq {
			last = h
		}
	}
	end := int64(0)
	err := walk(ctx, r, func(e Sealed) *Broken {
		end = e.Seq
		if h, ok := kept[e.Seq]; ok && h.Hash != e.Hash {
			return &Broken{Seq: e.Seq, Reason: "it has another hash than the head that was kept on " + h.Date}
		}
		return nil
	}, func(int64) {})
	if err == nil && last.Seq > end {
		return &Broken{Seq: end + 1, Reason: fmt.Sprintf("the entry is missing; on %s the journal reached to %d", last.Date, last.Seq)}
	}
	return err
}
