package message

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// cleanName makes an attachment's name safe to show and to save under: no
// path, no control or direction-changing characters, no name that a system
// keeps for itself, at most so many bytes with the ending kept.
func cleanName(name string, most int) string {
	name = clean(name)
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsControl(r), unicode.In(r, unicode.Bidi_Control), r == 0x200b, r == 0xfeff, r == 0x2028, r == 0x2029:
			return -1
		case strings.ContainsRune(`<>:"|?*`, r):
			return '_'
		}
		return r
	}, name)
	name = strings.TrimRight(strings.TrimSpace(name), ". ")
	if strings.Trim(name, ".") == "" {
		return ""
	}
	if len(name) > most {
		ending := ""
		if i := strings.LastIndexByte(name, '.'); i > 0 && len(name)-i <= 10 {
			ending = name[i:]
		}
		keep := most - len(ending)
		for keep > 0 && !utf8.RuneStart(name[keep]) {
			keep--
		}
		name = name[:keep] + ending
	}
	return name
}
