package procedure

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Signed wants people of roles to sign off, so many of each (S2-12, S4-27).
type Signed struct {
	Roles map[string]int
}

// Kind is signoff.
func (Signed) Kind() string { return "signoff" }

func (k Signed) judge(c *course) Verdict {
	said := map[string]Signoff{} // newest by person and role
	for _, s := range c.f.Signoffs {
		if s.Gate == c.gate.ID && s.About == c.f.Candidate.ID {
			said[s.By+"\x00"+s.Role] = s
		}
	}
	spoke := map[string]string{} // the role in which a person is counted
	have := map[string]int{}
	for _, key := range slices.Sorted(maps.Keys(said)) {
		s := said[key]
		switch {
		case !s.Accept:
			return failed(s.By, "Declined by "+word(s.Role)+": "+s.Why)
		case s.By == c.f.Release.Author && len(said) == 1:
			continue // nobody approves their own work alone
		case c.def.OneRoleEach && spoke[s.By] != "":
			continue
		}
		spoke[s.By] = s.Role
		have[s.Role]++
	}
	var unmet []string
	turn := ""
	for _, role := range slices.Sorted(maps.Keys(k.Roles)) {
		if missing := k.Roles[role] - have[role]; missing > 0 {
			unmet = append(unmet, fmt.Sprintf("%d more of %s", missing, word(role)))
			turn = cmp.Or(turn, role)
		}
	}
	if len(unmet) > 0 {
		return Verdict{State: Waiting, Why: "Not signed off yet: " + strings.Join(unmet, ", ") + ".", Unmet: unmet, Turn: turn}
	}
	return passed("", "Signed off by all who must.")
}

// word writes a role for people.
func word(role string) string { return strings.ReplaceAll(role, "_", " ") }

// Outside wants somebody outside to accept by a link (S0-10).
type Outside struct{ Client string }

// Kind is external.
func (Outside) Kind() string { return "external" }

func (k Outside) judge(c *course) Verdict {
	var last Signoff
	for _, s := range c.f.Signoffs {
		if s.Gate == c.gate.ID && s.About == c.f.Candidate.ID && !s.At.Before(last.At) {
			last = s
		}
	}
	switch {
	case last.By == "":
		return Verdict{State: Waiting, Why: "The client has not answered yet.", Turn: "client"}
	case !last.Accept:
		return failed(last.By, "The client declined: "+last.Why)
	}
	return passed(last.By, "The client accepted.")
}

// Voted wants a ballot to end in GO (S2-07, S2-22, S2-25).
type Voted struct {
	Roles  map[string]int // how many of each must have voted; fewer is no quorum
	Vetoes []string       // roles whose veto stands whatever the count
}

// Kind is vote.
func (Voted) Kind() string { return "vote" }

// Tally is how a ballot stands.
type Tally struct {
	Go, NoGo int
	Vetoes   []Vote   // that stand
	Current  []Vote   // one for each person and role
	Missing  []string // what the quorum lacks
}

// Outcome is how a ballot ends.
type Outcome string

// The outcomes.
const (
	OutcomeGo       Outcome = "go"
	OutcomeNoGo     Outcome = "no_go"
	OutcomeNoQuorum Outcome = "no_quorum"
)

// Outcome says how it would end now. A standing veto wins over everything.
func (t Tally) Outcome() Outcome {
	switch {
	case len(t.Vetoes) > 0:
		return OutcomeNoGo
	case len(t.Missing) > 0:
		return OutcomeNoQuorum
	case t.NoGo > 0:
		return OutcomeNoGo
	}
	return OutcomeGo
}

// Count counts a ballot. Votes cast before it opened or after it closed do not
// count, nor does a second role of the same person where one has one role.
func (k Voted) Count(b Ballot, oneRoleEach bool) Tally {
	type voter struct{ by, role string }
	last := map[voter]Vote{}
	var order []voter
	role := map[string]string{}
	for _, v := range b.Votes {
		if v.At.Before(b.Opens) || !v.At.Before(b.Closes) || !b.Closed.IsZero() && !v.At.Before(b.Closed) {
			continue
		}
		if oneRoleEach && role[v.By] != "" && role[v.By] != v.Role {
			continue
		}
		role[v.By] = v.Role
		who := voter{v.By, v.Role}
		if _, again := last[who]; !again {
			order = append(order, who)
		}
		last[who] = v
	}
	var t Tally
	have := map[string]int{}
	for _, who := range order {
		v := last[who]
		t.Current = append(t.Current, v)
		have[v.Role]++
		switch {
		case v.Word == Veto && slices.Contains(k.Vetoes, v.Role) && !slices.Contains(b.Lifted, v.ID):
			t.Vetoes = append(t.Vetoes, v)
		case v.Word == Go:
			t.Go++
		case v.Word == NoGo, v.Word == Veto && !slices.Contains(b.Lifted, v.ID): // a veto of who has none is a no
			t.NoGo++
		}
	}
	for _, r := range slices.Sorted(maps.Keys(k.Roles)) {
		if n := k.Roles[r] - have[r]; n > 0 {
			t.Missing = append(t.Missing, fmt.Sprintf("%d more of %s", n, word(r)))
		}
	}
	return t
}

func (k Voted) judge(c *course) Verdict {
	var b *Ballot
	for i := range c.f.Ballots {
		x := &c.f.Ballots[i]
		if x.Gate == c.gate.ID && x.About == c.f.Candidate.ID && (b == nil || x.Opens.After(b.Opens)) {
			b = x
		}
	}
	switch {
	case b == nil:
		return waiting("No vote is called yet.")
	case b.Skipped != "":
		return failed(b.ID, "No vote: "+b.Skipped+".")
	case c.now.Before(b.Opens):
		return Verdict{State: Waiting, Why: "The vote is not open yet.", Until: b.Opens, From: b.ID}
	}
	t := k.Count(*b, c.def.OneRoleEach)
	if len(t.Vetoes) > 0 {
		v := failed(b.ID, "Veto by "+word(t.Vetoes[0].Role)+": "+t.Vetoes[0].Why)
		v.Turn = t.Vetoes[0].Role
		return v
	}
	if b.Closed.IsZero() && c.now.Before(b.Closes) {
		v := Verdict{State: Running, Why: fmt.Sprintf("%d go, %d no-go so far.", t.Go, t.NoGo), Until: b.Closes, From: b.ID, Unmet: t.Missing}
		for _, r := range slices.Sorted(maps.Keys(k.Roles)) {
			if !slices.ContainsFunc(t.Current, func(v Vote) bool { return v.Role == r }) {
				v.Turn = r
				break
			}
		}
		return v
	}
	switch t.Outcome() {
	case OutcomeGo:
		return passed(b.ID, fmt.Sprintf("%d voted to go.", t.Go))
	case OutcomeNoQuorum:
		v := failed(b.ID, "The vote closed without a quorum: "+strings.Join(t.Missing, ", ")+".")
		v.Unmet = t.Missing
		return v
	}
	return failed(b.ID, fmt.Sprintf("%d voted to go, %d not to.", t.Go, t.NoGo))
}

// Reviewed wants every change to be approved by others than its author (S3-04).
type Reviewed struct{ Least int }

// Kind is reviewed.
func (Reviewed) Kind() string { return "reviewed" }

func (k Reviewed) judge(c *course) Verdict {
	return c.eachChange("Every change was reviewed.", func(ch Change) string {
		if ch.Reviews < max(k.Least, 1) {
			return fmt.Sprintf("%s has %d of %d reviews", name(ch), ch.Reviews, max(k.Least, 1))
		}
		return ""
	})
}

// Linted wants changes to name an issue and, where asked, to be in the approved
// set (S2-14, S2-17, S3-02).
type Linted struct {
	Issue    bool
	Approved bool
}

// Kind is lint.
func (Linted) Kind() string { return "lint" }

func (k Linted) judge(c *course) Verdict {
	return c.eachChange("Every change is accounted for.", func(ch Change) string {
		switch {
		case k.Issue && ch.Issue == "":
			return name(ch) + " names no issue"
		case k.Approved && ch.Approved == "":
			return name(ch) + " is not approved for this release"
		}
		return ""
	})
}

// name writes a change for people.
func name(ch Change) string { return cmp.Or(ch.Pull, ch.Issue, ch.Title, ch.ID) }

// eachChange wants nothing to be wrong with any change.
func (c *course) eachChange(well string, wrong func(Change) string) Verdict {
	var unmet []string
	for _, ch := range c.f.Changes {
		if why := wrong(ch); why != "" {
			unmet = append(unmet, why)
		}
	}
	switch {
	case len(c.f.Changes) == 0:
		return waiting("No change is known of this release.")
	case len(unmet) > 0:
		return Verdict{State: Failed, Why: strings.Join(unmet, "; ") + ".", Unmet: unmet}
	}
	return passed("", well)
}

// Trained wants people who act in an environment to be trained for it (S4-29).
type Trained struct {
	Topic string
	Who   func(f *Facts) []string // persons; nil = the one who does the sanity checks
}

// Kind is training.
func (Trained) Kind() string { return "training" }

func (k Trained) judge(c *course) Verdict {
	who := []string{c.f.Release.SanityOwner}
	if k.Who != nil {
		who = k.Who(c.f)
	}
	var until time.Time
	for _, person := range who {
		i := slices.IndexFunc(c.f.Trainings, func(t Training) bool {
			return t.Person == person && t.Topic == k.Topic && (t.Until.IsZero() || c.now.Before(t.Until))
		})
		if person == "" || i < 0 {
			return waiting("Whoever acts must be trained in " + k.Topic + ".")
		}
		if u := c.f.Trainings[i].Until; !u.IsZero() && (until.IsZero() || u.Before(until)) {
			until = u
		}
	}
	v := passed("", "Trained in "+k.Topic+".")
	v.Until = until
	return v
}
