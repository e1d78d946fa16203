package monitors

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"time"

	"evenkeel/internal/config"
	"evenkeel/internal/problem"
	"evenkeel/internal/status"
)

// tlsKeys are the options of every kind that may speak TLS.
var tlsKeys = []string{"tls"}

// certKeys are the options of kinds that judge a certificate's age.
var certKeys = []string{"cert_expires_within", "cert_fails_within"}

// TLS compiles the block tls. The ServerName is empty unless the file names one:
// DialTLS fills it in from the address. Files are read now. Errors: Invalid.
func (e *Env) TLS(spec config.Monitor) (*tls.Config, error) {
	var found problem.Errors
	conf := &tls.Config{
		ServerName:         spec.TLS.ServerName,
		InsecureSkipVerify: spec.TLS.Insecure, // asked for in the file; the monitor says so wherever it is shown
		MinVersion:         tls.VersionTLS12,
		Time:               e.Now,
	}
	switch spec.TLS.MinVersion {
	case "", "1.2":
	case "1.3":
		conf.MinVersion = tls.VersionTLS13
	default:
		found = append(found, problem.Invalid("tls.min_version", "%q is not 1.2 or 1.3", spec.TLS.MinVersion))
	}
	if spec.TLS.CAFile != "" {
		pem, err := e.ReadFile(spec.TLS.CAFile)
		if err != nil {
			found = append(found, problem.Invalid("tls.ca_file", "cannot be read: %v", err))
		} else if pool, ok := e.pool(pem); ok {
			conf.RootCAs = pool
		} else {
			found = append(found, problem.Invalid("tls.ca_file", "holds no certificate in PEM form"))
		}
	}
	switch {
	case spec.TLS.CertFile == "" && spec.TLS.KeyFile == "":
	case spec.TLS.CertFile == "" || spec.TLS.KeyFile == "":
		found = append(found, problem.Invalid("tls.cert_file", "cert_file and key_file belong together"))
	default:
		cert, err := e.keyPair(spec.TLS.CertFile, spec.TLS.KeyFile)
		if err != nil {
			found = append(found, problem.Invalid("tls.cert_file", "cannot be used: %v", err))
		} else {
			conf.Certificates = []tls.Certificate{cert}
		}
	}
	return conf, found.Err()
}

func (e *Env) keyPair(certFile, keyFile string) (tls.Certificate, error) {
	cert, err := e.ReadFile(certFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := e.ReadFile(keyFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
}

// pool reads certificates; monitors that trust the same file share one pool.
func (e *Env) pool(pem []byte) (*x509.CertPool, bool) {
	e.shared.mu.Lock()
	defer e.shared.mu.Unlock()
	if p, ok := e.shared.pools[string(pem)]; ok {
		return p, true
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(pem) {
		return nil, false
	}
	e.shared.pools[string(pem)] = p
	return p, true
}

// certLimits says when the age of a certificate is a warning or a failure.
type certLimits struct {
	warn, fail time.Duration
	now        func() time.Time
}

func (e *Env) certLimits(spec config.Monitor) certLimits {
	return certLimits{warn: spec.CertWithin.D(), fail: spec.CertFails.D(), now: e.Now}
}

// judge gives what the certificate's expiry makes of a good result; expiry zero
// means that there is no certificate.
func (l certLimits) judge(expiry time.Time) (o status.Outcome, why string) {
	if expiry.IsZero() || (l.warn == 0 && l.fail == 0) {
		return status.OK, ""
	}
	left := expiry.Sub(l.now())
	switch {
	case left <= l.fail:
		return status.Failed, fmt.Sprintf("the certificate expires %s, want more than %s", days(left), span(l.fail))
	case left <= l.warn:
		return status.Slow, fmt.Sprintf("the certificate expires %s, a warning within %s", days(left), span(l.warn))
	}
	return status.OK, ""
}

const day = 24 * time.Hour

// days writes a distance from now as people say it.
func days(d time.Duration) string {
	if d < 0 {
		return span(-d) + " ago"
	}
	return "in " + span(d)
}

// span writes a duration of days or hours.
func span(d time.Duration) string {
	if d >= 2*day {
		return fmt.Sprintf("%d days", d/day)
	}
	return d.Truncate(time.Second).String()
}
