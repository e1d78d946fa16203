package public

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	slashes "path"
	"path/filepath"
	"strings"
	"time"

	"evenkeel/internal/status"
)

// shelf keeps photographs as files, laid out so that the folder by itself is a
// website. It belongs to the goroutine that does the idle work, but for reads.
type shelf struct {
	folder string // "" = nothing is kept
	log    *slog.Logger
	stored map[string]string // path → tag of what is on disk
}

// shelfIndex is what the files cannot tell of themselves.
type shelfIndex struct {
	Fresh  time.Time              `json:"fresh"` // up to when the pages are known to be true
	Site   status.Site            `json:"site"`
	Status status.Status          `json:"status"`
	Pages  map[string]shelvedPage `json:"pages"`
}

// shelvedPage is how a file is to be served.
type shelvedPage struct {
	Kind   string `json:"kind"`
	Policy string `json:"policy,omitempty"`
	Open   bool   `json:"open,omitempty"`
	HTML   bool   `json:"html,omitempty"`
	Always bool   `json:"always,omitempty"` // it was not made on demand
	Moved  string `json:"moved,omitempty"`
}

func (k shelvedPage) sheet(body []byte) sheet {
	return sheet{body: body, kind: k.Kind, policy: k.Policy, open: k.Open, html: k.HTML, moved: k.Moved}
}

// indexName is the file of the index; it begins with a dot, so that web servers hide it.
const indexName = ".index.json"

// maxShelved bounds a file that is read back, in bytes.
const maxShelved = 64 << 20

// FileName gives the file that a path is exported to, with slashes: a page
// without an extension becomes the index of a folder. ok is false for a path
// that could leave the folder.
func FileName(path string) (name string, ok bool) {
	name = strings.TrimPrefix(path, "/")
	if base := name[strings.LastIndexByte(name, '/')+1:]; name == "" || !strings.Contains(base, ".") {
		name = strings.TrimSuffix(name, "/") + "/index.html"
	}
	name = strings.TrimPrefix(name, "/")
	clean := name == slashes.Clean(name) && !strings.HasPrefix(name, ".") && !strings.ContainsAny(name, "\x00\\")
	return name, clean && filepath.IsLocal(filepath.FromSlash(name))
}

// open reads the index; ok is false when nothing is kept.
func (s *shelf) open() (index shelfIndex, ok bool) {
	if s.folder == "" {
		return index, false
	}
	body, err := os.ReadFile(filepath.Join(s.folder, indexName))
	if err == nil {
		err = json.Unmarshal(body, &index)
	}
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.log.Warn("the kept pages cannot be read", "err", err)
		}
		return shelfIndex{}, false
	}
	return index, true
}

// read gives the bytes of a kept page.
func (s *shelf) read(path string) ([]byte, error) {
	name, ok := FileName(path)
	if !ok {
		return nil, fs.ErrNotExist
	}
	file := filepath.Join(s.folder, filepath.FromSlash(name))
	if info, err := os.Stat(file); err != nil {
		return nil, err
	} else if info.Size() > maxShelved {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, maxShelved)
	}
	return os.ReadFile(file)
}

// store writes what changed since the last time, each file whole or not at all,
// and then the index.
func (s *shelf) store(m *moment, always, kept map[string]*Photograph) {
	if s.folder == "" {
		return
	}
	if s.stored == nil {
		s.stored = map[string]string{}
	}
	index := shelfIndex{Fresh: m.fresh, Site: m.page.Site, Status: m.page.Status, Pages: make(map[string]shelvedPage, len(always)+len(kept))}
	for _, list := range []map[string]*Photograph{kept, always} {
		for path, ph := range list {
			name, ok := FileName(path)
			if !ok {
				continue
			}
			if s.stored[path] != ph.tag {
				if err := WriteWhole(filepath.Join(s.folder, filepath.FromSlash(name)), ph.Body()); err != nil {
					s.log.Warn("pages cannot be kept on disk", "path", path, "err", err)
					return // the others would not fare better
				}
				s.stored[path] = ph.tag
			}
			sh := ph.sheet()
			_, isAlways := always[path]
			index.Pages[path] = shelvedPage{Kind: sh.kind, Policy: sh.policy, Open: sh.open, HTML: sh.html, Always: isAlways, Moved: sh.moved}
		}
	}
	s.drop(index)
	body, err := json.Marshal(index)
	if err == nil {
		err = WriteWhole(filepath.Join(s.folder, indexName), body)
	}
	if err != nil {
		s.log.Warn("the index of kept pages cannot be written", "err", err)
	}
}

// drop removes the files of pages that are kept no longer: what they tell may be
// for nobody now.
func (s *shelf) drop(index shelfIndex) {
	before, _ := s.open()
	for path := range before.Pages {
		if _, still := index.Pages[path]; still {
			continue
		}
		delete(s.stored, path)
		if name, ok := FileName(path); ok {
			if err := os.Remove(filepath.Join(s.folder, filepath.FromSlash(name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
				s.log.Warn("a page that is kept no longer cannot be removed", "path", path, "err", err)
			}
		}
	}
}

// WriteWhole writes a file so that a reader sees the old one or the new one.
// It does not wait for the disk: what is lost in a power cut is rendered again.
func WriteWhole(file string, body []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // gone already when all went well
	_, err = tmp.Write(body)
	if err = errors.Join(err, tmp.Chmod(0o644), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}
