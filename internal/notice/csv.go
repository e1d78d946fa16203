package notice

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

const (
	// maxImport and maxImportRows bound a file of subscribers, in bytes and in lines.
	maxImport     = 16 << 20
	maxImportRows = 50_000
	// maxProblems bounds how many problems of a file are listed.
	maxProblems = 100
	// importBatch is how many subscribers one unit of work adds.
	importBatch = 500
)

// columns is the header of a file of subscribers. Lists are separated by spaces.
var columns = []string{"address", "mode", "components", "groups", "min_impact", "maintenance", "incident", "state", "confirmed_at"}

// formula begins a cell that a spreadsheet would compute: such cells are written
// behind an apostrophe, which reading takes away again.
const formula = "=+-@"

// Export writes every subscriber that is not erased as CSV (RFC 4180), with a
// header. Errors: Forbidden, Unavailable, the writer's.
func (d *Desk) Export(ctx context.Context, by access.Actor, w io.Writer) error {
	if err := by.Check(access.SubscriberRead); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	if err := out.Write(columns); err != nil {
		return err
	}
	rows := 0
	for q := (SubscriberQuery{Limit: MaxPage}); ; {
		found, err := d.store.Subscribers(ctx, q)
		if err != nil {
			return err
		}
		for _, s := range found {
			if s.Address == "" {
				continue
			}
			rows++
			confirmed := ""
			if !s.ConfirmedAt.IsZero() {
				confirmed = s.ConfirmedAt.Format(time.RFC3339)
			}
			if err := out.Write([]string{guarded(s.Address), string(s.Mode), guarded(strings.Join(s.Components, " ")), guarded(strings.Join(s.Groups, " ")),
				s.MinImpact, strconv.FormatBool(s.Maintenance), guarded(s.Incident), s.State, confirmed}); err != nil {
				return err
			}
		}
		if len(found) < MaxPage {
			break
		}
		q.After = found[len(found)-1].ID
	}
	if out.Flush(); out.Error() != nil {
		return out.Error()
	}
	return d.work.Do(ctx, by.As(access.SubscriberRead), func(tx journal.Tx) error {
		return tx.Append(subscriberEntry("subscriber.exported", "all", map[string]string{"count": strconv.Itoa(rows)}))
	})
}

func guarded(cell string) string {
	if cell != "" && strings.ContainsRune(formula, rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

func unguarded(cell string) string {
	if len(cell) > 1 && cell[0] == '\'' && strings.ContainsRune(formula, rune(cell[1])) {
		return cell[1:]
	}
	return cell
}

// Imported is what an import did.
type Imported struct {
	Added int // active now
	Known int // left as they were, those that unsubscribed included
	Ended int // lines of the file that say that they are not active: not taken
}

// Import adds the subscribers of a CSV file as Export writes it; only address is
// needed. They are active at once: whoever imports answers for their consent.
// Who is known stays as they are, so that nobody who left is brought back.
// Nothing is added unless every line is right. Errors: Forbidden, problem.Errors
// with the line of each, Unavailable.
func (d *Desk) Import(ctx context.Context, by access.Actor, r io.Reader) (Imported, error) {
	var done Imported
	if err := by.Check(access.SubscriberEdit); err != nil {
		return done, err
	}
	rows, err := readSubscribers(r, d.now())
	if err != nil {
		return done, err
	}
	taken := slices.DeleteFunc(slices.Clone(rows), func(s Subscriber) bool { return s.State != Active })
	done.Ended = len(rows) - len(taken)
	for batch := range slices.Chunk(taken, importBatch) {
		var added []string
		if err := d.do(ctx, by.As(access.SubscriberEdit), func(tx journal.Tx) (err error) {
			if added, err = d.store.AddSubscribers(ctx, tx, batch); err != nil {
				return err
			}
			for _, id := range added {
				if err := tx.Append(subscriberEntry("subscriber.added", id, map[string]string{"confirmed": "1", "source": "import"})); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return done, fmt.Errorf("import after %d added: %w", done.Added, err)
		}
		done.Added += len(added)
		done.Known += len(batch) - len(added)
	}
	return done, nil
}

// readSubscribers reads a file, and gives all that is wrong with it.
func readSubscribers(r io.Reader, now time.Time) ([]Subscriber, error) {
	limited := &io.LimitedReader{R: r, N: maxImport + 1}
	in := csv.NewReader(limited)
	in.FieldsPerRecord = -1
	header, err := in.Read()
	if err != nil {
		return nil, problem.Errors{problem.Invalid("line 1", "the file must begin with a line of column names: %s", strings.Join(columns, ","))}
	}
	if len(header) > 0 {
		header[0] = strings.TrimPrefix(header[0], "\ufeff") // as spreadsheets write it
	}
	var problems problem.Errors
	add := func(line int, format string, args ...any) {
		if len(problems) < maxProblems {
			problems = append(problems, problem.Invalid("line "+strconv.Itoa(line), format, args...))
		}
	}
	place := map[string]int{}
	for i, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		if _, twice := place[name]; twice || !slices.Contains(columns, name) {
			add(1, "%q is no column, or is there twice; the columns are %s", clip(name), strings.Join(columns, ","))
		}
		place[name] = i
	}
	if _, ok := place["address"]; !ok {
		add(1, "there is no column address")
	}
	if len(problems) > 0 {
		return nil, problems
	}
	var out []Subscriber
	lines := map[[3]string]int{}
	for {
		cells, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line := len(lines) + 2
		if broken, ok := errors.AsType[*csv.ParseError](err); ok {
			line = broken.StartLine
		} else if err == nil {
			line, _ = in.FieldPos(0)
		}
		if limited.N <= 0 {
			add(line, "the file has more than %d bytes", maxImport)
			break
		}
		if err != nil {
			add(line, "this is no CSV: quotes must be closed, and doubled inside")
			break
		}
		if len(out) == maxImportRows {
			add(line, "a file holds at most %d subscribers", maxImportRows)
			break
		}
		if len(cells) != len(header) {
			add(line, "there are %d cells and %d columns", len(cells), len(header))
			continue
		}
		s, err := readSubscriber(func(name string) string {
			if i, ok := place[name]; ok {
				return unguarded(strings.TrimSpace(cells[i]))
			}
			return ""
		}, now)
		if err != nil {
			if e, ok := errors.AsType[*problem.Error](err); ok {
				add(line, "%s: %s", e.Field, e.Msg)
			} else {
				add(line, "%s", problem.Public(err))
			}
			continue
		}
		key := [3]string{string(s.Mode), s.Address, s.Incident}
		if first, twice := lines[key]; twice {
			add(line, "address: this one is in line %d already", first)
			continue
		}
		lines[key] = line
		out = append(out, s)
	}
	return out, problems.Err()
}

// readSubscriber reads one line.
func readSubscriber(cell func(string) string, now time.Time) (Subscriber, error) {
	s := Subscriber{ID: journal.NewID(), State: Active, Source: "import", CreatedAt: now, ConfirmedAt: now, ChangedAt: now, Incident: cell("incident")}
	if s.Mode = Mode(strings.ToLower(cell("mode"))); s.Mode == "" {
		s.Mode = ByMail
	}
	wishes := Wishes{Components: strings.Fields(cell("components")), Groups: strings.Fields(cell("groups")), MinImpact: cell("min_impact"), Maintenance: true}
	if text := cell("maintenance"); text != "" {
		var err error
		if wishes.Maintenance, err = strconv.ParseBool(text); err != nil {
			return s, problem.Invalid("maintenance", "write true or false")
		}
	}
	switch state := cell("state"); state {
	case "", Active:
	case Pending, Ended:
		s.State = state
	default:
		return s, problem.Invalid("state", "write active, pending or ended")
	}
	if text := cell("confirmed_at"); text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil || at.After(now) {
			return s, problem.Invalid("confirmed_at", "write a moment in the past, such as 2026-03-01T12:00:00Z")
		}
		s.ConfirmedAt = moment(at)
	}
	r, err := Subscription{Mode: s.Mode, Address: cell("address"), Incident: s.Incident, Wishes: wishes}.normal()
	s.Address = r.Address
	s.wish(r.Wishes)
	return s, err
}
