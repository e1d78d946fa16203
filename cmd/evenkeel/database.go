package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"evenkeel/internal/app"
	"evenkeel/internal/config"
	"evenkeel/internal/store"
)

// defaultFile is the configuration that verbs read when none is named.
const defaultFile = "evenkeel.yaml"

// databaseFlags say which database a verb opens by itself, without the hub.
type databaseFlags struct{ file, data, url *string }

// addDatabaseFlags adds them to the flags of a verb.
func addDatabaseFlags(c *command) databaseFlags {
	return databaseFlags{
		file: c.flags.String("c", "", "configuration `FILE` that names the database; "+defaultFile+" when there is one here"),
		data: c.flags.String("data", "", "data `FOLDER` with the SQLite database, instead of the configuration's"),
		url:  c.flags.String("database", "", "database `URL`, instead of the configuration's"),
	}
}

// open opens the database that the flags, the configuration file or the
// environment name, in this order. Errors: config.Problems, those of store.Open.
func (d databaseFlags) open(ctx context.Context, readOnly bool) (*store.Store, error) {
	o, err := d.options()
	if err != nil {
		return nil, err
	}
	o.ReadOnly = readOnly
	return store.Open(ctx, o)
}

// options say which database it is. Errors: config.Problems.
func (d databaseFlags) options() (store.Options, error) {
	o := store.Options{URL: *d.url, DataDir: *d.data, Log: slog.New(slog.DiscardHandler)}
	if o.URL == "" && o.DataDir == "" {
		file, err := d.configuration()
		if err != nil {
			return o, err
		}
		o.URL, o.DataDir = file.Database.URL, file.Data
	}
	return o, nil
}

// configuration reads the file, or the environment alone when no file is named
// and none is here.
func (d databaseFlags) configuration() (config.File, error) {
	name := *d.file
	if name == "" {
		name = defaultFile
	}
	file, err := app.LoadConfigForHub(name, os.Environ())
	if *d.file == "" && errors.Is(err, fs.ErrNotExist) {
		return config.Environment(os.Environ())
	}
	return file, err
}

// closeWithin bounds closing a database that a verb opened.
const closeWithin = 10 * time.Second

// closeStore closes a database that a verb opened.
func closeStore(ctx context.Context, s *store.Store) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeWithin)
	defer cancel()
	return s.Close(ctx)
}
