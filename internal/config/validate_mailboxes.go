package config

import (
	"slices"
	"strings"
	"time"

	"evenkeel/internal/problem"
)

// The limits of what is said about mailboxes.
const (
	MaxMailboxes   = 100
	MaxTriggers    = 100 // of one mailbox
	MaxMailBytes   = 1 << 30
	MinMailBytes   = 64 << 10
	MaxFolderBytes = 500
	MaxMailWait    = Duration(366 * 24 * time.Hour)
)

// mailboxes checks where mail is read.
func (c *checker) mailboxes() {
	f, s := c.f, c.at("")
	if n := len(f.Mailboxes); n > MaxMailboxes {
		s.add("mailboxes", "", "%d mailboxes are more than the %d that are allowed", n, MaxMailboxes)
		return
	}
	s.oneOf("answers", f.Answers, AnswersReview, AnswersAuto)
	f.eachMailSecret(func(path string, from *Secret) {
		if from.Given() {
			s.secret(path, *from)
		}
	})
	names := map[string]bool{}
	for i, m := range f.Mailboxes {
		at := s.in("mailboxes", i)
		switch {
		case m.Name == "":
			at.add(".name", "lower-case letters, digits and dashes, e.g. support", "a mailbox needs a name")
		case names[m.Name]:
			at.add(".name", "names are unique", "the name %s is taken already", clip(m.Name))
		default:
			at.idOK(".name", m.Name)
		}
		names[m.Name] = true
		at.mailServer(m)
		at.mailKept(m)
		at.mailTriggers(m)
	}
}

// said adds what a reader of one value says about it.
func (s spot) said(key string, err error) {
	if err != nil {
		s.add(key, "", "%s", problem.Public(err))
	}
}

// mailServer checks where a mailbox is and how we sign in.
func (s spot) mailServer(m Mailbox) {
	if !m.URL.Given() {
		s.add(".url", "e.g. imaps://support%40example.org@mail.example.org/INBOX", "where is the mailbox?")
	}
	server := MailServer{}
	if m.URL.Plain != "" {
		var err error
		server, err = ParseMailURL(m.URL.Plain)
		s.said(".url", err)
		if len(server.Folder) > MaxFolderBytes {
			s.add(".url", "", "the folder's name is longer than %d bytes", MaxFolderBytes)
		}
	}
	if m.PasswordFile != "" && m.Password != (Secret{File: m.PasswordFile}) {
		s.add(".password_file", "keep one of them", "both password and password_file are given")
	}
	switch password := m.Password.Given() || server.Password != ""; {
	case m.OAuth.Given() && password:
		s.add(".oauth", "keep one of them", "both a password and oauth are given")
	case m.OAuth.Given():
		s.oauthMail(m.OAuth)
	case server.User != "" && !password:
		s.add("", "password_file: PATH, password: {env: NAME}, or oauth: {…}", "how do we sign in?")
	}
	s.mailbox(".from", m.From)
	if len(m.Addresses) > MaxTargets {
		s.add(".addresses", "", "%d are more than the %d that are allowed", len(m.Addresses), MaxTargets)
		return
	}
	for i, address := range m.Addresses {
		s.in(".addresses", i).personAddress("", address)
	}
}

func (s spot) oauthMail(o OAuthMail) {
	if o.Provider != "" {
		s.oneOf(".oauth.provider", o.Provider, sortedKeys(oauthPresets)...)
	}
	if o.TokenURL == "" {
		s.add(".oauth.token_url", "or provider: google or microsoft", "where are tokens had?")
	}
	s.webURL(".oauth.token_url", o.TokenURL)
	if o.ClientID == "" {
		s.add(".oauth.client_id", "as the provider's console shows it", "tokens are given to a known client only")
	}
	if !o.RefreshToken.Given() {
		s.add(".oauth.refresh_token", "the one that the provider gave when somebody consented", "without it no token can be had")
	}
	s.oneOf(".oauth.mechanism", o.Mechanism, "xoauth2", "oauthbearer")
}

// mailKept checks what is fetched and what happens to it afterwards.
func (s spot) mailKept(m Mailbox) {
	_, _, err := ParseSince(m.Since)
	s.said(".since", err)
	_, folder, wait, err := ParseAfter(m.After)
	s.said(".after", err)
	s.atMost(".after", Duration(wait), MaxMailWait)
	for key, name := range map[string]string{".after": folder, ".spam_folder": m.Spam, ".failed_folder": m.Failures} {
		if len(name) > MaxFolderBytes || strings.ContainsAny(name, "\r\n\x00") {
			s.add(key, "", "this is no name of a folder")
		}
	}
	if m.MaxBytes < MinMailBytes || m.MaxBytes > MaxMailBytes {
		s.add(".max_bytes", "a number of bytes", "%d is not between %d and %d", m.MaxBytes, MinMailBytes, MaxMailBytes)
	}
	s.atMost(".poll", m.Poll, MaxInterval)
	s.oneLine(".authserv_id", m.AuthServID, MaxName)
}

func (s spot) mailTriggers(m Mailbox) {
	if len(m.Automation) > MaxTriggers {
		s.add(".automation", "", "%d are more than the %d that are allowed", len(m.Automation), MaxTriggers)
		return
	}
	for i, t := range m.Automation {
		at := s.in(".automation", i)
		at.personAddress(".to", t.To)
		at.isComponent(".component", t.Component)
		if len(t.From) == 0 || len(t.From) > MaxTargets {
			at.add(".from", "addresses of the machines that write", "who may move it? name 1 to %d", MaxTargets)
		}
		for j, address := range t.From {
			at.in(".from", j).personAddress("", address)
		}
		if m.AuthServID == "" {
			s.add(".authserv_id", "the name that your mail server writes into Authentication-Results", "senders that move components must be proven")
		}
		if slices.ContainsFunc(m.Automation[:i], func(o MailTrigger) bool { return strings.EqualFold(o.To, t.To) }) {
			at.add(".to", "one component for each", "%s is named twice", clip(t.To))
		}
	}
}
