package storetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"evenkeel/internal/inbox"
	"evenkeel/internal/journal"
	"evenkeel/internal/problem"
)

// InboxRecord is the inbox's store with the unit of work it takes.
type InboxRecord interface {
	journal.Work
	inbox.Store
}

// Inbox runs the suite of inbox.Store. open gives a fresh, empty record that is
// closed with the test.
func Inbox(t *testing.T, open func(testing.TB) InboxRecord) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, InboxRecord)
	}{
		{"BlobsAreCounted", blobsCounted},
		{"BlobsOfAnySizeAreStaged", blobsStaged},
		{"StagedBlobsAreSweptUnlessKept", blobsSwept},
		{"MailboxesAreSwapped", mailboxes},
		{"MailsAreAddedOnce", mailsOnce},
		{"MailsAreSwapped", mailsSwapped},
		{"MailsAreFound", mailsFound},
		{"WaitingMailsComeInOrder", mailsWaiting},
		{"TheFirstOfAHashIsKnown", mailsFirst},
		{"UIDsAreKnown", mailsUIDs},
		{"ServerWorkIsFound", mailsUnsettled},
		{"TokensAreReplaced", mailTokens},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// blobIs fails unless the record has exactly these bytes under their hash.
func blobIs(t *testing.T, r InboxRecord, data []byte) {
	t.Helper()
	for _, how := range []func(io.Reader) ([]byte, error){io.ReadAll, func(in io.Reader) ([]byte, error) {
		var b bytes.Buffer
		_, err := io.Copy(&b, in)
		return b.Bytes(), err
	}} {
		in, size, err := r.OpenBlob(t.Context(), hashOf(data))
		if err != nil {
			t.Fatal(err)
		}
		got, err := how(in)
		if err != nil || size != int64(len(data)) || !bytes.Equal(got, data) {
			t.Fatalf("%d bytes came back as %d of %d, %v", len(data), len(got), size, err)
		}
		in.Close()
	}
}

func noBlob(t *testing.T, r InboxRecord, data []byte) {
	t.Helper()
	_, _, err := r.OpenBlob(t.Context(), hashOf(data))
	wantKind(t, err, problem.KindNotFound)
}

func blobsCounted(t *testing.T, r InboxRecord) {
	ctx := t.Context()
	for _, data := range [][]byte{{}, []byte("short"), bytes.Repeat([]byte("0123456789abcde\n"), 64<<10)} {
		hash := hashOf(data)
		noBlob(t, r, data)
		mustPut(t, r, func(tx journal.Tx) error { return r.PutBlob(ctx, tx, hash, data) })
		mustPut(t, r, func(tx journal.Tx) error { return r.PutBlob(ctx, tx, hash, data) })
		mustPut(t, r, func(tx journal.Tx) error { return r.KeepBlob(ctx, tx, hash) })
		blobIs(t, r, data)
		for range 2 {
			mustPut(t, r, func(tx journal.Tx) error { return r.DropBlob(ctx, tx, hash) })
			blobIs(t, r, data)
		}
		mustPut(t, r, func(tx journal.Tx) error { return r.DropBlob(ctx, tx, hash) })
		noBlob(t, r, data)
		mustPut(t, r, func(tx journal.Tx) error { return r.DropBlob(ctx, tx, hash) })
		wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.KeepBlob(ctx, tx, hash) }), problem.KindNotFound)
	}
}

func blobsStaged(t *testing.T, r InboxRecord) {
	ctx := t.Context()
	data := []byte(strings.Repeat("a line of a large mail\r\n", 200_000)) // 4.8 MB
	hash := hashOf(data)
	if err := r.StageBlob(ctx, hash, bytes.NewReader(data[:len(data)/2])); problem.KindOf(err) != problem.KindInvalid {
		t.Errorf("half of the bytes: %v", err)
	}
	wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.KeepBlob(ctx, tx, hash) }), problem.KindNotFound)
	noBlob(t, r, data)
	if err := r.StageBlob(ctx, hash, io.MultiReader(bytes.NewReader(data[:1<<20]), broken{})); err == nil {
		t.Error("a broken reader gives no error")
	}
	for range 2 {
		if err := r.StageBlob(ctx, hash, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
	}
	mustPut(t, r, func(tx journal.Tx) error { return r.KeepBlob(ctx, tx, hash) })
	blobIs(t, r, data)
	if err := r.StageBlob(ctx, hash, broken{}); err != nil { // it is whole: nothing is read
		t.Error(err)
	}
	mustPut(t, r, func(tx journal.Tx) error { return r.DropBlob(ctx, tx, hash) })
	noBlob(t, r, data)
	// Half of it was staged, and somebody puts it whole.
	_ = r.StageBlob(ctx, hash, io.MultiReader(bytes.NewReader(data[:3<<20]), broken{}))
	mustPut(t, r, func(tx journal.Tx) error { return r.PutBlob(ctx, tx, hash, data) })
	blobIs(t, r, data)
}

// broken is a reader that fails.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func blobsSwept(t *testing.T, r InboxRecord) {
	ctx := t.Context()
	for n := range 20 {
		data := []byte{byte(n)}
		if err := r.StageBlob(ctx, hashOf(data), bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		if n == 7 {
			mustPut(t, r, func(tx journal.Tx) error { return r.KeepBlob(ctx, tx, hashOf(data)) })
		}
	}
	if n := must[int](t)(r.SweepBlobs(ctx, time.Now().Add(-time.Hour))); n != 0 {
		t.Errorf("%d young ones swept", n)
	}
	swept := 0
	for {
		n := must[int](t)(r.SweepBlobs(ctx, time.Now().Add(time.Hour)))
		if swept += n; n == 0 {
			break
		}
	}
	if swept != 19 {
		t.Errorf("%d swept, want 19", swept)
	}
	blobIs(t, r, []byte{7})
	noBlob(t, r, []byte{8})
}

func mailboxes(t *testing.T, r InboxRecord) {
	ctx := t.Context()
	m := inbox.Mailbox{
		Name: "support", Validity: 1<<32 - 1, Epoch: 2, Last: 77, BackfillTo: 12, Floor: 3, From: later(-10), QuietTo: later(-5), State: inbox.BackingOff,
		Trouble: inbox.Refused, Reason: "no", Since: later(1), OKAt: later(2), ComparedAt: later(3), Gap: 4, Version: 1,
	}
	full(t, m)
	fresh := m
	fresh.Version = 0
	mustPut(t, r, func(tx journal.Tx) error { return r.PutMailbox(ctx, tx, fresh) })
	same(t, m, must[inbox.Mailbox](t)(r.Mailbox(ctx, "support")))
	m.Last, m.State = 78, inbox.Listening
	mustPut(t, r, func(tx journal.Tx) error { return r.PutMailbox(ctx, tx, m) })
	wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.PutMailbox(ctx, tx, m) }), problem.KindConflict)
	m.Version = 2
	other := inbox.Mailbox{Name: "billing", State: inbox.Connecting}
	mustPut(t, r, func(tx journal.Tx) error { return r.PutMailbox(ctx, tx, other) })
	other.Version = 1
	same(t, []inbox.Mailbox{other, m}, must[[]inbox.Mailbox](t)(r.Mailboxes(ctx)))
	_, err := r.Mailbox(ctx, "nobody")
	wantKind(t, err, problem.KindNotFound)
}

// arrived gives mails of UIDs 1 to n, two of every three bytes alike.
func arrived(n int) []inbox.Arrival {
	out := make([]inbox.Arrival, n)
	for i := range out {
		raw := []byte(strings.Repeat("x", i/3+1))
		out[i] = inbox.Arrival{Raw: raw, Mail: inbox.Mail{
			ID: journal.NewID(), Mailbox: "support", Validity: 9, UID: uint32(i + 1), Hash: hashOf(raw), Size: int64(len(raw)),
			ReceivedAt: later(i), StoredAt: later(i), Fate: inbox.Waiting,
		}}
	}
	return out
}

func addMails(t *testing.T, r InboxRecord, list []inbox.Arrival) (added int) {
	t.Helper()
	mustPut(t, r, func(tx journal.Tx) (err error) { added, err = r.AddMails(t.Context(), tx, list); return err })
	return added
}

func mailsOnce(t *testing.T, r InboxRecord) {
	ctx := t.Context()
	list := arrived(100)
	m := &list[0].Mail
	*m = inbox.Mail{
		ID: m.ID, Mailbox: "support", Validity: 9, Epoch: 1, UID: 1<<32 - 1, Hash: m.Hash, Size: 1, MessageID: "a@example.org", ReceivedAt: later(1),
		StoredAt: later(2), Fate: inbox.Opened, Reason: "so", Of: "x", Kind: "person", Ticket: "t", Message: "m", Quiet: true, Attempts: 2,
		NextAt: later(3), Settled: true, GoneAt: later(4), Version: 1,
	}
	full(t, *m)
	if n := addMails(t, r, list[:60]); n != 60 {
		t.Errorf("%d of 60 added", n)
	}
	same(t, *m, must[inbox.Mail](t)(r.Mail(ctx, m.ID)))
	again := slices.Clone(list)
	for i := range again {
		again[i].Mail.ID = journal.NewID()
	}
	if n := addMails(t, r, again); n != 40 {
		t.Errorf("%d of 40 added", n)
	}
	// Of those that were there already no reference was counted.
	for _, a := range list[1:60] {
		mustPut(t, r, func(tx journal.Tx) error { return r.DropBlob(ctx, tx, a.Mail.Hash) })
	}
	mustPut(t, r, func(tx journal.Tx) error { return r.DropBlob(ctx, tx, list[0].Mail.Hash) })
	noBlob(t, r, list[0].Raw)
	noBlob(t, r, list[30].Raw)
	blobIs(t, r, list[70].Raw)
	if n := addMails(t, r, []inbox.Arrival{{Mail: inbox.Mail{ID: journal.NewID(), Mailbox: "other", Validity: 9, UID: 1, StoredAt: later(0), Fate: inbox.Unfetchable}}}); n != 1 {
		t.Error("one without bytes is not added")
	}
}

func mailsSwapped(t *testing.T, r InboxRecord) {
	ctx := t.Context()
	list := arrived(70)
	addMails(t, r, list)
	mails := make([]inbox.Mail, len(list))
	for i := range list {
		m := list[i].Mail
		m.Version = 1
		m.Hash, m.Size, m.MessageID, m.Fate, m.Reason, m.Of, m.Kind, m.Ticket, m.Message = "h", 5, "id", inbox.Joined, "r", "o", "k", "t", "m"
		m.Quiet, m.Attempts, m.NextAt, m.Settled, m.GoneAt = true, 3, later(9), true, later(10)
		mails[i] = m
	}
	mustPut(t, r, func(tx journal.Tx) error { return r.SwapMails(ctx, tx, mails) })
	want := mails[69]
	want.Version = 2
	same(t, want, must[inbox.Mail](t)(r.Mail(ctx, want.ID)))
	mustPut(t, r, func(tx journal.Tx) error {
		got, err := r.MailForUpdate(ctx, tx, want.ID)
		same(t, want, got)
		return err
	})
	wantKind(t, put(r, ctx, func(tx journal.Tx) error { return r.SwapMails(ctx, tx, []inbox.Mail{want, mails[3]}) }), problem.KindConflict)
	same(t, want, must[inbox.Mail](t)(r.Mail(ctx, want.ID)))
}

func mailsFound(t *testing.T, r InboxRecord) {
	ctx := t.Context()
	list := arrived(9)
	list[3].Mail.MessageID, list[4].Mail.Fate, list[5].Mail.Fate = "a@example.org", inbox.SetAside, inbox.Opened
	addMails(t, r, list)
	other := inbox.Mail{ID: journal.NewID(), Mailbox: "billing", Validity: 1, UID: 3, StoredAt: later(0), ReceivedAt: later(0), Fate: inbox.Unfetchable}
	addMails(t, r, []inbox.Arrival{{Mail: other}})
	uids := func(q inbox.Query) (out []uint32) {
		t.Helper()
		if q.Limit == 0 {
			q.Limit = 100
		}
		for _, m := range must[[]inbox.Mail](t)(r.Mails(ctx, q)) {
			out = append(out, m.UID)
		}
		return out
	}
	same(t, []uint32{3, 9, 8, 7, 6, 5, 4, 3, 2, 1}, uids(inbox.Query{}))
	same(t, []uint32{9, 8}, uids(inbox.Query{Mailbox: "support", Limit: 2}))
	same(t, []uint32{7, 6}, uids(inbox.Query{Mailbox: "support", Before: list[7].Mail.ID, Limit: 2}))
	same(t, []uint32{4}, uids(inbox.Query{MessageID: "a@example.org"}))
	same(t, []uint32{3, 2, 1}, uids(inbox.Query{Hash: list[0].Mail.Hash}))
	same(t, []uint32{3, 3}, uids(inbox.Query{UID: 3}))
	same(t, []uint32{3, 5}, uids(inbox.Query{Fates: []inbox.Fate{inbox.SetAside, inbox.Unfetchable}}))
	same(t, []uint32{6, 5}, uids(inbox.Query{Fates: []inbox.Fate{inbox.SetAside, inbox.Opened}}))
	same(t, []uint32{9, 8, 7, 4, 3, 2, 1}, uids(inbox.Query{Fates: []inbox.Fate{inbox.Waiting}}))
	same(t, []uint32{6, 5}, uids(inbox.Query{From: later(4), To: later(6)}))
	same(t, map[inbox.Fate]int64{inbox.Waiting: 7, inbox.SetAside: 1, inbox.Opened: 1}, must[map[inbox.Fate]int64](t)(r.FateCounts(ctx, "support")))
	same(t, map[string]int64{"support": 1, "billing": 1}, must[map[string]int64](t)(r.CountSetAside(ctx)))
}

func mailsWaiting(t *testing.T, r InboxRecord) {
	ctx := t.Context()
	waiting, oldest, err := r.Backlog(ctx, "")
	if err != nil || waiting != 0 || !oldest.IsZero() {
		t.Errorf("nothing: %d since %v, %v", waiting, oldest, err)
	}
	list := arrived(6)
	list[0].Mail.Quiet, list[2].Mail.Fate, list[3].Mail.NextAt, list[4].Mail.NextAt = true, inbox.Opened, later(50), later(10)
	addMails(t, r, list)
	var uids []uint32
	for _, m := range must[[]inbox.Mail](t)(r.WaitingMails(ctx, later(10), 10)) {
		uids = append(uids, m.UID)
	}
	same(t, []uint32{2, 5, 6, 1}, uids)
	for name, want := range map[string]int64{"": 5, "support": 5, "billing": 0} {
		waiting, oldest, err := r.Backlog(ctx, name)
		if err != nil || waiting != want || want > 0 && !oldest.Equal(later(0)) {
			t.Errorf("%q: %d since %v, %v", name, waiting, oldest, err)
		}
	}
}

func mailsFirst(t *testing.T, r InboxRecord) {
	ctx := t.Context()
	list := arrived(9) // 1–3, 4–6 and 7–9 are alike
	list[1].Mail.Fate, list[2].Mail.Fate, list[3].Mail.Fate, list[7].Mail.Fate = inbox.Muted, inbox.Opened, inbox.Repeated, inbox.SetAside
	addMails(t, r, list)
	got := must[map[string]inbox.Mail](t)(r.FirstMails(ctx, []string{list[0].Mail.Hash, list[0].Mail.Hash, list[3].Mail.Hash, list[6].Mail.Hash, "", "none"}))
	if len(got) != 1 || got[list[0].Mail.Hash].UID != 2 {
		t.Errorf("got %v", got)
	}
}

func mailsUIDs(t *testing.T, r InboxRecord) {
	list := arrived(9)
	list[3].Mail.Epoch, list[4].Mail.Validity, list[5].Mail.Mailbox = 1, 8, "billing"
	addMails(t, r, list)
	m := inbox.Mailbox{Name: "support", Validity: 9}
	same(t, []uint32{2, 3, 7, 8}, must[[]uint32](t)(r.KeptUIDs(t.Context(), m, 2, 8)))
}

func mailsUnsettled(t *testing.T, r InboxRecord) {
	ctx := t.Context()
	list := arrived(8)
	for i, fate := range []inbox.Fate{inbox.Opened, inbox.Waiting, inbox.Muted, inbox.SetAside, inbox.Unfetchable, inbox.Unfetchable, inbox.Opened, inbox.Joined} {
		list[i].Mail.Fate = fate
	}
	list[2].Mail.Kind, list[6].Mail.Settled, list[4].Mail.NextAt, list[5].Mail.NextAt = "spam", true, later(5), later(6)
	addMails(t, r, list)
	m := inbox.Mailbox{Name: "support", Validity: 9}
	uids := func(list []inbox.Mail, err error) (out []uint32) {
		t.Helper()
		for _, m := range must[[]inbox.Mail](t)(list, err) {
			out = append(out, m.UID)
		}
		return out
	}
	same(t, []uint32{1, 3, 4, 8}, uids(r.UnsettledMails(ctx, m, inbox.Unsettled{Before: later(9), Limit: 10})))
	same(t, []uint32{1, 3}, uids(r.UnsettledMails(ctx, m, inbox.Unsettled{Before: later(0), Spam: true, Limit: 10})))
	same(t, []uint32{1, 4}, uids(r.UnsettledMails(ctx, m, inbox.Unsettled{Before: later(0), Failed: true, Limit: 10})))
	same(t, []uint32{5}, uids(r.UnfetchedMails(ctx, m, later(5), 10)))
	if old := must[[]inbox.Mail](t)(r.OldMails(ctx, time.Now().Add(time.Hour), 3)); len(old) != 3 || old[0].UID != 1 || old[1].UID != 3 {
		t.Errorf("got %v", old)
	}
}

func mailTokens(t *testing.T, r InboxRecord) {
	ctx := t.Context()
	_, err := r.MailboxToken(ctx, "support")
	wantKind(t, err, problem.KindNotFound)
	for _, secret := range []string{"first", "second"} {
		mustPut(t, r, func(tx journal.Tx) error { return r.PutMailboxToken(ctx, tx, "support", []byte(secret)) })
		if got := must[[]byte](t)(r.MailboxToken(ctx, "support")); string(got) != secret {
			t.Errorf("got %q", got)
		}
	}
}
