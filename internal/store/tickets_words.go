package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"strconv"
	"strings"

	"evenkeel/internal/access"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// wordsCursor is the name of the cursor that is there while words of messages are
// missing, as after a restore: how far they have been made anew.
const wordsCursor = "ticket-words"

const (
	// scanMost is how many messages one page of a search looks at, so that a common
	// word with a rare condition does not read all there is.
	scanMost = 8_000
	// placeMost is the highest place of a word that PostgreSQL keeps.
	placeMost = 16_383
	// placesMost is how many places of one word it keeps.
	placesMost = 255
)

// putWords makes a message findable.
func (t *tx) putWords(id string, seq int64, words []string) error {
	if t.s.dialect.sealsAtCommit {
		_, err := t.exec(`insert into ticket_words (rowid, words) values ($1, $2)`, seq, strings.Join(words, " "))
		return err
	}
	_, err := t.exec(`insert into ticket_words (id, words) values ($1, $2::tsvector) on conflict (id) do nothing`, id, vector(words))
	return err
}

// dropWords makes a message unfindable.
func (t *tx) dropWords(id string, seq int64) (err error) {
	if t.s.dialect.sealsAtCommit {
		_, err = t.exec(`delete from ticket_words where rowid = $1`, seq)
	} else {
		_, err = t.exec(`delete from ticket_words where id = $1`, id)
	}
	return err
}

// vector writes words as a tsvector with their places. Words are letters and
// digits, so they need no more than quotes.
func vector(words []string) string {
	places := make(map[string]int, len(words))
	var order []string
	lists := make([]strings.Builder, 0, len(words))
	counts := make([]int, 0, len(words))
	for i, w := range words {
		n, ok := places[w]
		if !ok {
			n = len(order)
			places[w] = n
			order = append(order, w)
			lists = append(lists, strings.Builder{})
			counts = append(counts, 0)
		}
		if counts[n] == placesMost || i >= placeMost {
			continue
		}
		if counts[n]++; counts[n] > 1 {
			lists[n].WriteByte(',')
		}
		lists[n].WriteString(strconv.Itoa(i + 1))
	}
	var b strings.Builder
	for n, w := range order {
		b.WriteString(`'` + w + `'`)
		if counts[n] > 0 {
			b.WriteByte(':')
			b.WriteString(lists[n].String())
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// match writes the words of a search in the language of the engine: those that
// must be there, then those that must not. Errors: Invalid without any of the first.
func (s *Store) match(terms []ticket.Term) (string, error) {
	var must, not []string
	for _, term := range terms {
		words := term.Marked()
		if len(words) == 0 {
			continue
		}
		var text string
		if s.dialect.sealsAtCommit {
			text = `"` + strings.Join(words, " ") + `"`
			if term.Beginning {
				text += ` *`
			}
		} else {
			text = `'` + strings.Join(words, `' <-> '`) + `'`
			if term.Beginning {
				text += `:*`
			}
		}
		if term.Not {
			not = append(not, text)
		} else {
			must = append(must, text)
		}
	}
	if len(must) == 0 {
		return "", problem.Invalid("q", "Say at least one word that must be there.")
	}
	if s.dialect.sealsAtCommit {
		text := strings.Join(must, " AND ")
		for _, n := range not {
			text = `(` + text + `) NOT ` + n
		}
		return text, nil
	}
	for i := range must {
		must[i] = `(` + must[i] + `)`
	}
	for _, n := range not {
		must = append(must, `!(`+n+`)`)
	}
	return strings.Join(must, " & "), nil
}

// FindMessages gives the tickets of messages that hold all words of q.Text,
// newest message first, each ticket once, and where to go on.
func (s *Store) FindMessages(ctx context.Context, q ticket.Query) (found []ticket.Found, next string, err error) {
	defer problem.Wrap(&err, "search tickets")
	if err := positive(q.Limit); err != nil {
		return nil, "", err
	}
	words, err := s.match(q.Text)
	if err != nil {
		return nil, "", err
	}
	w, few, err := s.narrowed(ctx, q)
	if err != nil {
		return nil, "", err
	}
	look := search{s: s, q: q, w: w, words: words, seen: map[string]bool{}}
	if few {
		err = look.few(ctx)
	} else {
		err = look.along(ctx)
	}
	return look.found, look.next, err
}

// search is one search on its way.
type search struct {
	s     *Store
	q     ticket.Query
	w     *where // the conditions on tickets
	words string // in the language of the engine
	seen  map[string]bool
	found []ticket.Found
	next  string // id of the message behind which the next page begins; "" = there is none
}

// take adds what fits to the page and tells whether it is full.
func (l *search) take(rows []ticket.Found) (full bool) {
	for _, f := range rows {
		if l.seen[f.Ticket.ID] {
			continue
		}
		l.seen[f.Ticket.ID] = true
		if l.found = append(l.found, f); len(l.found) == l.q.Limit {
			l.next = f.Message
			return true
		}
	}
	return false
}

// few looks through the messages of the few tickets that the conditions leave.
func (l *search) few(ctx context.Context) error {
	w := l.w.clone()
	join := ` from tickets t cross join ticket_messages m cross join ticket_words w` // SQLite joins in this order
	w.add(`m.ticket = t.id`)
	if l.s.dialect.sealsAtCommit {
		w.add(`w.rowid = m.seq and w.words match %s`, l.words)
	} else {
		w.add(`w.id = m.id and w.words @@ %s::tsquery`, l.words)
	}
	if l.q.After.Message != "" {
		w.add(`m.id < %s`, l.q.After.Message)
	}
	most := w.arg(rowsAtOnce * l.q.Limit)
	rows, err := list(ctx, l.s, l.s.db, scanFound, `select m.id, `+foundColumns+join+w.text()+` order by m.id desc limit `+most, w.args...)
	if err == nil && !l.take(rows) && len(rows) == rowsAtOnce*l.q.Limit {
		l.next = rows[len(rows)-1].Message
	}
	return err
}

// rowsAtOnce is how many messages are read for each ticket that is wanted.
const rowsAtOnce = 4

// along walks along the messages that hold the words, newest first, and takes
// those whose tickets fit, until the page is full or scanMost were looked at.
func (l *search) along(ctx context.Context) error {
	below, err := l.s.placeOf(l.q.After.Message)
	if err != nil {
		return err
	}
	most := firstPlaces
	for looked := 0; looked < scanMost; looked, most = looked+most, min(3*most, placesAtOnce) {
		places, end, err := l.s.placesOfWords(ctx, l.words, below, most)
		if err != nil {
			return err
		}
		for size := firstPlaces; len(places) > 0; size *= 3 {
			some := places[:min(size, len(places))]
			places = places[len(some):]
			rows, err := l.s.ticketsAt(ctx, l.w, some)
			if err != nil || l.take(rows) {
				return err
			}
		}
		if below = end; end == "" {
			return nil
		}
	}
	l.next, err = l.s.messageAt(ctx, below)
	return err
}

// placeOf gives the place of a message in the index of words, as text; "" of none.
func (s *Store) placeOf(id string) (string, error) {
	if id == "" || !s.dialect.sealsAtCommit {
		return id, nil
	}
	seq, err := seqOf(id)
	return strconv.FormatInt(seq, 10), err
}

// messageAt gives the message at a place.
func (s *Store) messageAt(ctx context.Context, place string) (string, error) {
	if !s.dialect.sealsAtCommit {
		return place, nil
	}
	found, err := list(ctx, s, s.db, scanText, `select id from ticket_messages where seq = cast($1 as integer)`, place)
	return only(found, err, "message", place)
}

const (
	// firstPlaces is how many messages are looked at first: a common word fills a page
	// from them. placesAtOnce is how many each time after that.
	firstPlaces  = 300
	placesAtOnce = 4_000
	// rareShare is how rare a word is, among the newest messages, when PostgreSQL's
	// list of it is shorter than walking on: one in so many.
	rareShare = 50
)

// placesOfWords gives the places below one of messages that hold the words, newest
// first, about so many, and the place from which to go on; "" when these were all.
func (s *Store) placesOfWords(ctx context.Context, words, below string, most int) (places []string, end string, err error) {
	if s.dialect.sealsAtCommit {
		if below == "" {
			below = strconv.FormatInt(math.MaxInt64, 10)
		}
		places, err = list(ctx, s, s.db, scanText, `select cast(rowid as text) from ticket_words
			where words match $1 and rowid < cast($2 as integer) order by rowid desc limit $3`, words, below, most)
		if len(places) == most {
			end = places[most-1]
		}
		return places, end, err
	}
	// The newest messages are looked at one by one: a common word fills the page from
	// them. A rare one is looked up in its list, which is short.
	if below == "" {
		below = lastID
	}
	type place struct {
		id   string
		fits bool
	}
	window, err := list(ctx, s, s.db, func(r *sql.Rows, p *place) error { return r.Scan(&p.id, &p.fits) },
		`select id, words @@ $1::tsquery from ticket_words where id < $2 order by id desc limit $3`, words, below, most)
	if err != nil {
		return nil, "", err
	}
	for _, p := range window {
		if p.fits {
			places = append(places, p.id)
		}
	}
	if len(window) < most {
		return places, "", nil
	}
	end = window[len(window)-1].id
	if len(places) > most/rareShare {
		return places, end, nil
	}
	rest, err := list(ctx, s, s.db, scanText, `with listed as materialized (select id from ticket_words where words @@ $1::tsquery)
		select id from listed where id < $2 order by id desc limit $3`, words, end, placesAtOnce)
	places, end = append(places, rest...), ""
	if len(rest) == placesAtOnce {
		end = rest[len(rest)-1]
	}
	return places, end, err
}

// lastID is behind every id.
const lastID = "g"

// foundColumns are those of a ticket in a search.
var foundColumns = `t.` + strings.Join(strings.Fields(strings.ReplaceAll(ticketColumns, ",", "")), `, t.`)

func scanFound(r *sql.Rows, f *ticket.Found) error {
	return r.Scan(append([]any{&f.Message}, ticketTargets(&f.Ticket)...)...)
}

// ticketsAt gives the tickets of messages at places that fit the conditions, newest
// message first.
func (s *Store) ticketsAt(ctx context.Context, w *where, places []string) ([]ticket.Found, error) {
	w = w.clone()
	if s.dialect.sealsAtCommit {
		w.add(`m.seq in (select cast(value as integer) from json_each(%s))`, asJSON(&places))
	} else {
		w.add(`m.id = any(%s::text[])`, places)
	}
	return list(ctx, s, s.db, scanFound, `select m.id, `+foundColumns+` from ticket_messages m join tickets t on t.id = m.ticket`+
		w.text()+` order by m.id desc`, w.args...)
}

// IndexWords makes messages findable that are not, after a restore, newest first.
func (s *Store) IndexWords(ctx context.Context, jt journal.Tx, limit int) (more bool, err error) {
	t, err := s.own(jt)
	if err != nil {
		return false, err
	}
	if err := positive(limit); err != nil {
		return false, err
	}
	var below int64
	err = t.one(`select seq from cursors where name = $1`, []any{wordsCursor}, &below)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	type titled struct {
		m     ticket.Message
		title string
	}
	var batch []titled
	columns := `m.` + strings.Join(strings.Fields(strings.ReplaceAll(messageColumns, ",", "")), `, m.`)
	if err := t.rows(`select t.subject, `+columns+` from ticket_messages m join tickets t on t.id = m.ticket
		where m.seq < $1 order by m.seq desc limit $2`, []any{below, limit}, func(r *sql.Rows) error {
		var v titled
		err := r.Scan(append([]any{&v.title}, messageTargets(&v.m)...)...)
		batch = append(batch, v)
		return err
	}); err != nil {
		return false, err
	}
	for _, v := range batch {
		if below, err = seqOf(v.m.ID); err != nil {
			return false, err
		}
		if err := t.dropWords(v.m.ID, below); err != nil {
			return false, err
		}
		if err := t.putWords(v.m.ID, below, v.m.Words(v.title)); err != nil {
			return false, err
		}
	}
	if len(batch) < limit {
		_, err = t.exec(`delete from cursors where name = $1`, wordsCursor)
		return false, err
	}
	_, err = t.exec(`update cursors set seq = $2 where name = $1`, wordsCursor, below)
	return true, err
}

// ForgetWords empties the index of words, so that it is made anew: after a restore,
// since a backup has none.
func (s *Store) ForgetWords(ctx context.Context) error {
	return s.run(ctx, access.Hub, func(t *tx) error {
		if _, err := t.exec(`delete from ticket_words`); err != nil {
			return err
		}
		_, err := t.exec(forgetWords, wordsCursor, int64(math.MaxInt64))
		return err
	})
}

// forgetWords says that no message can be found yet.
const forgetWords = `insert into cursors (name, seq) values ($1, $2) on conflict (name) do update set seq = excluded.seq`
