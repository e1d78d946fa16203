package config

import "log/slog"

// Given reports whether the file names a secret at all.
func (s Secret) Given() bool { return s != Secret{} }

// String says where the secret comes from, never what it is.
func (s Secret) String() string {
	switch {
	case s.Env != "":
		return "environment variable " + s.Env
	case s.File != "":
		return "file " + s.File
	case s.Plain != "", s.Sealed != "":
		return "redacted"
	default:
		return ""
	}
}

// GoString is String, so that %#v shows no secret either.
func (s Secret) GoString() string { return s.String() }

// LogValue is String, so that no log line shows a secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is String, so that no JSON shows a secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
