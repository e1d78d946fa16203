package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Fingerprint is a hash of everything the file says about a monitor: it changes
// exactly when the monitor does. Fields left empty do not count, so a new key in
// a later version changes no fingerprint. A plain secret goes into the hash, a
// secret by env or file only by its name.
func (m Monitor) Fingerprint() string {
	sum := sha256.Sum256(canonical(nil, "", reflect.ValueOf(m)))
	return hex.EncodeToString(sum[:16])
}

// canonical appends every value that is set, under its key and with its length,
// in a fixed order: no two monitors that differ give the same bytes.
func canonical(b []byte, key string, v reflect.Value) []byte {
	if v.IsZero() && key != item {
		return b
	}
	switch v.Kind() {
	case reflect.Struct:
		b = append(b, key...)
		b = append(b, '{')
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				continue
			}
			f := v.Type().Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			b = canonical(b, cmp.Or(name, f.Name), v.Field(i))
		}
		return append(b, '}')
	case reflect.Pointer:
		b = append(b, key...)
		return canonical(b, item, v.Elem()) // set to zero is not the same as not set
	case reflect.Slice:
		b = append(b, key...)
		b = append(b, '[')
		for i := range v.Len() {
			b = canonical(b, item, v.Index(i))
		}
		return append(b, ']')
	case reflect.Map:
		b = append(b, key...)
		b = append(b, '<')
		keys := v.MapKeys()
		slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
		for _, k := range keys {
			b = strconv.AppendQuote(b, k.String())
			b = canonical(b, item, v.MapIndex(k))
		}
		return append(b, '>')
	default:
		text := v.String()
		switch {
		case v.CanInt():
			text = strconv.FormatInt(v.Int(), 10)
		case v.CanFloat():
			text = strconv.FormatFloat(v.Float(), 'g', -1, 64)
		case v.Kind() == reflect.Bool:
			text = strconv.FormatBool(v.Bool())
		}
		b = append(b, key...)
		b = append(b, '=')
		b = strconv.AppendInt(b, int64(len(text)), 10)
		b = append(b, ':')
		return append(b, text...)
	}
}

// item is the key of what has none, an entry of a list: it counts even when it is empty.
const item = "-"
