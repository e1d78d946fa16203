// Package examples holds configurations to read and copy. The demo's is
// embedded, so that the binary runs it and the file stays true.
package examples

import _ "embed"

// Demo is demo.yaml.
//
//go:embed demo.yaml
var Demo string
