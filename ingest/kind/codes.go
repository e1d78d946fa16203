package kind

import "strings"

// statusCode gives the first enhanced status code of RFC 3463 in a text: class
// 2, 4 or 5, and no part of an IP address or of a version. "" for none.
func statusCode(s string) string {
	for i := 0; i+4 < len(s); i++ {
		if (s[i] != '2' && s[i] != '4' && s[i] != '5') || s[i+1] != '.' || i > 0 && (isDigit(s[i-1]) || s[i-1] == '.' || isLetter(s[i-1]) || s[i-1] == '/' || s[i-1] == '-') {
			continue
		}
		j, n := i+2, 0
		for ; j < len(s) && isDigit(s[j]); j++ {
			n++
		}
		if n == 0 || n > 3 || j >= len(s) || s[j] != '.' {
			continue
		}
		k := j + 1
		for ; k < len(s) && isDigit(s[k]); k++ {
		}
		if n = k - j - 1; n == 0 || n > 3 {
			continue
		}
		if k < len(s) && (isLetter(s[k]) || s[k] == '.' && k+1 < len(s) && isDigit(s[k+1])) {
			continue
		}
		return s[i:k]
	}
	return ""
}

// replyCode gives the first SMTP reply code of class 4 or 5 in a text, 0 for
// none: three digits that stand alone.
func replyCode(s string) int {
	for i := 0; i+3 <= len(s); i++ {
		if (s[i] != '4' && s[i] != '5') || s[i+1] > '5' || !isDigit(s[i+1]) || !isDigit(s[i+2]) {
			continue
		}
		if i > 0 && (isDigit(s[i-1]) || isLetter(s[i-1]) || s[i-1] == '.' || s[i-1] == '-' || s[i-1] == ':' || s[i-1] == '/') && !strings.HasSuffix(s[:i], "SMTP:") {
			continue
		}
		if i+3 < len(s) && s[i+3] != ' ' && s[i+3] != '-' && s[i+3] != '\n' && s[i+3] != ',' && s[i+3] != ';' && s[i+3] != ')' && s[i+3] != ':' && s[i+3] != '#' && s[i+3] != '"' {
			continue
		}
		return int(s[i]-'0')*100 + int(s[i+1]-'0')*10 + int(s[i+2]-'0')
	}
	return 0
}

// bestCode chooses between the status that is given as such and what the words
// say: a code in the words that is more than its class wins over one that says
// little.
func bestCode(status, words string) string {
	said := saidCode(words)
	switch {
	case status == "" && said != "":
		return said
	case general(status) && said != "" && !general(said):
		return said
	case said != "" && (status == "4.4.7" || status == "5.4.7") && said[0] == status[0] && !general(said): // it took too long; this is why
		return said
	case status != "" && status[0] == '4' && strings.HasPrefix(said, "5"):
		return said
	case status != "":
		return status
	}
	switch code := replyCode(words); {
	case code >= 500:
		return "5.0.0"
	case code >= 400:
		return "4.0.0"
	}
	return ""
}

// saidCode gives the code in the words of a server. "5.1.0 - Unknown address
// error 550-'5.2.2 …'" is what one gateway makes of all that it is told.
func saidCode(words string) string {
	code := failureCode(words)
	if code == "5.1.0" {
		_, inner, _ := strings.Cut(words, code)
		if told := failureCode(strings.ReplaceAll(inner, "'", " ")); told != "" {
			return told
		}
	}
	return code
}

// failureCode is statusCode for the words of a notice, where a transcript may
// begin with what went well.
func failureCode(words string) string {
	for {
		code := statusCode(words)
		if code == "" || code[0] != '2' {
			return code
		}
		_, words, _ = strings.Cut(words, code)
	}
}

// general reports whether a code says no more than its class.
func general(code string) bool {
	return code == "5.0.0" || code == "4.0.0" || code == ""
}

// isHard decides whether an address is no good. The code decides where it can;
// many servers give 5.1.1 for whatever they refuse, so the words are asked
// before it is believed. A refusal in words alone is believed when it came to
// the recipient, not to the text of the mail: filters say "user unknown" too.
func isHard(code, words string) bool {
	if !strings.HasPrefix(code, "5") {
		return false
	}
	low := strings.ToLower(words)
	if strings.Contains(low, "recipient address rejected: access denied") { // Exchange Online, for a recipient that is not there
		return true
	}
	for _, prefix := range []string{"5.1.7", "5.1.8", "5.2.0", "5.2.2", "5.2.3", "5.3.4", "5.6.", "5.7."} {
		if code == prefix || strings.HasSuffix(prefix, ".") && strings.HasPrefix(code, prefix) {
			return false
		}
	}
	if r := reasonIn(low); r != unclear {
		return r == gone && (!general(code) || replyCode(words) == 0 || toRecipient(low))
	}
	switch code {
	case "5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10", "5.1.351", "5.2.11":
		return true
	}
	return false
}

// toRecipient reports whether a refusal was the answer to a recipient's name.
func toRecipient(low string) bool {
	for _, w := range []string{"rcpt", "recipient", "host unknown", "name server", "no such domain", "unrouteable", "unroutable", "mx record", "doesn't have a", "... no such user", "... user unknown", "... unknown user"} {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
