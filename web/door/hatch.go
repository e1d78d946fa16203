package door

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"evenkeel/internal/people"
	"evenkeel/internal/problem"
)

// HatchPath is where a running hub takes errands of the command line, on its
// admin listener.
const HatchPath = "/admin/errand"

const (
	hatchFile   = "hub.json" // in the data folder, for its owner alone
	hatchWithin = 30 * time.Second
	maxErrand   = 64 << 10 // bytes
)

// Hatch is the way in for evenkeel admin while a hub has the database to
// itself: whoever can read the hub's data folder is the host. The admin
// listener may be open to others, so the folder holds a secret that lasts as
// long as the process.
type Hatch struct {
	path   string
	secret string
	clerk  func() (people.Clerk, bool)
}

// NewHatch makes the hatch of the hub whose data stand in folder. clerk is asked
// at each errand; false while the record is not there.
func NewHatch(folder string, clerk func() (people.Clerk, bool)) *Hatch {
	return &Hatch{path: filepath.Join(folder, hatchFile), secret: rand.Text(), clerk: clerk}
}

// notice is what the file holds.
type notice struct {
	Address string `json:"address"` // of the admin listener
	Secret  string `json:"secret"`
}

// Open tells the command line where the hatch is: on the admin listener at
// host:port. Errors: Unavailable.
func (h *Hatch) Open(listener string) error {
	host, port, err := net.SplitHostPort(listener)
	if err != nil {
		return problem.Invalid("admin_listen", "%q is no address.", listener)
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost" // it listens everywhere, so here too
	}
	text, err := json.Marshal(notice{"http://" + net.JoinHostPort(host, port), h.secret})
	if err == nil {
		err = os.Remove(h.path) // what a hub left behind that was killed may have other rights
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err == nil {
		err = os.WriteFile(h.path, append(text, '\n'), 0o600)
	}
	if err != nil {
		return problem.Unavailable(err, "The file %s cannot be written; check the folder and its permissions.", h.path)
	}
	return nil
}

// Close takes the file away, so that nobody looks for a hub that has ended.
func (h *Hatch) Close() error {
	err := os.Remove(h.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// outcome is the answer to an errand.
type outcome struct {
	Done  *people.Done `json:"done,omitempty"`
	Kind  problem.Kind `json:"kind,omitempty"` // of the error
	Field string       `json:"field,omitempty"`
	Error string       `json:"error,omitempty"`
}

// ServeHTTP does one errand.
func (h *Hatch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+h.secret)) != 1 {
		http.Error(w, "This is for evenkeel admin on the hub's own machine.", http.StatusUnauthorized)
		return
	}
	var e people.Errand
	var out outcome
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxErrand)).Decode(&e)
	if err != nil {
		err = problem.Invalid("", "The errand cannot be read.")
	} else if clerk, there := h.clerk(); !there {
		err = problem.Unavailable(nil, "The hub is still starting; try again in a moment.")
	} else {
		var done people.Done
		if done, err = clerk.Do(r.Context(), e); err == nil {
			out.Done = &done
		}
	}
	if err != nil {
		out.Kind, out.Error = problem.KindOf(err), problem.Public(err)
		if one, ok := errors.AsType[*problem.Error](err); ok {
			out.Field = one.Field
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(out) // whoever hung up does not want it
}

// ThroughHatch has a running hub do an errand. there is false when no hub
// answers for the folder. Errors: those of people.Clerk; Unavailable.
func ThroughHatch(ctx context.Context, folder string, e people.Errand) (done people.Done, there bool, err error) {
	text, err := os.ReadFile(filepath.Join(folder, hatchFile))
	if errors.Is(err, fs.ErrNotExist) {
		return done, false, nil
	}
	var n notice
	if err == nil {
		err = json.Unmarshal(text, &n)
	}
	if err != nil {
		return done, false, problem.Unavailable(err, "The running hub cannot be asked: %s cannot be read. Are you its user?", filepath.Join(folder, hatchFile))
	}
	body, err := json.Marshal(e)
	if err != nil {
		return done, false, problem.Internal(err, "The errand cannot be written.")
	}
	ctx, cancel := context.WithTimeout(ctx, hatchWithin)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, n.Address+HatchPath, bytes.NewReader(body))
	if err != nil {
		return done, false, problem.Unavailable(err, "The running hub cannot be asked.")
	}
	r.Header.Set("Authorization", "Bearer "+n.Secret)
	r.Header.Set("Content-Type", "application/json")
	client := &http.Client{Transport: &http.Transport{Proxy: nil}} // the hub is on this machine
	resp, err := client.Do(r)
	if err != nil {
		return done, false, nil // a hub that was killed left its file behind
	}
	defer resp.Body.Close()
	var out outcome
	if err := json.NewDecoder(io.LimitReader(resp.Body, 16<<20)).Decode(&out); err != nil || resp.StatusCode != http.StatusOK {
		return done, false, nil // something else listens there now
	}
	if out.Done == nil {
		return done, true, &problem.Error{Kind: out.Kind, Field: out.Field, Msg: out.Error}
	}
	return *out.Done, true, nil
}
