package config

import "time"

// The limits of a configuration file. They are far above any real one and keep
// a wrong or hostile file from exhausting the hub that reads it.
const (
	MaxFileBytes   = 16 << 20  // bytes of the whole file
	MaxDepth       = 32        // levels of nesting, aliases followed
	MaxValues      = 2_000_000 // keys and values, aliases and merges expanded
	MaxComponents  = 10_000
	MaxGroups      = 1_000
	MaxAliases     = 100 // other names of one component
	MaxMonitors    = 50_000
	MaxSentinels   = 20
	MaxWindows     = 1_000
	MaxLocations   = 100
	MaxID          = 64     // bytes of an id
	MaxName        = 120    // characters of a name or title
	MaxText        = 4_000  // characters of a description or sentence
	MaxURL         = 2_048  // bytes of a URL
	MaxPattern     = 1_000  // bytes of a regular expression
	MaxSecretBytes = 64_000 // bytes of a secret file

	MinInterval = Duration(time.Second)
	MaxInterval = Duration(24 * time.Hour)
	MaxSamples  = Duration(48 * time.Hour) // raw latency lives in hour keys that expire
)
