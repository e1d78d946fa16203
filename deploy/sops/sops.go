// Package sops holds five written operating procedures as files that the hub
// plays: copy one, change the roles, times and gates to yours, and name it under
// procedures in evenkeel.yaml.
package sops

import "embed"

// Files are the procedures, one file each.
//
//go:embed *.yaml
var Files embed.FS
