package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxCount bounds a count of statements or lines in one entry: a larger one is
// nonsense that would drown the others.
const maxCount = 1 << 24

// count reads a small number. Errors say what is there instead.
func count(text string) (float64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || n > maxCount {
		return 0, fmt.Errorf("%.40q is no count", text)
	}
	return float64(n), nil
}

// lines hands every line to each.
func lines(r io.Reader, each func(line string) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(make([]byte, 0, 64<<10), maxLine)
	for s.Scan() {
		if err := each(strings.TrimSuffix(s.Text(), "\r")); err != nil {
			return err
		}
	}
	return s.Err()
}

// maxBlocks bounds the blocks of a Go profile.
const maxBlocks = 2_000_000

// readGoCover reads a profile of go test. Blocks that several packages ran stand
// there several times: each counts once.
func readGoCover(r io.Reader) (Figures, error) {
	type block struct {
		statements float64
		hit        bool
	}
	blocks := map[string]block{}
	first := true
	err := lines(r, func(line string) error {
		if first {
			first = false
			if !strings.HasPrefix(line, "mode: ") {
				return errors.New("it does not begin with its mode")
			}
			return nil
		}
		if line == "" || strings.HasPrefix(line, "mode: ") { // joined profiles
			return nil
		}
		at := strings.LastIndexByte(line, ' ')
		before := strings.LastIndexByte(line[:max(at, 0)], ' ')
		if before <= 0 {
			return fmt.Errorf("%.80q is no block", line)
		}
		statements, err := count(line[before+1 : at])
		if err != nil {
			return err
		}
		hits, err := strconv.ParseUint(line[at+1:], 10, 64)
		if err != nil {
			return fmt.Errorf("%.40q is no count", line[at+1:])
		}
		if len(blocks) >= maxBlocks {
			return fmt.Errorf("it holds more than %d blocks", maxBlocks)
		}
		key := line[:before]
		blocks[key] = block{statements, hits > 0 || blocks[key].hit}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if first {
		return nil, errors.New("it is empty")
	}
	var all, hit float64
	for _, b := range blocks {
		all += b.statements
		if b.hit {
			hit += b.statements
		}
	}
	return Figures{"coverage": percent(hit, all), "statements": all, "covered": hit}, nil
}

// readLCOV adds up the lines of every file: LF found, LH hit, and where those are
// missing the DA entries.
func readLCOV(r io.Reader) (Figures, error) {
	var all, hit, found, ran float64
	totals, files := false, 0
	err := lines(r, func(line string) error {
		key, value, _ := strings.Cut(line, ":")
		var err error
		switch key {
		case "SF":
			found, ran, totals = 0, 0, false
		case "DA":
			if totals {
				return nil
			}
			_, hits, ok := strings.Cut(value, ",")
			if !ok {
				return fmt.Errorf("%.80q is no line", line)
			}
			hits, _, _ = strings.Cut(hits, ",")
			if found++; decimal(hits) > 0 {
				ran++
			}
		case "LF":
			if !totals {
				totals, ran = true, 0
			}
			found, err = count(value)
		case "LH":
			if !totals {
				totals, found = true, 0
			}
			ran, err = count(value)
		case "end_of_record":
			files++
			if ran > found {
				return errors.New("more lines were hit than found")
			}
			all, hit = all+found, hit+ran
		}
		return err
	})
	if err == nil && files == 0 {
		err = errors.New("it has no records")
	}
	if err != nil {
		return nil, err
	}
	return Figures{"coverage": percent(hit, all), "lines": all, "covered": hit}, nil
}
