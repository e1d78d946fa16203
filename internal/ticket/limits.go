package ticket

import "time"

// The limits of what one ticket holds. What comes from outside is cut to them,
// with a word about it; what staff write is refused beyond them.
const (
	MaxSubject     = 300       // characters
	MaxText        = 512 << 10 // bytes of plain text that comes in
	MaxHTML        = 2 << 20   // bytes
	MaxAnswer      = 50_000    // characters that staff write
	MaxName        = 120       // characters of somebody's name
	MaxAddress     = 254       // bytes (RFC 5321 section 4.5.3.1.3)
	MaxAddresses   = 100       // of one list of a message
	MaxAnswerFiles = 20        // of one that staff write
	MaxFileSize    = 10 << 20  // bytes of one of those
	MaxReferences  = 64        // Message-IDs that are looked up for a mail
	MaxMessageID   = 500       // bytes of one
	MaxMessages    = 2_000     // of one ticket; what comes then opens another
	MaxTags        = 30
	MaxTag         = 40 // characters
	MaxFields      = 40
	MaxField       = 500 // characters of a value
	MaxComponents  = 20
	MaxMentions    = 20
	MaxNotes       = 4_000 // characters about a requester
	MaxOthers      = 20    // further addresses of a requester
	MaxBulk        = 500   // tickets of one act
	MaxViews       = 200
	MaxReplies     = 500
	MaxQuery       = 500 // characters of a search
	MaxTerms       = 20  // words and phrases of a search
)

// How long things take.
const (
	// UndoFor is how long an answer waits so that it can be taken back.
	UndoFor = 10 * time.Second
	// MaxSendAhead is how far ahead an answer can be scheduled.
	MaxSendAhead = 90 * 24 * time.Hour
	// MaxSnooze is how long a ticket can be out of sight.
	MaxSnooze = 366 * 24 * time.Hour
	// BulkKept is how long an act on many tickets can be taken back.
	BulkKept = 24 * time.Hour
	// WritingFor is how long somebody counts as writing after they last did.
	WritingFor = 20 * time.Second
	// LookingFor is the same for who has it on the screen.
	LookingFor = 60 * time.Second
)

// Automatic answers (RFC 3834): these bound what one sender, one domain and the
// whole house can be made to send within acknowledgedWithin.
const (
	acknowledgedWithin    = time.Hour
	acknowledgedRequester = 3
	acknowledgedDomain    = 20
	acknowledgedAll       = 600
)
