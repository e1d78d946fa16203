package console

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"evenkeel/web/door"
)

// Said is what was just done, shown once on the next page, with the way back
// where there is one. Its words are shown to the person who acted and nobody else.
type Said struct {
	Text  string            `json:"text"`
	Undo  string            `json:"undo,omitempty"`  // path of the form that takes it back
	With  map[string]string `json:"with,omitempty"`  // what that form posts
	Bad   bool              `json:"bad,omitempty"`   // it did not go as asked
	Stays int               `json:"stays,omitempty"` // seconds; 0 = ten
}

// For is how many seconds it stands.
func (s *Said) For() int {
	if s.Stays > 0 {
		return s.Stays
	}
	return 10
}

// saidCookie carries a Said to the page after the form.
const saidCookie = "evenkeel-said"

// maxSaid bounds the cookie, in bytes.
const maxSaid = 2048

func (c *Console) keepSaid(w http.ResponseWriter, r *http.Request, s Said) {
	text, err := json.Marshal(s)
	if err != nil || len(text) > maxSaid {
		return // strings always marshal; what is too long is better left unsaid than cut
	}
	http.SetCookie(w, &http.Cookie{
		Name: saidCookie, Value: base64.RawURLEncoding.EncodeToString(text), Path: "/console/", MaxAge: 60,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: c.secure(r),
	})
}

// secure reports whether the browser's connection is encrypted, by the word of a
// trusted proxy too: cookies are then bound to it.
func (c *Console) secure(r *http.Request) bool {
	if c.deps.Doors.Door != nil {
		return c.deps.Doors.Door.Secure(r)
	}
	return r.TLS != nil
}

// takeSaid reads what is to be said and forgets it.
func (c *Console) takeSaid(w http.ResponseWriter, r *http.Request) *Said {
	cookie, err := r.Cookie(saidCookie)
	if err != nil {
		return nil
	}
	http.SetCookie(w, &http.Cookie{Name: saidCookie, Path: "/console/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: c.secure(r)})
	text, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(text) > maxSaid {
		return nil
	}
	var s Said
	if json.Unmarshal(text, &s) != nil || s.Text == "" {
		return nil
	}
	if s.Undo != "" && door.LocalPage(s.Undo) != s.Undo {
		s.Undo = ""
	}
	return &s
}
