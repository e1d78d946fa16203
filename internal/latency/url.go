package latency

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"evenkeel/internal/problem"
)

// The forms of redis.url. Ports may be left out (6379, sentinels 26379); user
// and password are percent-encoded where needed:
//
//	redis://[user:password@]host[:port][/db]
//	rediss://…                                             the same with TLS
//	unix://[user:password@]/path/to/socket[?db=N]
//	redis+sentinel://[user:password@]host[:port][,…]/master[/db]
//	redis+cluster://[user:password@]host[:port][,…]
//	rediss+sentinel://…, rediss+cluster://…                with TLS
//
// Query parameters: db; with TLS ca_file, cert_file and key_file (PEM) and
// server_name; for sentinels sentinel_username and sentinel_password.

// Timeouts and pool of the connections. The client never tries again by itself:
// the flush does, with a back-off.
const (
	dialTimeout    = time.Second
	commandTimeout = time.Second
	poolSize       = 8
	maxNodes       = 64 // hosts in a URL
)

// clientLog takes what the client would print on its own. What matters comes
// back as an error too, so it is for debugging alone.
type clientLog struct{ log *slog.Logger }

// Printf logs one line of the client.
func (c clientLog) Printf(ctx context.Context, format string, args ...any) {
	if c.log.Enabled(ctx, slog.LevelDebug) {
		c.log.DebugContext(ctx, "redis client", "text", fmt.Sprintf(format, args...))
	}
}

const urlField = "redis.url"

// dial makes a client; it does not connect yet.
func dial(raw string, log *slog.Logger) (redis.UniversalClient, error) {
	o, err := parseURL(raw)
	if err != nil {
		return nil, err
	}
	redis.SetLogger(clientLog{log}) // there is one for the whole program
	return redis.NewUniversalClient(o), nil
}

// parseURL reads one of the forms above. Errors: Invalid, without the URL,
// which may hold a password.
func parseURL(raw string) (*redis.UniversalOptions, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	form, secure := redisForm(scheme)
	if !ok || form == "" {
		return nil, problem.Invalid(urlField, "a Redis URL begins with redis://, rediss://, unix://, redis+sentinel:// or redis+cluster://")
	}
	// Go's parser knows one host only, so the hosts are taken out first.
	authority, path := rest, ""
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority, path = rest[:end], rest[end:]
	}
	user, hosts := "", authority
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		user, hosts = authority[:at+1], authority[at+1:]
	}
	u, err := url.Parse("redis://" + user + "host" + path)
	if err != nil || u.Fragment != "" {
		return nil, problem.Invalid(urlField, "the URL cannot be read; are there characters in the password that need percent-encoding?")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, problem.Invalid(urlField, "the part after the question mark cannot be read")
	}
	o := &redis.UniversalOptions{
		Username:    u.User.Username(),
		DialTimeout: dialTimeout, ReadTimeout: commandTimeout, WriteTimeout: commandTimeout, PoolTimeout: commandTimeout,
		ContextTimeoutEnabled: true,
		PoolSize:              poolSize,
		MaxRetries:            -1, // none
		DialerRetries:         1,
		IsClusterMode:         form == "cluster",
		// Commands of newer servers that the client would send by itself.
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	o.Password, _ = u.User.Password()
	if err := where(o, form, hosts, u.Path, query); err != nil {
		return nil, err
	}
	if err := options(o, form, secure, query); err != nil {
		return nil, err
	}
	return o, nil
}

// redisForm takes a scheme apart; the form is "" when it is none of ours.
func redisForm(scheme string) (form string, secure bool) {
	switch scheme {
	case "unix":
		return "unix", false
	case "redis", "rediss":
		return "single", scheme == "rediss"
	}
	if base, form, ok := strings.Cut(scheme, "+"); ok && (base == "redis" || base == "rediss") && (form == "sentinel" || form == "cluster") {
		return form, base == "rediss"
	}
	return "", false
}

// where reads the hosts, the socket, the master and the database.
func where(o *redis.UniversalOptions, form, hosts, path string, query url.Values) error {
	port, db := "6379", strings.Trim(path, "/")
	switch form {
	case "unix":
		if hosts != "" || len(path) < 2 {
			return problem.Invalid(urlField, "unix:// is followed by the whole path of the socket, as in unix:///run/redis/redis.sock")
		}
		o.Addrs, db = []string{path}, ""
	case "sentinel":
		port = "26379"
		if o.MasterName, db, _ = strings.Cut(db, "/"); o.MasterName == "" {
			return problem.Invalid(urlField, "redis+sentinel:// names the master after the hosts, as in redis+sentinel://h1,h2/mymaster")
		}
	case "cluster":
		if db != "" || query.Get("db") != "" {
			return problem.Invalid(urlField, "a cluster has no numbered databases")
		}
	}
	if form != "unix" {
		for host := range strings.SplitSeq(hosts, ",") {
			address, err := withPort(host, port)
			if err != nil {
				return err
			}
			o.Addrs = append(o.Addrs, address)
		}
		if len(o.Addrs) > maxNodes || form == "single" && len(o.Addrs) > 1 {
			return problem.Invalid(urlField, "%d hosts are too many here; several need redis+sentinel:// or redis+cluster://", len(o.Addrs))
		}
	}
	if query.Get("db") != "" {
		db = query.Get("db")
	}
	if db != "" {
		n, err := strconv.ParseUint(db, 10, 15)
		if err != nil {
			return problem.Invalid(urlField, "the database is a number")
		}
		o.DB = int(n)
	}
	return nil
}

// withPort checks host[:port] and adds the port when it is missing.
func withPort(address, port string) (string, error) {
	host, given, err := net.SplitHostPort(address)
	if err != nil {
		host, given = strings.TrimSuffix(strings.TrimPrefix(address, "["), "]"), port
	}
	if n, err := strconv.ParseUint(given, 10, 16); err != nil || n == 0 || host == "" || strings.ContainsAny(host, "[] \t\"'<>") ||
		strings.Contains(host, ":") && net.ParseIP(host) == nil {
		return "", problem.Invalid(urlField, "each host is a name or an address with an optional port, as in redis.example.org:6379")
	}
	return net.JoinHostPort(host, given), nil
}

// tlsParameters need a secure scheme, sentinelParameters sentinels.
var (
	tlsParameters      = []string{"ca_file", "cert_file", "key_file", "server_name"}
	sentinelParameters = []string{"sentinel_username", "sentinel_password"}
)

// options reads the query parameters.
func options(o *redis.UniversalOptions, form string, secure bool, query url.Values) error {
	for parameter := range query {
		switch {
		case parameter == "db":
		case secure && slices.Contains(tlsParameters, parameter):
		case form == "sentinel" && slices.Contains(sentinelParameters, parameter):
		case slices.Contains(tlsParameters, parameter):
			return problem.Invalid(urlField, "%s needs rediss://", parameter)
		default:
			return problem.Invalid(urlField, "%q is no parameter of this form of URL", parameter)
		}
	}
	o.SentinelUsername, o.SentinelPassword = query.Get("sentinel_username"), query.Get("sentinel_password")
	if !secure {
		return nil
	}
	o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: query.Get("server_name")}
	if file := query.Get("ca_file"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return &problem.Error{Kind: problem.KindInvalid, Field: urlField, Msg: "the file given as ca_file cannot be read", Err: err}
		}
		o.TLSConfig.RootCAs = x509.NewCertPool()
		if !o.TLSConfig.RootCAs.AppendCertsFromPEM(pem) {
			return problem.Invalid(urlField, "the file given as ca_file holds no certificate")
		}
	}
	if cert, key := query.Get("cert_file"), query.Get("key_file"); cert != "" || key != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return &problem.Error{Kind: problem.KindInvalid, Field: urlField, Msg: "cert_file and key_file do not make a client certificate", Err: err}
		}
		o.TLSConfig.Certificates = []tls.Certificate{pair}
	}
	return nil
}
