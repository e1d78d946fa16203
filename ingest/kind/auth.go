package kind

import (
	"strings"

	"evenkeel/ingest/message"
)

// Auth is whether the sender is who the mail says, by the word of a server we
// believe (RFC 8601).
type Auth struct {
	// Server is the authserv-id whose word was taken; "" when none was.
	Server string
	// SPF, DKIM and DMARC are the results in lower case: "pass", "fail",
	// "none", …; "" when not given. DKIM is that of the best signature.
	SPF, DKIM, DMARC string
	// Aligned says that the address in From is proven: DMARC passed, or a DKIM
	// signature of its own domain did.
	Aligned bool
}

// authOf reads the results of the servers that are believed. Only the topmost
// field that a server of that name wrote counts: the ones below came with the
// mail, and anybody may have written them.
func authOf(m *message.Message, own Own) Auth {
	if len(own.AuthServers) == 0 {
		return Auth{}
	}
	for _, raw := range m.Header.Values("Authentication-Results") {
		server, rest, ok := strings.Cut(raw, ";")
		if !ok {
			continue
		}
		if fields := strings.Fields(withoutComments(server)); len(fields) > 0 { // a version may follow
			server = strings.ToLower(fields[0])
		}
		for _, believed := range own.AuthServers {
			if strings.EqualFold(server, believed) {
				return results(server, rest, domain(fromOf(m)))
			}
		}
		return Auth{} // a stranger's word stands on top: nobody we believe has seen this mail last
	}
	return Auth{}
}

// results reads the results of one field.
func results(server, rest, from string) Auth {
	a := Auth{Server: server}
	for part := range strings.SplitSeq(withoutComments(rest), ";") {
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		method, result, ok := strings.Cut(strings.ToLower(words[0]), "=")
		if !ok {
			continue
		}
		method, _, _ = strings.Cut(method, "/")
		switch method {
		case "spf":
			a.SPF = result
		case "dmarc":
			if a.DMARC == "" {
				a.DMARC = result
			}
		case "dkim":
			if a.DKIM == "" || result == "pass" {
				a.DKIM = result
			}
			if result == "pass" && from != "" && signedBy(words[1:]) == from {
				a.Aligned = true
			}
		}
	}
	if a.DMARC != "" {
		a.Aligned = a.DMARC == "pass"
	}
	return a
}

// signedBy gives the domain of a DKIM signature.
func signedBy(words []string) string {
	for _, w := range words {
		name, v, _ := strings.Cut(strings.ToLower(w), "=")
		switch name {
		case "header.d":
			return strings.Trim(v, `"`)
		case "header.i":
			return strings.Trim(domain(strings.Trim(v, `"`)), `"`)
		}
	}
	return ""
}

// withoutComments takes off what stands in parentheses.
func withoutComments(s string) string {
	if !strings.ContainsAny(s, "()") {
		return s
	}
	var b strings.Builder
	depth := 0
	for _, r := range s {
		switch {
		case r == '(':
			depth++
		case r == ')':
			depth = max(depth-1, 0)
		case depth == 0:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func fromOf(m *message.Message) string {
	if len(m.From) != 1 { // two authors: neither is proven
		return ""
	}
	return m.From[0].Address
}

// domain gives the domain of an address in lower case.
func domain(address string) string {
	i := strings.LastIndexByte(address, '@')
	if i < 0 {
		return ""
	}
	return strings.ToLower(address[i+1:])
}
