package config

import _ "embed"

// starter is the commented file that evenkeel init writes.
//
//go:embed starter.yaml
var starter []byte

// Starter gives the commented starter file. It is valid and runs as it is.
func Starter() []byte { return append([]byte(nil), starter...) }
