package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"evenkeel/ingest/kind"
	"evenkeel/internal/access"
	"evenkeel/internal/inbox"
	"evenkeel/internal/problem"
	"evenkeel/internal/ticket"
)

// story tells one whose hours pass in a moment.
func story(t *testing.T, tell func(*testing.T, *scene, *fake)) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		tell(t, s, newFake())
		s.stop() // before the bubble ends
	})
}

// pass lets time go by in which the mail room works.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// fates counts the ledger by fate.
func (s *scene) fates() map[inbox.Fate]int {
	out := map[inbox.Fate]int{}
	for _, m := range s.mails() {
		out[m.Fate]++
	}
	return out
}

// said tells how often the journal has a verb.
func (s *scene) said(verb string) (n int) {
	entries, err := s.store.After(context.Background(), 0, 1000)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Verb == verb {
			n++
		}
	}
	return n
}

func TestMailThatWasNeverShownIsFoundWithinTheHour(t *testing.T) {
	story(t, func(t *testing.T, s *scene, f *fake) {
		f.put(time.Now(), letter(1), letter(2), letter(3))
		s.fleet.Setup([]Spec{f.spec("a")})
		pass(time.Minute)
		f.put(time.Now(), letter(4), letter(5))
		f.with(func() { f.hidden[4] = true })
		pass(time.Minute)
		if got := s.desk.count(); got != 4 || s.box().Last != 5 {
			t.Fatalf("%d mails, %+v", got, s.box())
		}
		f.with(func() { f.hidden[4] = false })
		pass(time.Hour)
		if got := s.desk.count(); got != 5 {
			t.Errorf("%d mails", got)
		}
		if s.said("mailbox.gap") != 1 {
			t.Error("the journal has no gap")
		}
		pass(time.Hour)
		if s.said("mailbox.gap") != 1 || s.box().Gap != 0 {
			t.Errorf("the gap stays: %+v", s.box())
		}
	})
}

func TestRefusedMailIsAskedForEveryHour(t *testing.T) {
	story(t, func(t *testing.T, s *scene, f *fake) {
		f.put(time.Now(), letter(1), letter(2), letter(3))
		f.refused[2] = true
		s.fleet.Setup([]Spec{f.spec("a")})
		pass(time.Minute)
		if got := s.fates(); got[inbox.Opened] != 2 || got[inbox.Unfetchable] != 1 || !s.box().Well() {
			t.Fatalf("got %v, %+v", got, s.box())
		}
		pass(2 * time.Hour)
		if m := s.mails()[1]; m.Attempts < 2 {
			t.Errorf("got %+v", m)
		}
		f.with(func() { f.refused[2] = false })
		pass(time.Hour + time.Minute)
		if got := s.fates(); got[inbox.Opened] != 3 {
			t.Errorf("got %v", got)
		}
	})
}

// One notice, and one try an hour: more would lock the account.
func TestRefusedSignInIsTriedOnceAnHour(t *testing.T) {
	story(t, func(t *testing.T, s *scene, f *fake) {
		f.openErr = &Failure{Trouble: inbox.Refused, Words: "no"}
		s.fleet.Setup([]Spec{f.spec("a")})
		pass(3*time.Hour + time.Minute)
		if n := len(f.opened); n != 4 {
			t.Errorf("tried %d times in three hours", n)
		}
		if box := s.box(); box.State != inbox.BackingOff || box.Trouble != inbox.Refused || box.Reason != "no" || s.said("mailbox.moved") != 1 {
			t.Errorf("got %+v, moved %d times", box, s.said("mailbox.moved"))
		}
		f.with(func() { f.openErr = nil })
		s.fleet.Setup([]Spec{f.spec("b")}) // the configuration was mended
		pass(time.Second)
		if !s.box().Well() {
			t.Errorf("got %+v", s.box())
		}
		f.with(func() { f.openErr = &Failure{Consent: true, Trouble: inbox.Refused, Words: "consent"} })
		pass(2 * time.Minute)
		if s.box().State != inbox.NeedsConsent {
			t.Errorf("got %+v", s.box())
		}
	})
}

func TestLostConnectionIsTriedAgainAndAgain(t *testing.T) {
	story(t, func(t *testing.T, s *scene, f *fake) {
		f.openErr = failureOf("Connecting", io.EOF)
		s.fleet.Setup([]Spec{f.spec("a")})
		pass(time.Hour)
		f.mu.Lock()
		for i := range f.opened[1:] {
			if gap := f.opened[i+1].Sub(f.opened[i]); gap > backOffMost+time.Second || gap < backOffFirst/2 {
				t.Errorf("try %d came after %v", i+1, gap)
			}
		}
		n := len(f.opened)
		f.mu.Unlock()
		if n < 12 || n > 40 {
			t.Errorf("%d tries in an hour", n)
		}
		f.with(func() { f.openErr = nil })
		pass(backOffMost + time.Second)
		if !s.box().Well() {
			t.Errorf("got %+v", s.box())
		}
	})
}

// A server that counts from a lower number than before without saying so.
func TestServerThatRenumbersSilentlyIsRescanned(t *testing.T) {
	story(t, func(t *testing.T, s *scene, f *fake) {
		f.put(time.Now(), letter(1), letter(2), letter(3))
		s.fleet.Setup([]Spec{f.spec("a")})
		pass(10 * time.Minute)
		old := time.Now().Add(-time.Hour)
		f.with(func() { f.mails, f.next = map[uint32]letterAt{}, 1 })
		f.put(old, letter(3), letter(9))
		s.fleet.Setup([]Spec{f.spec("b")}) // another connection
		pass(time.Minute)
		list := s.mails()
		if len(list) != 5 || list[3].Fate != inbox.Repeated || list[3].Of != list[2].ID || list[4].Fate != inbox.Opened || !list[4].Quiet {
			t.Errorf("got %+v", list)
		}
		f.put(time.Now(), letter(10))
		pass(time.Minute)
		if m := s.mails()[5]; m.Quiet || m.Fate != inbox.Opened {
			t.Errorf("got %+v", m)
		}
	})
}

func TestFirstLookFetchesWhatItIsTold(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Spec)
		want   int
	}{
		"all":      {func(s *Spec) { s.All = true }, 700},
		"last day": {func(s *Spec) { s.All, s.Last = false, 24*time.Hour }, 100},
		"now":      {func(s *Spec) { s.All = false }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, s *scene, f *fake) {
				for n := range 700 {
					at := time.Now().Add(-48 * time.Hour)
					if n%7 == 0 {
						at = time.Now().Add(-time.Hour)
					}
					f.put(at, letter(n))
				}
				spec := f.spec("a")
				c.change(&spec)
				s.fleet.Setup([]Spec{spec})
				pass(time.Minute)
				f.put(time.Now(), letter(1000))
				pass(3 * time.Hour) // comparisons find nothing missing
				if got := s.desk.count(); got != c.want+1 {
					t.Errorf("%d mails, want %d", got, c.want+1)
				}
				quiet := 0
				for _, in := range s.desk.got {
					if in.Quiet {
						quiet++
					}
				}
				if quiet != c.want || s.said("mailbox.gap") != 0 {
					t.Errorf("%d are quiet, want %d; %d gaps", quiet, c.want, s.said("mailbox.gap"))
				}
				if name == "now" {
					if err := s.ledger.WalkBack(t.Context(), access.Host, "support", time.Time{}); err != nil {
						t.Fatal(err)
					}
					pass(time.Minute)
					if got := s.desk.count(); got != 701 {
						t.Errorf("%d mails after walking back", got)
					}
				}
			})
		})
	}
}

func TestServerIsTidiedAsItIsTold(t *testing.T) {
	spam := strings.Replace(letter(2), "Subject:", "X-Spam-Flag: YES\r\nSubject:", 1)
	for name, c := range map[string]struct {
		after After
		left  []uint32
		later []uint32 // after two days
		moved map[string][]uint32
	}{
		"leave":  {After{}, []uint32{1, 2, 3}, []uint32{1, 2, 3}, nil},
		"seen":   {After{Seen: true}, []uint32{1, 2, 3}, []uint32{1, 2, 3}, nil},
		"move":   {After{Move: "Done", Spam: "Junk", Failed: "Failed"}, nil, nil, map[string][]uint32{"Done": {1}, "Junk": {2}, "Failed": {3}}},
		"no":     {After{Move: "Forbidden"}, []uint32{1, 2, 3}, []uint32{1, 2, 3}, nil},
		"delete": {After{Delete: true}, []uint32{3}, []uint32{3}, nil},
		"wait":   {After{Delete: true, Wait: 24 * time.Hour, Spam: "Junk"}, []uint32{1, 3}, []uint32{3}, map[string][]uint32{"Junk": {2}}},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, s *scene, f *fake) {
				s.desk.err = func(in ticket.Incoming) error {
					if in.Subject == "Mail 003" {
						return problem.Internal(nil, "it does not fit")
					}
					return nil
				}
				f.put(time.Now(), letter(1), spam, letter(3))
				spec := f.spec("a")
				spec.After, spec.Poll = c.after, time.Hour
				s.fleet.Setup([]Spec{spec})
				pass(5 * time.Minute)
				if got := f.left(); !slices.Equal(got, c.left) {
					t.Errorf("%v are left, want %v", got, c.left)
				}
				pass(48 * time.Hour)
				if got := f.left(); !slices.Equal(got, c.later) {
					t.Errorf("%v are left in the end, want %v", got, c.later)
				}
				if len(f.moved) != len(c.moved) {
					t.Errorf("moved %v", f.moved)
				}
				for folder, uids := range c.moved {
					if !slices.Equal(f.moved[folder], uids) {
						t.Errorf("moved %v", f.moved)
					}
				}
				if c.after.Seen && !f.mails[1].seen {
					t.Error("it is not marked as read")
				}
			})
		})
	}
}

// A poison mail is set aside after three tries with a ticket that says so, and the
// mailbox goes on.
func TestPoisonIsSetAsideAndTheMailboxGoesOn(t *testing.T) {
	for name, poison := range map[string]func(*scene){
		"the desk refuses it": func(s *scene) {
			s.desk.err = func(in ticket.Incoming) error {
				if in.Subject == "Mail 002" {
					return problem.Internal(nil, "it does not fit")
				}
				return nil
			}
		},
		"the desk panics": func(s *scene) {
			s.desk.err = func(in ticket.Incoming) error {
				if in.Subject == "Mail 002" {
					panic("poison")
				}
				return nil
			}
		},
		"the reader fails": func(s *scene) {
			s.broken = func(m inbox.Mail) error {
				if m.UID == 2 {
					return errors.New("odd")
				}
				return nil
			}
		},
		"the reader panics": func(s *scene) {
			s.broken = func(m inbox.Mail) error {
				if m.UID == 2 {
					panic("poison")
				}
				return nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			story(t, func(t *testing.T, s *scene, f *fake) {
				poison(s)
				f.put(time.Now(), letter(1), letter(2), letter(3))
				s.fleet.Setup([]Spec{f.spec("a")})
				pass(4 * time.Second)
				if got := s.fates(); got[inbox.Opened] != 2 || got[inbox.Waiting] != 1 {
					t.Fatalf("got %v", got)
				}
				pass(5 * time.Minute)
				m := s.mails()[1]
				if m.Fate != inbox.SetAside || m.Attempts != inbox.MaxAttempts || m.Ticket == "" || m.Reason == "" || s.said("mail.quarantined") != 1 {
					t.Errorf("got %+v", m)
				}
				if got := s.desk.subjects(); !slices.Contains(got, "Unreadable mail from ann2@example.org") {
					t.Errorf("got %v", got)
				}
				s.desk.mu.Lock()
				s.desk.err, s.broken = nil, nil
				s.desk.mu.Unlock()
				if _, err := s.ledger.Retry(t.Context(), access.Host, m.ID); err != nil {
					t.Fatal(err)
				}
				pass(5 * time.Second)
				if m := s.mails()[1]; m.Fate != inbox.Opened {
					t.Errorf("got %+v", m)
				}
			})
		})
	}
}

// A mail that brings the whole process down is set aside when it has done so three
// times, and the others come.
func TestMailThatKillsTheHubIsSetAside(t *testing.T) {
	story(t, func(t *testing.T, s *scene, f *fake) {
		s.stop() // a worker of our own, round by round
		f.put(time.Now(), letter(1), letter(2))
		lease, _, err := s.store.Acquire(t.Context(), "mailbox/support", "o", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithCancel(t.Context())
		o := &owner{spec: f.spec("a"), ledger: s.ledger, spool: s.spool, now: time.Now, log: s.log()}
		ended := make(chan struct{})
		go func() { defer close(ended); _ = o.run(ctx, lease) }()
		pass(time.Second)
		end()
		<-ended
		reader := &Reader{Spool: s.spool, Now: time.Now, Own: func(string) kind.Own { return kind.Own{} }}
		for n := 0; s.fates()[inbox.Waiting] > 0; n++ {
			if n > 10 {
				t.Fatalf("got %+v", s.mails())
			}
			mail, _, err := s.store.Acquire(t.Context(), "mail", "w", time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			died := false
			w := NewWorker(WorkerDeps{Ledger: s.ledger, Work: s.store, Blobs: s.store, Desk: s.desk, Read: reader.Read, Glance: reader.Glance, Now: time.Now, Log: s.log()})
			w.lease, w.wary = mail, workMails
			for !died {
				waiting, err := s.ledger.Waiting(t.Context(), 1)
				if err != nil || len(waiting) == 0 {
					break
				}
				if waiting[0].UID == 1 && waiting[0].Attempts < inbox.MaxAttempts {
					if _, err := w.brace(t.Context(), waiting[0]); err != nil {
						t.Fatal(err)
					}
					died = true
					continue
				}
				if _, err := w.round(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if got := s.fates(); got[inbox.SetAside] != 1 || got[inbox.Opened] != 1 {
			t.Errorf("got %v", got)
		}
		if m := s.mails()[0]; m.Ticket == "" || m.Attempts != inbox.MaxAttempts {
			t.Errorf("got %+v", m)
		}
	})
}

// A record that is away is nobody's fault: mails wait, and nothing is counted.
func TestRecordThatIsAwayLosesNothing(t *testing.T) {
	story(t, func(t *testing.T, s *scene, f *fake) {
		f.put(time.Now(), letter(1))
		s.fleet.Setup([]Spec{f.spec("a")})
		pass(time.Minute)
		s.store.SetAway(fmt.Errorf("away"))
		f.put(time.Now(), letter(2), letter(3))
		pass(10 * time.Minute)
		s.store.SetAway(nil)
		pass(time.Minute)
		if got := s.fates(); got[inbox.Opened] != 3 || !s.box().Well() {
			t.Errorf("got %v, %+v", got, s.box())
		}
		for _, m := range s.mails() {
			if m.Attempts != 0 {
				t.Errorf("got %+v", m)
			}
		}
	})
}

// large gives a mail with an attachment of so many bytes, encoded.
func large(bytes int) string {
	return "From: Ann <ann@example.org>\r\nSubject: Large\r\nMessage-ID: <large@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n--b\r\nContent-Type: application/octet-stream; name=log.txt\r\nContent-Disposition: attachment; filename=log.txt\r\n\r\n" +
		strings.Repeat("a line of a log that is long\r\n", bytes/30) + "--b--\r\n"
}

func TestLargeMailComesInChunks(t *testing.T) {
	story(t, func(t *testing.T, s *scene, f *fake) {
		raw := large(5 << 20)
		f.put(time.Now(), letter(1), raw, letter(2))
		spec := f.spec("a")
		s.fleet.Setup([]Spec{spec})
		pass(time.Minute)
		sum := sha256.Sum256([]byte(raw))
		m := s.mails()[1]
		if m.Fate != inbox.Opened || m.Hash != hex.EncodeToString(sum[:]) || m.Size != int64(len(raw)) {
			t.Fatalf("got %+v", m)
		}
		i := slices.IndexFunc(s.desk.got, func(in ticket.Incoming) bool { return in.Subject == "Large" })
		files := s.desk.got[i].Attachments
		if len(files) != 1 || files[0].Size < 5<<20-100 {
			t.Fatalf("got %+v", files)
		}
		if _, size, err := s.store.OpenBlob(t.Context(), files[0].Hash); err != nil || size != files[0].Size {
			t.Errorf("the attachment has %d bytes, %v", size, err)
		}
		left, err := os.ReadDir(s.spool)
		if err != nil || len(left) != 0 {
			t.Errorf("%d files are left, %v", len(left), err)
		}
	})
}

func TestMailBeyondTheLimitIsKeptInPart(t *testing.T) {
	story(t, func(t *testing.T, s *scene, f *fake) {
		f.put(time.Now(), large(3<<20))
		spec := f.spec("a")
		spec.MaxBytes, spec.After = 1<<20, After{Delete: true}
		s.fleet.Setup([]Spec{spec})
		pass(time.Minute)
		m := s.mails()[0]
		if m.Fate != inbox.Opened || m.Size != ChunkBytes || len(f.left()) != 1 {
			t.Errorf("got %+v, %v left", m, f.left())
		}
		if in := s.desk.got[0]; in.Subject != "Large" || !strings.Contains(in.Reply, "See the file") || !strings.Contains(strings.Join(in.Warnings, " "), "larger than 1 MB") {
			t.Errorf("got %+v", in.Warnings)
		}
	})
}

// A disk that is full: nothing is acknowledged, the cursor stays.
func TestFullDiskLeavesTheMailOnTheServer(t *testing.T) {
	story(t, func(t *testing.T, s *scene, f *fake) {
		if err := os.RemoveAll(s.spool); err != nil {
			t.Fatal(err)
		}
		f.put(time.Now(), letter(1), large(1<<20))
		s.fleet.Setup([]Spec{f.spec("a")})
		pass(time.Minute)
		if box := s.box(); box.Trouble != inbox.Unkept || len(s.mails()) != 0 {
			t.Errorf("got %+v", box)
		}
		if err := os.MkdirAll(s.spool, 0o700); err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if got := s.fates(); got[inbox.Opened] != 2 || !s.box().Well() {
			t.Errorf("got %v, %+v", got, s.box())
		}
	})
}
