package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Options is what reading a configuration needs from the outside. A check that
// is nil is not made. Checks see a File with its defaults filled in.
type Options struct {
	Environ  []string                          // NAME=value, as os.Environ gives it
	ReadFile func(name string) ([]byte, error) // for secrets and certificates; nil = the file system
	// Elsewhere says that another process, with an environment of its own, will
	// run this file: variables that are not set here count as set there.
	Elsewhere bool

	Kinds        []string                                                  // the kinds of monitors there are
	CheckMonitor func(m Monitor) []Problem                                 // what only the kind knows; Path is relative to the monitor
	CheckRRule   func(rule, zone, start string, lasts time.Duration) error // recurring maintenance
	CheckCron    func(expression, zone string) error                       // heartbeat schedules
	Unseal       UnsealBy                                                  // for secrets of definitions made in the console
	CheckChannel func(f File, c Channel) []Problem                         // what only the kind of channel knows; Path is relative to the channel, or to smtp
	Roles        []string                                                  // the roles that a person can have
}

// Lookup finds a variable that the file asks for.
func (o Options) Lookup(name string) (value string, ok bool) {
	value, ok = lookup(o.Environ, name)
	if !ok && o.Elsewhere {
		return setElsewhere, true
	}
	return value, ok
}

// setElsewhere stands in for a value that another process knows. It is long
// enough to be a token.
const setElsewhere = "set-in-another-environment"

// Load reads the file at path, lays the environment over it and checks all of
// it. Relative paths in the file start at the file's folder. Errors: Problems
// when the content is wrong; a wrapped *fs.PathError when it cannot be read.
func Load(path string, o Options) (File, error) {
	src, err := readLimited(path)
	if err != nil {
		return File{}, fmt.Errorf("read the configuration: %w", err)
	}
	return Parse(path, src, o)
}

// Parse is Load for content that was read already; name is how problems call it
// and where relative paths start. Errors: Problems.
func Parse(name string, src []byte, o Options) (File, error) {
	if o.ReadFile == nil {
		o.ReadFile = readLimited
	}
	doc, problems := open(name, src)
	if problems != nil {
		return File{}, problems.err()
	}
	var f File
	problems = decode(doc, &f)
	f.anchorPaths(filepath.Dir(name))
	overridden, more := overlay(&f, o)
	problems = append(problems, more...)
	f.fill(doc)
	f.lines = linesOf(doc, &f)
	problems = append(problems, validate(&f, doc, overridden, o)...)
	if err := problems.err(); err != nil {
		return File{}, err
	}
	return f, nil
}

// readLimited reads a file of at most MaxFileBytes and one, so that a device or
// an endless pipe cannot fill the memory.
func readLimited(path string) ([]byte, error) {
	file, err := openLimited(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

// limited is an open file of which only so much is read.
type limited struct {
	io.Reader
	file *os.File
}

// Close closes the file.
func (l limited) Close() error { return l.file.Close() }

// openLimited opens a file of which at most MaxFileBytes and one can be read.
func openLimited(path string) (limited, error) {
	file, err := os.Open(path)
	if err != nil {
		return limited{}, err
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		file.Close()
		return limited{}, &fs.PathError{Op: "read", Path: path, Err: errors.New("is a folder")}
	}
	return limited{io.LimitReader(file, MaxFileBytes+1), file}, nil
}

// anchorPaths makes the relative paths of the file start at its folder, the
// default of data among them. What the environment or a flag says starts where
// the process runs.
func (f *File) anchorPaths(dir string) {
	anchor := func(path *string) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
	f.Data = cmp.Or(f.Data, DefaultData)
	anchor(&f.Data)
	anchor(&f.SMTP.CAFile)
	f.eachNoticeSecret(func(_ string, s *Secret) { anchor(&s.File) })
	for i := range f.Mailboxes {
		anchor(&f.Mailboxes[i].PasswordFile)
		anchor(&f.Mailboxes[i].CAFile)
	}
	f.eachMailSecret(func(_ string, s *Secret) { anchor(&s.File) })
	anchor(&f.KeyFile)
	anchor(&f.SignIn.OIDC.ClientSecret.File)
	f.eachMonitor(func(_ string, m *Monitor) {
		anchor(&m.BodyFile)
		anchor(&m.TLS.CAFile)
		anchor(&m.TLS.CertFile)
		anchor(&m.TLS.KeyFile)
		m.eachSecret(func(_ string, s *Secret) { anchor(&s.File) })
		if len(m.Command) > 0 && strings.ContainsRune(m.Command[0], filepath.Separator) {
			anchor(&m.Command[0])
		}
	})
}

// eachMonitor visits everything of the file that is shaped like a monitor, with
// its path.
func (f *File) eachMonitor(visit func(path string, m *Monitor)) {
	for i := range f.Monitors {
		visit("monitors["+strconv.Itoa(i)+"]", &f.Monitors[i])
	}
	for i := range f.Sentinels {
		visit("sentinels["+strconv.Itoa(i)+"]", &f.Sentinels[i])
	}
	for _, name := range sortedKeys(f.Blackbox.Modules) {
		m := f.Blackbox.Modules[name]
		visit("blackbox.modules."+name, &m)
		f.Blackbox.Modules[name] = m
	}
}

// eachSecret visits the secrets of a monitor, with their paths within it.
func (m *Monitor) eachSecret(visit func(path string, s *Secret)) {
	visit("auth.password", &m.Auth.Password)
	visit("auth.bearer", &m.Auth.Bearer)
	visit("auth.oauth2.client_secret", &m.Auth.OAuth2.ClientSecret)
	visit("token", &m.Token)
}

// eachReference visits the variables that the values of a monitor ask for, with
// the path of the value within it.
func (m *Monitor) eachReference(visit func(path, name string)) {
	for _, block := range []struct {
		key    string
		values map[string]string
	}{{"headers.", m.Headers}, {"env.", m.Env}} {
		for _, key := range sortedKeys(block.values) {
			for _, name := range references(block.values[key]) {
				visit(block.key+key, name)
			}
		}
	}
}

// variables lists the environment variables that the file itself asks for.
func (f *File) variables() []string {
	var names []string
	secret := func(_ string, s *Secret) {
		if s.Env != "" {
			names = append(names, s.Env)
		}
	}
	f.eachNoticeSecret(secret)
	f.eachMailSecret(secret)
	if s := f.SignIn.OIDC.ClientSecret; s.Env != "" {
		names = append(names, s.Env)
	}
	f.eachMonitor(func(_ string, m *Monitor) {
		m.eachSecret(func(_ string, s *Secret) {
			if s.Env != "" {
				names = append(names, s.Env)
			}
		})
		m.eachReference(func(_, name string) { names = append(names, name) })
	})
	return names
}
