package notice

import (
	"crypto/hmac"
	"encoding/base64"
	"strings"
)

// Where the signed links of messages lead, below the address of the page. A
// token follows each.
const (
	PathConfirm     = "/subscribe/confirm/"
	PathManage      = "/subscribe/manage/"
	PathUnsubscribe = "/subscribe/unsubscribe/"
	PathAcknowledge = "/acknowledge/"
)

// purpose is what a token lets its bearer do. A token for one is none for another.
type purpose string

const (
	toConfirm     purpose = "confirm"
	toManage      purpose = "manage"
	toUnsubscribe purpose = "unsubscribe"
	toAcknowledge purpose = "acknowledge"
	toChallenge   purpose = "challenge"
)

// macBytes is how much of a signature a token carries: 144 bits cannot be guessed.
const macBytes = 18

// maxToken bounds a token that is presented, in bytes.
const maxToken = 512

// mac signs what a token names.
func (d *Desk) mac(p purpose, id, who string) []byte {
	return d.signer.Sign("notice\x00" + string(p) + "\x00" + id + "\x00" + who)[:macBytes]
}

// token makes a link's last part: id, who it was given to, and the signature. It
// holds as long as what it names stands where it must.
func (d *Desk) token(p purpose, id, who string) string {
	parts := []string{id}
	if who != "" {
		parts = append(parts, base64.RawURLEncoding.EncodeToString([]byte(who)))
	}
	return strings.Join(append(parts, base64.RawURLEncoding.EncodeToString(d.mac(p, id, who))), ".")
}

// open reads a token; ok is false for one that this house did not make for the purpose.
func (d *Desk) open(p purpose, token string) (id, who string, ok bool) {
	parts := strings.Split(token, ".")
	if len(token) > maxToken || len(parts) < 2 || len(parts) > 3 {
		return "", "", false
	}
	if len(parts) == 3 {
		raw, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil {
			return "", "", false
		}
		who = string(raw)
	}
	mac, err := base64.RawURLEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || !hmac.Equal(mac, d.mac(p, parts[0], who)) {
		return "", "", false
	}
	return parts[0], who, true
}
