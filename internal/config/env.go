package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// envPrefix begins every variable of ours. One that we do not know is a typing
// error that would otherwise go unnoticed.
const envPrefix = "EVENKEEL_"

// fileSuffix marks the twin that names a file holding the value.
const fileSuffix = "_FILE"

// setting is one variable that overrides the file.
type setting struct {
	name string
	path string // of what it overrides
	set  func(f *File, value string)
}

// settings are the variables that override the file.
var settings = []setting{
	{"EVENKEEL_LISTEN", "listen", func(f *File, v string) { f.Listen = v }},
	{"EVENKEEL_ADMIN_LISTEN", "admin_listen", func(f *File, v string) { f.AdminListen = v }},
	{"EVENKEEL_DATA", "data", func(f *File, v string) { f.Data = v }},
	{"EVENKEEL_KEY_FILE", "key_file", func(f *File, v string) { f.KeyFile = v }},
	{"EVENKEEL_DATABASE_URL", "database.url", func(f *File, v string) { f.Database.URL = v }},
	{"EVENKEEL_REDIS_URL", "redis.url", func(f *File, v string) { f.Redis.URL = v }},
	{"EVENKEEL_BLOBS_URL", "blobs.url", func(f *File, v string) { f.Blobs.URL = v }},
}

// clientVariables tell verbs how to reach a running hub; the hub itself reads none of them.
var clientVariables = []string{"EVENKEEL_URL", "EVENKEEL_TOKEN"}

// Variables lists every environment variable we know, _FILE twins left out.
func Variables() []string {
	names := slices.Clone(clientVariables)
	for _, s := range settings {
		names = append(names, s.name)
	}
	return names
}

// Environment gives what the environment alone says, defaults of the data
// folder included: for verbs that open the database without a file. Errors: Problems.
func Environment(environ []string) (File, error) {
	f := File{Data: DefaultData}
	_, problems := overlay(&f, Options{Environ: environ, ReadFile: readLimited})
	return f, problems.err()
}

// environment is where a value in the file or a problem comes from when it is no file.
const environment = "environment"

// overlay lays the environment over the file. overridden names the variable
// behind each path that no longer holds what the file says.
func overlay(f *File, o Options) (overridden map[string]string, problems Problems) {
	overridden = map[string]string{}
	add := func(name, hint, reason string, args ...any) {
		problems = append(problems, Problem{File: environment, Path: name, Reason: fmt.Sprintf(reason, args...), Hint: hint})
	}
	for _, s := range settings {
		value, set := lookup(o.Environ, s.name)
		path, twin := lookup(o.Environ, s.name+fileSuffix)
		switch {
		case set && twin:
			add(s.name, "keep one of them", "both %s and %s are set", s.name, s.name+fileSuffix)
		case twin:
			content, err := o.ReadFile(path)
			if err != nil {
				add(s.name+fileSuffix, "", "cannot be read: %v", err)
				continue
			}
			s.set(f, strings.TrimRight(string(content), "\r\n"))
			overridden[s.path] = s.name + fileSuffix
		case set && value != "": // an empty variable is how shells and compose say "not set"
			s.set(f, value)
			overridden[s.path] = s.name
		}
	}
	known := Variables()
	for _, name := range known {
		known = append(known, name+fileSuffix)
	}
	mentioned := f.variables()
	for _, pair := range o.Environ {
		name, _, _ := strings.Cut(pair, "=")
		if strings.HasPrefix(name, envPrefix) && !slices.Contains(known, name) && !slices.Contains(mentioned, name) {
			add(name, didYouMean(name, known, "known: "+strings.Join(Variables(), ", ")+" and their _FILE twins"), "unknown variable")
		}
	}
	return overridden, problems
}

// lookup finds a variable in a list of NAME=value. The last one wins, as in a process.
func lookup(environ []string, name string) (value string, ok bool) {
	for _, pair := range environ {
		if v, found := strings.CutPrefix(pair, name); found && strings.HasPrefix(v, "=") {
			value, ok = v[1:], true
		}
	}
	return value, ok
}

// reference is ${NAME} in a value that may come from the environment: headers,
// and the environment of exec. A $ without it stands for itself.
var reference = regexp.MustCompile(`\$\{([A-Za-z_][A-Za-z0-9_]*)\}`)

// references lists the variables that a value asks for.
func references(value string) []string {
	var names []string
	for _, match := range reference.FindAllStringSubmatch(value, -1) {
		names = append(names, match[1])
	}
	return names
}
