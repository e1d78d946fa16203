// Package cluster finds out which of many letters speak of one outage. It reads
// what people wrote, in whatever language, for three things: that something
// fails, what it is that fails, and what they have in common: error codes,
// addresses, words. It is pure: the same letters give the same answer, every
// answer comes with its reasons, and it knows no mail, no store and no clock.
package cluster

import (
	"math"
	"time"
)

// Text is what one person wrote.
type Text struct {
	ID      string // whatever the caller finds it by
	Subject string
	Body    string // without what was quoted and signed
	Sender  string // address; letters of one sender count once
	At      time.Time
	// Automatic says why no person wrote it (auto_reply, list, bounce, …); "" = a
	// person did.
	Automatic string
	// Chosen are keys of components that the sender named by choice, Subscribed
	// those that the sender follows: a hint, no more.
	Chosen, Subscribed []string
}

// Component is something that letters may be about.
type Component struct {
	Key     string
	Name    string
	Aliases []string // what else people call it, its id among them
}

// Outage is what several people seem to write about.
type Outage struct {
	Component string // key; "" when it is none that is known
	Topic     string // what it is about: the component's name, else a plain word such as "login"
	Words     []string
	Members   []Member // oldest first
	Senders   int      // different ones
	Since     time.Time
	Until     time.Time
	Reason    string // in one sentence
}

// Member is one letter of an outage, and why.
type Member struct {
	ID      string
	Score   float64 // 0 to 1
	Reasons []string
}

// Left is one letter that belongs to no outage, and why.
type Left struct {
	ID     string
	Reason string
}

// Result is what was found: every letter is in exactly one place.
type Result struct {
	Outages []Outage // largest first
	LeftOut []Left   // in the order given
}

const (
	// AtLeast is how many different senders make an outage.
	AtLeast = 3
	// Within is the longest pause between two letters about one outage.
	Within = 90 * time.Minute
	// unlikely is how rarely as many letters may come by chance before they count
	// as more than usual.
	unlikely = 0.01
)

// Unusual reports whether n letters are more than chance makes of a usual number
// of them in the same stretch of time: the chance of as many or more (Poisson) is
// below one in a hundred.
func Unusual(n int, usual float64) bool {
	if usual <= 0 {
		return n > 0
	}
	term := math.Exp(-usual)
	below := 0.0 // chance of fewer than n
	for k := range n {
		below += term
		term *= usual / float64(k+1)
	}
	return 1-below < unlikely
}
