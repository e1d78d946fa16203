package monitors

import (
	"bytes"
	"encoding/binary"
	"io"
	"maps"
	"net"
	"slices"
	"strings"

	"evenkeel/internal/problem"
)

// upgrades are the protocols in which a connection begins in plain text and is
// then asked to become TLS. Each function speaks up to the moment at which the
// handshake may begin.
var upgrades = map[string]func(*dialogue) error{
	"smtp":     upgradeSMTP,
	"imap":     upgradeIMAP,
	"pop3":     upgradePOP3,
	"ftp":      upgradeFTP,
	"ldap":     upgradeLDAP,
	"postgres": upgradePostgres,
}

// compileUpgrade finds the protocol of starttls:. "" gives nil. Errors: Invalid.
func compileUpgrade(protocol string) (func(*dialogue) error, error) {
	if protocol == "" {
		return nil, nil
	}
	up, ok := upgrades[protocol]
	if !ok {
		return nil, problem.Invalid("starttls", "%q is not known; one of %s", protocol, strings.Join(slices.Sorted(maps.Keys(upgrades)), ", "))
	}
	return up, nil
}

// upgradeSMTP is RFC 3207.
func upgradeSMTP(d *dialogue) error {
	if _, err := d.want("220"); err != nil {
		return err
	}
	words, err := d.hello()
	if err != nil {
		return err
	}
	return d.smtpStartTLS(words)
}

// upgradeIMAP is RFC 9051 section 6.2.1.
func upgradeIMAP(d *dialogue) error {
	if _, err := d.imapGreeting(); err != nil {
		return err
	}
	return d.imapStartTLS()
}

// upgradePOP3 is RFC 2595 section 4.
func upgradePOP3(d *dialogue) error {
	for _, command := range []string{"", "STLS"} {
		if command != "" {
			if err := d.say("%s", command); err != nil {
				return err
			}
		}
		l, err := d.line()
		if err != nil {
			return err
		}
		if !strings.HasPrefix(l, "+OK") {
			return wrongf("the server says %s, want +OK", quote(l))
		}
	}
	return nil
}

// upgradeFTP is RFC 4217 section 4.
func upgradeFTP(d *dialogue) error {
	if _, err := d.want("220"); err != nil {
		return err
	}
	if err := d.say("AUTH TLS"); err != nil {
		return err
	}
	_, err := d.want("234")
	return err
}

// ldapStartTLS is an LDAP message with id 1 and an extended request of name
// 1.3.6.1.4.1.1466.20037, in BER (RFC 4511 sections 4.12 and 4.14.1).
var ldapStartTLS = append([]byte{0x30, 0x1d, 0x02, 0x01, 0x01, 0x77, 0x18, 0x80, 0x16}, "1.3.6.1.4.1.1466.20037"...)

// maxLDAP is the longest answer to it that is read, in bytes.
const maxLDAP = 1 << 10

// upgradeLDAP sends the extended request and reads its result code.
func upgradeLDAP(d *dialogue) error {
	d.run.Log("> LDAP extended request 1.3.6.1.4.1.1466.20037 (start TLS)")
	if _, err := d.conn.Write(ldapStartTLS); err != nil {
		return err
	}
	message, err := d.ber(0x30)
	if err != nil {
		return err
	}
	// SEQUENCE { messageID INTEGER 1, [APPLICATION 24] { resultCode ENUMERATED, … } }
	rest, ok := bytes.CutPrefix(message, []byte{0x02, 0x01, 0x01})
	if !ok || len(rest) < 2 || rest[0] != 0x78 {
		return wrongf("the server's answer is not an LDAP extended response")
	}
	_, at, ok := berLength(rest[1:])
	if !ok || len(rest) < 1+at+3 || rest[1+at] != 0x0a || rest[2+at] != 0x01 {
		return wrongf("the server's answer is not an LDAP extended response")
	}
	if code := rest[3+at]; code != 0 {
		return wrongf("the server refuses TLS with LDAP result %d", code)
	}
	return nil
}

// ber reads one BER value with the given tag and a definite length.
func (d *dialogue) ber(tag byte) ([]byte, error) {
	head := make([]byte, 2, 6)
	if _, err := io.ReadFull(d.r, head); err != nil {
		return nil, err
	}
	if head[0] != tag {
		return nil, wrongf("the server's answer is not LDAP: it begins with %#02x", head[0])
	}
	if more := int(head[1] & 0x7f); head[1] > 0x80 && more <= 4 {
		head = head[:2+more]
		if _, err := io.ReadFull(d.r, head[2:]); err != nil {
			return nil, err
		}
	}
	length, _, ok := berLength(head[1:])
	if !ok || length > maxLDAP {
		return nil, wrongf("the server's answer has an LDAP length that is not believed")
	}
	body := make([]byte, length)
	_, err := io.ReadFull(d.r, body)
	return body, err
}

// berLength reads a definite length and tells how many bytes it took.
func berLength(b []byte) (length, size int, ok bool) {
	if len(b) == 0 {
		return 0, 0, false
	}
	if b[0] < 0x80 {
		return int(b[0]), 1, true
	}
	more := int(b[0] & 0x7f)
	if more == 0 || more > 4 || len(b) < 1+more {
		return 0, 0, false
	}
	var n uint64
	for _, c := range b[1 : 1+more] {
		n = n<<8 | uint64(c)
	}
	return int(n), 1 + more, true
}

// upgradePostgres sends an SSLRequest (PostgreSQL manual, message formats); the
// server answers one letter.
func upgradePostgres(d *dialogue) error {
	d.run.Log("> SSLRequest")
	if err := binary.Write(d.conn, binary.BigEndian, [2]uint32{8, 80877103}); err != nil {
		return err
	}
	c, err := d.r.ReadByte()
	if err != nil {
		return err
	}
	switch c {
	case 'S':
		return nil
	case 'N':
		return wrongf("the server offers no TLS")
	default:
		return wrongf("the server's answer %s is not PostgreSQL's", quote(string(c)))
	}
}

// addressLiteral is how a client without a name of its own introduces itself:
// [192.0.2.1] or [IPv6:2001:db8::1] (RFC 5321 section 4.1.3).
func addressLiteral(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return "[127.0.0.1]" // not an IP connection: a socket of this host
	}
	host, _, _ = strings.Cut(host, "%")
	if strings.Contains(host, ":") {
		return "[IPv6:" + host + "]"
	}
	return "[" + host + "]"
}
