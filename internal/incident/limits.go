package incident

import "time"

// What one incident may hold. Texts are counted in characters.
const (
	MaxName       = 160
	MaxBody       = 16_000 // of one update or note
	MaxReview     = 100_000
	MaxReason     = 500
	MaxTask       = 300
	MaxLinkTitle  = 200
	MaxURL        = 2_000
	MaxComponents = 1_000 // affected by one incident
	MaxTasks      = 100
	MaxLinks      = 200
	MaxDrafts     = 20    // waiting in one incident, scheduled ones included
	MaxLines      = 2_000 // of one timeline; people write no more notes then
	MaxFacts      = 1_000 // the machine writes no more facts once a timeline has so many lines
	MaxPast       = 200   // updates of one back-filled incident

	MaxTemplates    = 200
	MaxTemplateName = 100
	MaxVariables    = 50 // values given to one template
	MaxValue        = 1_000

	// MaxPage is how many incidents one page holds, at most.
	MaxPage = 500
)

// The clock of incidents.
const (
	// UpdateEvery is when the next update is due, when nobody said when.
	UpdateEvery = 30 * time.Minute
	// DefaultPublishAfter is how long a person has before the machine publishes its
	// draft, when the component does not say.
	DefaultPublishAfter = 10 * time.Minute
	// JoinWithin is how far apart related failures begin and still are one incident.
	JoinWithin = 5 * time.Minute
	// DropAfter is how long all must be well before a suspicion that nobody saw is dropped.
	DropAfter = 5 * time.Minute
	// ResolveAfter is how long all must be well before the machine resolves what it
	// published itself.
	ResolveAfter = 10 * time.Minute
	// UndoFor is how long an update that somebody sent is held before it goes out,
	// so that they can take it back.
	UndoFor = 10 * time.Second
	// MaxAhead is how far ahead a publication can be scheduled, and an update promised.
	MaxAhead = 90 * 24 * time.Hour
	// MaxSuspicions bounds the suspected incidents at one time. Beyond it every new
	// failure within JoinWithin joins the newest: so much at once has one cause.
	MaxSuspicions = 20
)
