package kind

import "strings"

// reason is what a refusal comes down to.
type reason int

const (
	unclear reason = iota
	gone           // no such person or host: stop writing
	kept           // the address is good, or may be: this mail was not wanted, or not now
)

// reasonIn finds the reason in the words of servers, lower case. What is about
// this one mail is asked for first: "550 user unknown" is also said to spam.
func reasonIn(low string) reason {
	for _, w := range keptWords {
		if strings.Contains(low, w) {
			return kept
		}
	}
	for _, w := range goneWords {
		if strings.Contains(low, w) {
			return gone
		}
	}
	for _, pair := range gonePairs {
		if i := strings.Index(low, pair[0]); i >= 0 && strings.Contains(low[i:min(len(low), i+pairReach)], pair[1]) {
			return gone
		}
	}
	return unclear
}

// pairReach is how far apart the words of a pair stand at most.
const pairReach = 160

// keptWords are of refusals that say nothing against the address.
var keptWords = []string{
	// full
	"mailbox full", "mailbox is full", "exceeded the local limit", "mail size limit", "recipient preferences", "exceeded the maximum", "mailbox limit", "mailbox has been full", "mailbox exceeded", "quota exceed", "exceeded quota", "over quota", "overquota", "over-quota", "quota full", "disk quota", "storage quota", "exceeded storage", "exceeded the storage", "out of storage", "mailbox size limit", "exceeds mailbox", "exceeding his/her quota", "user is over", "is overquota", "quotaexceeded", "mailboxquota", "boite pleine", "buzón lleno", "mailfolder is full", "inbox is full", "account is full", "insufficient disk", "insufficient system storage", "not enough storage", "no space left", "maildir over", "maildir delivery failed: user disk", "recipientoverquota", "mailbox too large", "recipient storage full", "full mailbox", "mailfull", "enough space", "enough room", "disk full", "user has exceeded", "exceeds allowed", "容量を超え", "容量オーバー", "いっぱい",
	// not this mail
	"spam", "junk mail", "blacklist", "blocklist", "block list", "black list", "blocked", "rbl", "dnsbl", "reputation", "spamhaus", "barracuda", "spamcop", "poor reput", "blocked using", "message content", "content reject", "rejected for policy", "policy reason", "policy violation", "violates", "local policy", "administrative prohibition", "administratively", "not authorized", "not authenticated", "unauthenticated", "authentication required", "authentication-results", "spf", "dkim", "dmarc", "ptr record", "reverse dns", "reverse-dns", "rdns", "fcrdns", "cannot find your hostname", "cannot find your reverse", "does not resolve", "no ptr", "client host rejected", "helo command rejected", "sender address rejected", "sender rejected", "sender verify failed", "sender denied", "sender is not", "sender domain", "bad sender", "bad source address", "envelope sender", "sender's", "invalid sender", "backscatter", "virus", "malware", "infected", "message too large", "message size", "too large", "too big", "size limit", "exceeds size", "exceeds maximum size", "exceeds the maximum", "relay", "hop count", "too many hops", "too many connections", "too many concurrent", "too many errors", "too many recipients", "too many messages", "too many", "rate limit", "rate exceeded", "exceeded the rate", "throttl", "temporarily deferred", "try again later", "try later", "greylist", "graylist", "deferred", "temporarily", "temporary", "timed out", "time-out", "timeout", "has been in the queue too long", "has been in the queue", "in the queue too long", "queue too long", "retry time", "expired", "could not be delivered for", "not been able to deliver", "connection refused", "connection reset", "connection timed", "lost connection", "unable to connect", "no route to host", "network is unreachable", "network unreachable", "cannot connect", "couldn't connect", "establish an smtp connection", "establish smtp connection", "certificate", "starttls", "tls required", "encryption required", "syntax error", "command not", "protocol error", "bad sequence", "8bitmime", "smtputf8", "content-type", "non-ascii", "mime error", "delivery not allowed", "delivery not authorized", "not accepting messages from", "closed to unknown", "only accepts", "does not accept mail from", "not allowed to send", "moderat", "access denied", "mail loop", "routing loop", "loops back", "loop detected", "tls negotiation", "attachment type", "attachment blocked", "banned attachment", "header too", "headers too", "bad header", "refused to accept", "refused your", "mail refused", "message refused", "permission denied", "not have permission", "permission to post", "name server reply", "dns lookup failure", "dns problem", "host not found, try again", "couldn't create", "procmail:", "group you tried to contact", "groupe que vous avez", "google groups",
	// closed for now
	"suspended", "is suspend", "disabled", "deactivated", "inactive", "is locked", "not active", "frozen", "administrative hold", "been disabled", "is currently suspended", "account locked", "terminated", "account expired", "is inactive", "account is not active", "access to this account", "on hold", "mailbox unavailable due to", "over the limit", "receiving mail too quickly", "receiving mail at a rate",
	// a server's own trouble
	"system error", "internal error", "server error", "configuration error", "misconfig", "local error", "i/o error", "input/output", "system failure", "service unavailable", "service not available", "not accepting network messages", "mail system full", "cannot open", "can't create", "cannot create", "failed to create", "command died", "exit status", "unknown mailer error", "mailer error", "local delivery failed", "pipe to", "in reply to end of data", "after data", "end of data", "smtp error from remote mail server after end of data",
}

// goneWords are of refusals that name the address as the trouble.
var goneWords = []string{
	"user unknown", "unknown user", "delivery userid", "no such user", "nosuchuser", "no such address", "no such mailbox", "no such recipient", "no such person", "no such account", "no such local user", "no such id", "no such email", "no such name", "no such domain", "no such host", "no such alias", "no mailbox here", "no mailbox by that name", "no mailbox found", "no account by that name", "no user by that name", "no valid recipient", "no user ", "not a valid user", "not a valid recipient", "not a valid mailbox", "not a known user", "not a local", "not our customer", "not our user", "not listed in", "not known here", "not known at this", "not found", "notfound", "unknown recipient", "recipient unknown", "unknown address", "address unknown", "unknown local", "unknown mailbox", "unknown account", "unknown account name", "unknown email", "unknown host", "unknown domain", "unknown virtual", "unknown in", "unrouteable", "unroutable", "undeliverable address", "does not exist", "doesn't exist", "do not exist", "doesnotexist", "don't exist", "not exist", "no existe", "n'existe pas", "existiert nicht", "non esiste", "não existe", "nonexistent", "non-existent", "nonexistant", "doesn't have a", "doesn't have an", "does not have a", "don't have a", "invalid recipient", "recipient invalid", "invalid mailbox", "invalid user", "invalid address", "invalid local", "invalid email", "bad address", "bad recipient", "bad mailbox", "bad destination", "bad dest", "illegal user", "illegal alias", "mailbox not", "mailbox unavailable", "mailbox does", "mailbox is unavailable", "mailbox invalid", "mailbox unknown", "mailbox cannot be found", "mailboxnotfound", "mailbox currently unavailable", "recipient not", "recipient address rejected", "recipient rejected", "rejected recipient", "recipient does", "recipient name is not recognized", "recipient no longer", "recipient is not", "recipnotfound", "user not", "user doesn't", "user does", "user invalid", "user is unknown", "user no longer", "user has moved", "user not local", "account not", "account does", "account that you tried to reach does not", "account doesn't", "account is unavailable", "account is not available", "account has been closed", "account closed", "account deleted", "address not", "address does", "address error", "address rejected", "address no longer", "address invalid", "address is not", "address couldn't be found", "address has changed", "address you entered couldn't", "email address could not be found", "alias not", "can't find a mailbox", "can't find", "cannot find", "could not find", "couldn't be found", "can not be found", "could not be found", "could not resolve", "couldn't find any host", "no longer available", "no longer valid", "no longer exists", "no longer works", "no longer in use", "no longer with", "no longer on", "no longer employed", "is no longer", "has left", "not longer", "has moved", "moved to", "now has a new", "new address", "please try <", "not deliverable", "domain not", "domain does", "host unknown", "host not", "host or domain name not found", "name or service not known", "name service error", "domain has no", "domain is not", "domain isn't", "nullmx", "null mx", "does not accept mail", "doesn't accept mail", "does not receive mail", "accepts no mail", "no mail hosts for domain", "cannot be resolved", "no mx", "delivery to this address", "wasn't found at", "not a user", "not a recognized", "unrecognized", "not present", "未知", "ユーザーが見つかりません", "あて先", "宛先", "見つかりません", "存在しません", "不存在", "not one of our", "person at this address", "anyone by that name",
}

// gonePairs are words of which the second follows the first, not far.
var gonePairs = [][2]string{
	{"user", "unknown"}, {"user", "not found"}, {"recipient", "not found"}, {"recipient", "unknown"}, {"mailbox", "not found"}, {"account", "not exist"}, {"<", "> unknown"}, {"address", "unknown"}, {"host", "unknown"}, {"address", "not found"}, {"mailbox for", "not"}, {"no one", "here"},
}
