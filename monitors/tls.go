package monitors

import "evenkeel/internal/config"

// tlsKindKeys are the options of kind tls.
var tlsKindKeys = tcpKeys

// defaultCertWarning is how long before its end kind tls warns of a certificate.
const defaultCertWarning = 14 * day

// compileTLS is the kind tls: a handshake whose chain must verify, and
// certificates that must not be near their end. With starttls: it asks for TLS
// in the words of that protocol first; with send: it goes on to talk.
// Errors: Invalid.
func compileTLS(spec config.Monitor, env *Env) (Probe, error) {
	if spec.CertWithin == 0 {
		spec.CertWithin = config.Duration(defaultCertWarning)
	}
	p, found := newTCPProbe(spec, env)
	return p, found.Err()
}
