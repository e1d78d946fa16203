package ingest

import (
	"context"
	"errors"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-sasl"

	"evenkeel/internal/inbox"
)

// SignIn is how we prove who we are: by a password, or by tokens.
type SignIn struct {
	User      string
	Password  string
	Tokens    *Tokens // instead of a password
	Mechanism string  // xoauth2 or oauthbearer
}

// The mechanisms for tokens.
const (
	XOAUTH2     = "xoauth2"
	OAUTHBEARER = "oauthbearer"
)

// with signs in. It is the owner's to make sure that nobody listens.
func (s SignIn) with(ctx context.Context, client *imapclient.Client) error {
	if s.Tokens == nil {
		return s.withPassword(client)
	}
	token, err := s.Tokens.Access(ctx)
	if err != nil {
		return err
	}
	err = client.Authenticate(s.mechanism(token))
	if answer, ok := errors.AsType[*imap.Error](err); ok && !crowded(answer) {
		s.Tokens.Forget() // it may have been withdrawn: the next try takes a fresh one
	}
	return err
}

func (s SignIn) withPassword(client *imapclient.Client) error {
	caps := client.Caps()
	if caps.Has(imap.CapLoginDisabled) && !caps.Has(imap.AuthCap(sasl.Plain)) {
		return &Failure{Trouble: inbox.Refused, Words: "The server takes no passwords on this connection: use imaps://, or oauth"}
	}
	if caps.Has(imap.AuthCap(sasl.Plain)) {
		return client.Authenticate(sasl.NewPlainClient("", s.User, s.Password))
	}
	return client.Login(s.User, s.Password).Wait()
}

func (s SignIn) mechanism(token string) sasl.Client {
	if s.Mechanism == OAUTHBEARER {
		return sasl.NewOAuthBearerClient(&sasl.OAuthBearerOptions{Username: s.User, Token: token})
	}
	return &xoauth2{user: s.User, token: token}
}

// xoauth2 is Google's and Microsoft's older mechanism, the only one that some of
// their servers know (https://developers.google.com/workspace/gmail/imap/xoauth2-protocol).
type xoauth2 struct{ user, token string }

// Start gives the one thing the client says.
func (x *xoauth2) Start() (mechanism string, first []byte, err error) {
	return "XOAUTH2", []byte("user=" + x.user + "\x01auth=Bearer " + x.token + "\x01\x01"), nil
}

// Next answers the server's explanation of a failure with an empty line, after
// which it says no.
func (x *xoauth2) Next([]byte) ([]byte, error) { return []byte{}, nil }

// signInFailure puts a failed sign-in into words.
func (c *imapConn) signInFailure(err error) *Failure {
	f := failureOf("Signing in", c.wire.cause(err))
	if f.Refusal {
		f.Trouble = inbox.Refused
		f.Words += ". Check the user and the password or token; it is tried again in an hour, or when the configuration is reloaded"
	}
	return f
}
