// Package templates carries the html/template files inside the binary. Each
// page is one file that fills the blocks of layout.html; the Go types they are
// given live beside the code that renders them.
package templates

import "embed"

// Files holds every template of the product.
//
//go:embed *.html
var Files embed.FS
