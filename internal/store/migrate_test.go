package store

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestMigrationsInThisBinaryAreInOrder(t *testing.T) {
	steps, err := migrations(migrationFiles)
	if err != nil || len(steps) == 0 {
		t.Fatalf("got %d steps, %v", len(steps), err)
	}
}

func TestMigrationsThatAreNotInOrderAreRefused(t *testing.T) {
	good := "-- min_reader: 1\ncreate table a (id text);\n"
	for name, files := range map[string]map[string]string{
		"a gap":               {"0001_a.sql": good, "0003_b.sql": good},
		"twice the same":      {"0001_a.sql": good, "0001_b.sql": good},
		"no number":           {"first.sql": good},
		"no min_reader":       {"0001_a.sql": "create table a (id text);\n"},
		"min_reader too new":  {"0001_a.sql": "-- min_reader: 2\n"},
		"min_reader is zero":  {"0001_a.sql": "-- min_reader: 0\n"},
		"min_reader no digit": {"0001_a.sql": "-- min_reader: x\n"},
	} {
		fsys := fstest.MapFS{}
		for file, text := range files {
			fsys["migrations/"+file] = &fstest.MapFile{Data: []byte(text)}
		}
		if steps, err := migrations(fsys); err == nil {
			t.Errorf("%s: accepted as %v", name, steps)
		}
	}
}

func TestMigrationGivesEachEngineItsOwn(t *testing.T) {
	m := migration{text: "-- min_reader: 1\nboth;\n-- engine: sqlite\nlite;\n-- engine: postgres\npost;\n-- engine: all\nagain;\n"}
	for marker, want := range map[string]string{"sqlite": "both; lite; again;", "postgres": "both; post; again;"} {
		text := strings.TrimPrefix(m.forEngine(marker), "-- min_reader: 1\n")
		if got := strings.Join(strings.Fields(text), " "); got != want {
			t.Errorf("%s gets %q, want %q", marker, got, want)
		}
	}
}
