// Package ingest brings mail from mailboxes to the desk. An owner per mailbox
// holds its one connection and stores what it sees, raw, with the cursor; a worker
// reads what was stored, and gives each mail to the desk in one unit of work with
// its fate. Between the two stands the ledger of internal/inbox, so that a crash
// anywhere repeats work and loses none. It knows IMAP and MIME, and no SQL, no
// HTTP and no rule of the desk.
package ingest
