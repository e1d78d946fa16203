// Package templates carries the html/template files inside the binary. Each
// public page is one file that fills the blocks of layout.html; those of the
// console stand in their own folder. The Go types they are given live beside the
// code that renders them.
package templates

import "embed"

// Files holds every template of the product.
//
//go:embed *.html console/*.html
var Files embed.FS
