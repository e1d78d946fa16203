// Package telemetry is how the hub is watched from outside: its log, its
// metrics registry, the named health checks behind /readyz, and the admin
// listener that serves them. It is a leaf: it knows no wing, no store and no
// configuration, only what they tell it.
package telemetry

import (
	"io"
	"log/slog"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// NewLogger makes the process's logger. level is debug, info, warn or error;
// anything else is info. format is json or text; "" is text at a terminal and
// json elsewhere. Passwords in URLs are blotted out wherever they turn up.
func NewLogger(w io.Writer, level, format string) *slog.Logger {
	var v slog.LevelVar
	v.Set(parseLevel(level))
	options := &slog.HandlerOptions{Level: &v, ReplaceAttr: written}
	var h slog.Handler = slog.NewJSONHandler(w, options)
	if format == "text" || format == "" && terminal(w) {
		h = slog.NewTextHandler(w, options)
	}
	return slog.New(leveled{h, &v})
}

// SetLevel changes the level of a logger that NewLogger made, and of every
// logger derived from it. Other loggers are left alone.
func SetLevel(log *slog.Logger, level string) {
	if h, ok := log.Handler().(leveled); ok {
		h.level.Set(parseLevel(level))
	}
}

// Level gives the level of a logger that NewLogger made, else "info".
func Level(log *slog.Logger) string {
	if h, ok := log.Handler().(leveled); ok {
		return strings.ToLower(h.level.Level().String())
	}
	return "info"
}

// parseLevel reads debug, info, warn or error; the configuration has refused
// everything else.
func parseLevel(word string) slog.Level {
	var l slog.Level
	if err := l.UnmarshalText([]byte(word)); err != nil {
		return slog.LevelInfo
	}
	return l
}

// leveled is a handler that still knows the variable behind its level.
type leveled struct {
	slog.Handler
	level *slog.LevelVar
}

// WithAttrs keeps the level variable.
func (h leveled) WithAttrs(attrs []slog.Attr) slog.Handler {
	return leveled{h.Handler.WithAttrs(attrs), h.level}
}

// WithGroup keeps the level variable.
func (h leveled) WithGroup(name string) slog.Handler {
	return leveled{h.Handler.WithGroup(name), h.level}
}

// terminal reports whether w is a terminal, or another device a person looks at.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// userinfo is the name and password of a URL inside a longer text.
var userinfo = regexp.MustCompile(`://[^/\s"'@]*:[^/\s"']*@`)

// written makes an attribute fit to be read: durations with their unit, in JSON
// too, and no passwords.
func written(groups []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
		return a
	}
	return blot(groups, a)
}

// blot takes passwords of URLs out of an attribute: errors of drivers quote
// the whole address they were given.
func blot(_ []string, a slog.Attr) slog.Attr {
	text := ""
	switch v := a.Value.Any().(type) {
	case string:
		text = v
	case error:
		text = v.Error()
	case *url.URL:
		if v == nil {
			return a
		}
		text = v.String()
	default:
		return a
	}
	if strings.Contains(text, "://") && strings.ContainsRune(text, '@') {
		a.Value = slog.StringValue(userinfo.ReplaceAllString(text, "://redacted@"))
	}
	return a
}
