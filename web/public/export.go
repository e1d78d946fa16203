package public

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// Export writes every public page, feed, badge and JSON answer of a model into
// a folder that any web server can serve, and tells how many files those are.
// Each page says when the copy was made and where the page itself is. Files of
// an earlier export that are no longer public are removed; whatever else stands
// in the folder stays. Errors: Unavailable, Internal.
func Export(ctx context.Context, m Model, now time.Time, folder string) (files int, err error) {
	page := m.Page(now.UTC().Truncate(time.Minute))
	sheets, err := everySheet(ctx, m, page)
	if err != nil {
		return 0, err
	}
	out := shelf{folder: folder, log: slog.New(slog.DiscardHandler)}
	before, _ := out.open()
	notice := CopyNotice(now, page.Site.URL)
	index := shelfIndex{Fresh: now.UTC(), Site: page.Site, Status: page.Status, Pages: make(map[string]shelvedPage, len(sheets))}
	for _, path := range slices.Sorted(maps.Keys(sheets)) {
		s := sheets[path]
		if s.html {
			s.body = Stamp(s.body, notice)
		}
		name, ok := FileName(path)
		if !ok {
			return 0, problem.Internal(nil, "the path %s is no file name", path)
		}
		if err := WriteWhole(filepath.Join(folder, filepath.FromSlash(name)), s.body); err != nil {
			return 0, problem.Unavailable(err, "The page cannot be written to %s.", folder)
		}
		index.Pages[path] = shelvedPage{Kind: s.kind, Policy: s.policy, Open: s.open, HTML: s.html}
	}
	for path := range before.Pages {
		if _, still := index.Pages[path]; still {
			continue
		}
		name, ok := FileName(path)
		if !ok {
			continue
		}
		if err := os.Remove(filepath.Join(folder, filepath.FromSlash(name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, problem.Unavailable(err, "A page that is no longer public cannot be removed from %s.", folder)
		}
	}
	body, err := json.Marshal(index)
	if err != nil {
		return 0, problem.Internal(err, "the index of the exported pages cannot be written down")
	}
	if err := WriteWhole(filepath.Join(folder, indexName), body); err != nil {
		return 0, problem.Unavailable(err, "The index cannot be written to %s.", folder)
	}
	return len(sheets), nil
}

// everySheet renders what is always ready and every page that is made on demand.
func everySheet(ctx context.Context, m Model, page *status.Page) (map[string]sheet, error) {
	p := &Photographer{stage: newStage(nil)}
	p.rows.stage = p.stage
	p.source.Store(&source{model: m})
	sheets, err := p.sheets(page)
	if err != nil {
		return nil, err
	}
	for _, path := range onDemandPaths(page) {
		if sheets[path], err = p.onDemand(ctx, path, &moment{page: page}); err != nil {
			return nil, fmt.Errorf("make %s: %w", path, err)
		}
	}
	return sheets, nil
}

// onDemandPaths lists every page there is beyond those that are always ready.
func onDemandPaths(page *status.Page) []string {
	paths := []string{"/history", historyYearPath, "/uptime", "/subscribe"}
	for _, g := range page.Groups {
		for _, c := range g.Components {
			paths = append(paths, "/components/"+c.ID, "/badge/"+c.ID+".svg")
		}
	}
	for _, i := range page.Recent {
		paths = append(paths, incidentPath(i.ID), "/api/v2"+incidentPath(i.ID)+".json")
	}
	for _, list := range [][]status.Occurrence{page.Current, page.Ahead, page.Finished} {
		for _, o := range list {
			paths = append(paths, "/maintenance/"+o.ID, "/maintenance/"+o.ID+".ics")
		}
	}
	return paths
}
