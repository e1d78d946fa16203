package kind

import "strings"

// notification knows what Amazon SES reports by way of an SNS topic that
// writes mail: a JSON text, often folded so that it is none any more, hence
// read by the names in it.
func (l *look) notification() (Kind, string) {
	if !strings.HasSuffix(l.from(), "amazonaws.com") && !strings.HasSuffix(l.from(), "amazonses.com") {
		return "", ""
	}
	text := l.m.Text[:min(len(l.m.Text), maxNotice)]
	text = strings.NewReplacer(`\"`, `"`, "!\n ", "", "\n", "").Replace(text)
	kind := jsonValue(text, "notificationType")
	if kind == "" {
		kind = jsonValue(text, "eventType")
	}
	b := &Bounce{
		Recipient: addressIn(jsonValue(text, "emailAddress")), DSN: statusCode(jsonValue(text, "status")), OriginalMessageID: jsonValue(text, "messageId"),
		Diagnostic: clip(oneSpace(jsonValue(text, "diagnosticCode")), maxDiagnostic),
	}
	switch kind {
	case "Bounce":
		permanent := jsonValue(text, "bounceType") == "Permanent"
		b.DSN = bestCode(b.DSN, b.Diagnostic)
		if b.DSN == "" {
			if b.DSN = "4.0.0"; permanent {
				b.DSN = "5.0.0"
			}
		}
		b.Hard = permanent && (isHard(b.DSN, b.Diagnostic) || b.Diagnostic == "")
		l.bounce = b
		return Bounced, "Amazon reports a bounce"
	case "Complaint":
		b.Diagnostic = jsonValue(text, "complaintFeedbackType")
		l.bounce = b
		return Feedback, "Amazon reports a complaint"
	case "DeliveryDelay":
		l.bounce = b
		return Delayed, "Amazon reports a delay"
	case "Delivery":
		return Report, "Amazon reports a delivery"
	}
	return "", ""
}

// jsonValue gives the first text of a name in a JSON text.
func jsonValue(text, name string) string {
	_, rest, ok := strings.Cut(text, `"`+name+`"`)
	if !ok {
		return ""
	}
	rest = strings.TrimLeft(rest, " :")
	if !strings.HasPrefix(rest, `"`) {
		return ""
	}
	value, _, ok := strings.Cut(rest[1:], `"`)
	if !ok {
		return ""
	}
	return value
}
