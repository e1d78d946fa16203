package notice

import (
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"

	"evenkeel/internal/problem"
)

const (
	// maxMailAddress bounds an e-mail address, in bytes (RFC 5321 section 4.5.3.1.3).
	maxMailAddress = 254
	// maxLocalPart bounds what stands before the @ (RFC 5321 section 4.5.3.1.1).
	maxLocalPart = 64
	// maxURL bounds the address of an endpoint, in bytes.
	maxURL = 2000
	// atext is what a local part is made of, besides letters, digits and single
	// dots (RFC 5322 section 3.2.3).
	atext = "!#$%&'*+-/=?^_`{|}~"
)

// NormalAddress gives the one form in which an address is kept and compared. A
// mail address is in lower case; domains of other alphabets become ASCII
// (RFC 5891), so that look-alikes look different. What could end a header line
// or hide a second address is refused. Errors: Invalid.
func NormalAddress(mode Mode, raw string) (string, error) {
	switch mode {
	case ByMail:
		return normalMail(strings.Trim(raw, " \t\r\n"))
	case ByWebhook, BySlack:
		return normalURL(strings.Trim(raw, " \t\r\n"))
	}
	return "", problem.Invalid("mode", "choose email, webhook or slack")
}

func normalMail(raw string) (string, error) {
	at := strings.LastIndexByte(raw, '@')
	if at < 1 || len(raw) > 4*maxMailAddress {
		return "", problem.Invalid("address", "this is not an e-mail address")
	}
	local, domain := raw[:at], raw[at+1:]
	if len(local) > maxLocalPart || local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		return "", problem.Invalid("address", "what stands before the @ is not valid")
	}
	for _, r := range local {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r < 0x80 && strings.ContainsRune(atext, r)) {
			return "", problem.Invalid("address", "what stands before the @ may hold letters from a to z, digits and %s only", atext)
		}
	}
	domain, err := normalHost(domain)
	if err != nil {
		return "", err
	}
	if _, err := netip.ParseAddr(domain); err == nil || !strings.Contains(domain, ".") {
		return "", problem.Invalid("address", "what stands after the @ must be a domain, such as example.org")
	}
	out := strings.ToLower(local) + "@" + domain
	if len(out) > maxMailAddress {
		return "", problem.Invalid("address", "an e-mail address has at most %d characters", maxMailAddress)
	}
	return out, nil
}

// domains is how a domain becomes ASCII: as for looking it up (RFC 5891 section
// 5), and no longer than DNS allows.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true))

// normalHost gives a domain in ASCII and lower case.
func normalHost(host string) (string, error) {
	ascii, err := domains.ToASCII(host)
	if err == nil { // what comes out must stand by itself: it is read again
		host = ascii
		ascii, err = domains.ToASCII(host)
	}
	if err != nil || ascii == "" || ascii != host || strings.HasSuffix(ascii, ".") {
		return "", problem.Invalid("address", "the domain is not valid")
	}
	for _, r := range ascii {
		if !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' || r == '-') {
			return "", problem.Invalid("address", "the domain is not valid")
		}
	}
	return ascii, nil
}

func normalURL(raw string) (string, error) {
	if len(raw) > maxURL {
		return "", problem.Invalid("address", "a URL has at most %d characters", maxURL)
	}
	for _, r := range raw {
		if r <= ' ' || r == 0x7f {
			return "", problem.Invalid("address", "a URL holds no spaces and no control characters")
		}
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return "", problem.Invalid("address", "this is not a URL")
	case u.Scheme != "https" && u.Scheme != "http":
		return "", problem.Invalid("address", "the URL must begin with https://")
	case u.User != nil:
		return "", problem.Invalid("address", "the URL must not hold a user name or a password")
	case u.Fragment != "":
		return "", problem.Invalid("address", "the URL must not hold a #")
	}
	host, port := u.Hostname(), u.Port()
	if ip, err := netip.ParseAddr(host); err == nil {
		if host = ip.String(); ip.Is6() {
			host = "[" + host + "]"
		}
	} else if host, err = normalHost(host); err != nil {
		return "", err
	}
	if port != "" && !(u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80") {
		host += ":" + port
	}
	u.Host = host
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), nil
}

// network gives the part of an address that one household or office shares:
// strangers are counted by it. What is no address counts as one network.
func network(addr string) string {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return "unknown"
	}
	bits := 24
	if ip = ip.Unmap(); ip.Is6() {
		bits = 48
	}
	prefix, err := ip.WithZone("").Prefix(bits)
	if err != nil {
		return "unknown"
	}
	return prefix.String()
}
