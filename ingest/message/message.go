// Package message reads one mail as it came over the wire and gives what a
// person would see in it: people, subject, text, HTML, attachments, and what is
// odd about it. It walks the MIME tree once, over a buffered reader, with every
// size bounded by a named limit; attachments stream through to whoever wants
// them and are never held in memory.
//
// Bad mail is not an error: whatever cannot be understood is kept as near to
// what it says as can be, with a warning. The package knows no mailbox, no
// ticket and no database.
package message

import (
	"io"
	"time"
)

// Message is one mail, read. Every string is valid UTF-8 without NUL, whatever
// the mail holds.
type Message struct {
	Subject string
	From    []Address
	Sender  []Address
	To      []Address
	Cc      []Address
	ReplyTo []Address
	// Date is what the mail says, in UTC; zero when it says nothing readable.
	Date time.Time
	// MessageID, InReplyTo and References are without angle brackets; References
	// run from the root of the thread to the parent.
	MessageID  string
	InReplyTo  string
	References []string

	// Text is what there is to read: the plain text parts, else text made from
	// the HTML. Lines end with \n.
	Text string
	// HTML is the HTML part, decoded, as sent: nothing in it is safe to show.
	HTML string
	// ReplyText, Quoted and Signature are Text without, and what was taken off,
	// by package quote.
	ReplyText string
	Quoted    string
	Signature string

	Attachments []Attachment
	// Nested are the mails within the mail: forwarded as an attachment, or
	// returned by a server.
	Nested []Nested
	// Reports are the machine-readable parts of RFC 3464, 5965 and 8098.
	Reports  []Report
	Calendar []Calendar
	// Signed and Encrypted say by what: "smime", "pgp", or "" for not. Nothing
	// is verified or decrypted.
	Signed    string
	Encrypted string

	// Header is the header of the mail itself.
	Header Header
	// Type is the media type of the whole mail, lower case.
	Type string
	// ReportType is the report-type of a multipart/report, lower case.
	ReportType string

	// Size is how many bytes were read.
	Size int64
	// Parts is how many leaves the mail has.
	Parts int
	// TextCut and HTMLCut say that a limit ended Text or HTML early; the rest is
	// in the raw mail alone.
	TextCut, HTMLCut bool
	// Warnings say what was odd, for staff, in the order in which it was met.
	Warnings []string
}

// Address is one mailbox of RFC 5322 section 3.4.
type Address struct {
	Name    string
	Address string // as written; "" when there is only a name
}

// Attachment is what came with a mail beside its text.
type Attachment struct {
	Name      string // safe as a file name, "" when the mail gives none
	Type      string // media type, lower case
	Size      int64  // bytes after decoding
	SHA256    string // of the decoded bytes, hex
	Inline    bool   // shown within the text
	ContentID string // without angle brackets; HTML refers to it as cid:
	Part      string // where it stands, "2.1": the numbering of IMAP
}

// Nested is the gist of a mail within the mail.
type Nested struct {
	Part      string
	Subject   string
	From      []Address
	To        []Address
	Date      time.Time
	MessageID string
	InReplyTo string
	Text      string // the beginning of it
	Header    Header
}

// Report is one machine-readable part: the media type and its groups of
// fields, the first about the message, each other about one recipient.
type Report struct {
	Type   string // "message/delivery-status", "message/feedback-report", …
	Groups []Header
}

// Calendar is one invitation, answer or cancellation of RFC 5546.
type Calendar struct {
	Method  string // upper case: REQUEST, REPLY, CANCEL, COUNTER, PUBLISH; "" when not said
	Summary string
	UID     string
	Text    string // the object itself, as sent
}

// Meta is what is known of an attachment before its bytes come.
type Meta struct {
	Name      string
	Type      string
	Inline    bool
	ContentID string
	Part      string
}

// Options say how a mail is read. The zero value is fit for use.
type Options struct {
	// Limits bound what is kept; fields that are zero take their defaults.
	Limits Limits
	// Attachment opens where the bytes of an attachment go; they are written as
	// they are decoded, and the writer is closed at the end of the part. With a
	// nil writer, or a nil function, the bytes are hashed and counted only. An
	// error of it, of Write or of Close ends the reading.
	Attachment func(Meta) (io.WriteCloser, error)
	// Now is the time of reading: a Date far after it gets a warning. Zero asks
	// for no such warning.
	Now time.Time
}

// Limits bound what one mail may cost. What is beyond them is still in the raw
// mail; the message says that it was cut.
type Limits struct {
	Header      int // bytes of the header of the mail
	PartHeader  int // bytes of the header of a part
	Field       int // bytes of one header field that are read
	Subject     int // bytes of the decoded subject
	Addresses   int // in one field
	References  int
	Parts       int // leaves that are recorded
	Depth       int // of multiparts within multiparts
	Text        int // bytes of text
	HTML        int // bytes of HTML
	Report      int // bytes of one machine-readable or calendar part
	Nested      int // bytes of a mail within the mail that are read
	NestedDepth int // mails within mails
	Name        int // bytes of an attachment's name
}

// DefaultLimits are generous for people and tight for poison.
var DefaultLimits = Limits{
	Header:      256 << 10,
	PartHeader:  64 << 10,
	Field:       64 << 10,
	Subject:     2 << 10,
	Addresses:   500,
	References:  200,
	Parts:       1000,
	Depth:       100,
	Text:        1 << 20,
	HTML:        2 << 20,
	Report:      128 << 10,
	Nested:      128 << 10,
	NestedDepth: 3,
	Name:        200,
}

// or gives the limits with defaults in place of zeros.
func (l Limits) or(d Limits) Limits {
	for _, f := range []struct{ have, want *int }{
		{&l.Header, &d.Header}, {&l.PartHeader, &d.PartHeader}, {&l.Field, &d.Field}, {&l.Subject, &d.Subject},
		{&l.Addresses, &d.Addresses}, {&l.References, &d.References}, {&l.Parts, &d.Parts}, {&l.Depth, &d.Depth},
		{&l.Text, &d.Text}, {&l.HTML, &d.HTML}, {&l.Report, &d.Report}, {&l.Nested, &d.Nested},
		{&l.NestedDepth, &d.NestedDepth}, {&l.Name, &d.Name},
	} {
		if *f.have <= 0 {
			*f.have = *f.want
		}
	}
	return l
}
