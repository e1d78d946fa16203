// Package floorplan is the floor plan of docs/architecture.md as a test: which
// rooms there are, who may import whom, where third-party modules may be used,
// and a few habits that a machine can watch. It reads the files itself rather
// than asking the go command, so that the test cache notices every change.
package floorplan

// layers is who may import whom: only downwards, from a row to the rows above
// it in this list. Rooms of one row never import one another.
var layers = [][]string{
	{"internal/problem"}, // the error type, under everything
	{"internal/config", "internal/netguard", "internal/secret", "internal/markup", "internal/calendar", "internal/api", "internal/telemetry",
		"templates", "assets", "deploy/examples", "deploy/sops"},
	{"internal/access"}, // an entry of the journal says who acted
	{"internal/journal"},
	{"internal/status", "internal/incident", "internal/notice", "internal/inbox", "internal/ticket", "internal/release", "internal/people"},
	{"internal/hub"},
	{"web", "ingest", "monitors", "internal/store", "internal/latency", "internal/notify", "internal/rollout", "internal/importer"},
	{"internal/app"},
	{"internal/demo"}, // cmd wires it
	{"cmd/evenkeel"},
}

// apart are rooms that import nothing of ours and that nothing of ours imports.
var apart = []string{"bench", "scripts", "internal/floorplan"}

// testkit is imported by _test files alone, and imports no room.
const testkit = "internal/testkit"

// folders are all that may stand at the top and in internal, beside rooms.
var folders = []string{"cmd", "deploy", "docs", "internal"}

// anywhere is for modules that every room may import.
const anywhere = "*"

// modules is where third-party modules may be imported: the path, or the
// beginning of it, and the rooms. A module that is missing here is forbidden.
var modules = map[string][]string{
	"github.com/labstack/echo/v4":         {"web"},
	"github.com/danielgtaylor/huma/v2":    {"web"},
	"github.com/andybalholm/brotli":       {"web", "monitors"},
	"github.com/redis/go-redis/v9":        {"internal/latency"},
	"github.com/jackc/pgx/v5":             {"internal/store", "monitors"}, // monitors: the wire format and sign-in of foreign servers
	"modernc.org/sqlite":                  {"internal/store"},
	"github.com/go-co-op/gocron/v2":       {"monitors", "internal/app"},
	"github.com/jonboulle/clockwork":      {"monitors"}, // the clock that gocron takes
	"github.com/prometheus/client_golang": {"internal/telemetry", "internal/latency", "internal/store", "internal/app", "monitors", "web"},
	"github.com/prometheus/client_model":  {"monitors"},
	"github.com/prometheus/common":        {"internal/telemetry", "monitors"},
	"github.com/google/uuid":              {"internal/journal", "internal/status", "internal/store", "internal/latency", "internal/app", "monitors"},
	"go.yaml.in/yaml/v4":                  {"internal/config"},
	"github.com/fsnotify/fsnotify":        {"internal/config"},
	"github.com/Masterminds/semver/v3":    {"internal/release"},
	"github.com/teambition/rrule-go":      {"internal/calendar"},
	"github.com/arran4/golang-ical":       {"internal/calendar"},
	"github.com/expr-lang/expr":           {"monitors", "internal/release"},
	"github.com/ohler55/ojg":              {"monitors"},
	"github.com/robfig/cron/v3":           {"monitors"},
	"github.com/miekg/dns":                {"monitors", "internal/demo"},
	"github.com/emersion/":                {"monitors", "ingest", "internal/notify", "internal/demo"},
	"google.golang.org/grpc":              {"monitors"},
	"go.mongodb.org/mongo-driver/v2/bson": {"monitors"},
	"golang.org/x/oauth2":                 {"monitors", "web", "ingest", "internal/app"},
	"github.com/alexedwards/argon2id":     {"internal/people"},
	"github.com/pquerna/otp":              {"internal/people"},
	"github.com/coreos/go-oidc/v3":        {"web"},
	"golang.org/x/net":                    {"monitors", "internal/netguard", "internal/notice", "internal/notify", "ingest", "internal/markup"},
	"golang.org/x/text":                   {"monitors", "ingest", "internal/ticket"},
	"golang.org/x/sync":                   {anywhere},
	"golang.org/x/sys":                    {"internal/store", "monitors", "internal/app", "cmd/evenkeel"},
	"github.com/yuin/goldmark":            {"internal/markup"},
	"github.com/microcosm-cc/bluemonday":  {"internal/markup"},
	"github.com/wneessen/go-mail":         {"internal/notify"},
	"github.com/nicholas-fedor/shoutrrr":  {"internal/notify"},
	"github.com/chromedp/":                {"scripts"},
}

// testModules is what _test files and conformance kits may import besides.
var testModules = []string{
	"github.com/google/go-cmp", "github.com/alicebob/miniredis/v2", "github.com/arran4/golang-ical", "modernc.org/sqlite", "github.com/chromedp/", "golang.org/x/net", "github.com/emersion/",
	"github.com/miekg/dns", "google.golang.org/grpc", "github.com/redis/go-redis/v9", "github.com/google/uuid", "golang.org/x/sys",
	"github.com/prometheus/client_golang", "github.com/prometheus/client_model", "github.com/prometheus/common", "go.mongodb.org/mongo-driver/v2/bson",
	"github.com/go-jose/go-jose/v4", "github.com/pquerna/otp",
}

// maxLines is when a file asks for a hard look.
const maxLines = 600

// long are files that had the hard look and stay long, with the reason.
var long = map[string]string{}
