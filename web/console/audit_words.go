package console

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"evenkeel/internal/journal"
)

// sentences say what an entry tells: "Anna" + "declared" + "incident 0199…".
// A verb that is missing is said by itself: incident.dropped is "dropped".
// Where the sentence already names the thing, the subject is left out (trailing dot).
var sentences = map[string]string{
	"setup.applied":        "applied the configuration.",
	"hub.started":          "started watching.",
	"hub.stopped":          "stopped watching.",
	"definition.put":       "wrote the definition of",
	"definition.removed":   "removed the definition of",
	"template.put":         "wrote the template",
	"template.dropped":     "removed the template",
	"component.moved":      "moved",
	"component.confirmed":  "published what checks see of",
	"component.stated":     "said by hand how it is with",
	"component.unstated":   "took back what was said by hand of",
	"component.held":       "held blips for a rollout of",
	"component.silenced":   "silenced the alerts of",
	"component.unsilenced": "ended the silence of",
	"component.backfilled": "filled in the past of",
	"monitor.added":        "added",
	"window.planned":       "planned the recurring maintenance",
	"window.changed":       "changed the recurring maintenance",
	"window.cancelled":     "called off the recurring maintenance",

	"maintenance.scheduled": "planned",
	"maintenance.arranged":  "put in order",
	"maintenance.changed":   "changed",
	"maintenance.started":   "began",
	"maintenance.verifying": "waits for good checks after",
	"maintenance.completed": "completed",
	"maintenance.extended":  "extended",
	"maintenance.cancelled": "called off",
	"maintenance.reminded":  "reminded people of",
	"maintenance.overdue":   "found overdue",

	"incident.suspected":   "suspected",
	"incident.declared":    "declared",
	"incident.published":   "published",
	"incident.updated":     "published an update of",
	"incident.edited":      "changed a published update of",
	"incident.moved":       "moved on",
	"incident.noted":       "wrote a note on",
	"incident.resolved":    "resolved",
	"incident.reopened":    "opened again",
	"incident.merged":      "merged",
	"incident.assigned":    "gave out a duty in",
	"incident.tasked":      "changed the tasks of",
	"incident.linked":      "linked something to",
	"incident.unlinked":    "unlinked something from",
	"incident.proposed":    "proposed to resolve",
	"incident.reviewed":    "published the review of",
	"incident.dropped":     "dropped",
	"incident.joined":      "added a failing component to",
	"incident.seen":        "saw a component change in",
	"incident.absorbed":    "took another incident into",
	"incident.drafted":     "drafted an update of",
	"incident.undrafted":   "dropped a draft of",
	"incident.scheduled":   "scheduled an update of",
	"incident.unscheduled": "took back the scheduling of an update of",
	"incident.explained":   "gave the reason of an edit of",

	"alert.opened":         "alerted staff about",
	"alert.acknowledged":   "acknowledged the alert of",
	"alert.escalated":      "called the next people about",
	"alert.over":           "ended the alert of",
	"alert.silenced":       "kept the alert quiet of",
	"alert.suppressed":     "suppressed the alert of",
	"delivery.failed":      "could not deliver the notice",
	"delivery.resent":      "sent again the notice",
	"delivery.dismissed":   "dismissed the failed notice",
	"channel.tested":       "tested the channel",
	"drill.begun":          "began a drill of",
	"oncall.overridden":    "changed who is on call in",
	"oncall.restored":      "put the rotation back of",
	"subscriber.added":     "added",
	"subscriber.asked":     "asked to subscribe as",
	"subscriber.known":     "asked to subscribe again as",
	"subscriber.confirmed": "confirmed",
	"subscriber.changed":   "changed what is told to",
	"subscriber.ended":     "ended",
	"attention.raised":     "found a loose end at",
	"attention.settled":    "saw a loose end settled at",

	"ticket.opened":       "opened",
	"ticket.received":     "received a message in",
	"ticket.muted":        "kept automatic mail with",
	"ticket.answered":     "answered",
	"ticket.written":      "wrote an answer in",
	"ticket.withdrawn":    "took an answer back in",
	"ticket.noted":        "wrote a note on",
	"ticket.moved":        "moved on",
	"ticket.reopened":     "opened again",
	"ticket.prioritised":  "said how much matters",
	"ticket.fielded":      "filled in a field of",
	"ticket.concerned":    "said what is concerned by",
	"ticket.queued":       "moved to another queue",
	"ticket.linked":       "linked to an incident",
	"ticket.unlinked":     "unlinked from an incident",
	"ticket.merged":       "merged",
	"ticket.unmerged":     "parted again",
	"ticket.split":        "made a ticket of its own of messages of",
	"ticket.snoozed":      "let rest",
	"ticket.warned":       "warned that a promise runs out in",
	"ticket.breached":     "noted a broken promise in",
	"ticket.bounced":      "heard that mail does not arrive in",
	"ticket.still_broken": "heard that it is still broken in",
	"ticket.sorted":       "sorted",
	"ticket.restored":     "put back as it was",
	"ticket.handed_over":  "gave another requester to",
	"ticket.burst":        "saw a burst of mail about",
	"requester.changed":   "changed",
	"desk.view_saved":     "kept the view",
	"desk.view_dropped":   "forgot the view",
	"desk.reply_saved":    "kept the saved reply",
	"desk.reply_dropped":  "forgot the saved reply",
	"proposal.made":       "proposed",
	"proposal.undone":     "took back what was decided of",
	"proposal.staled":     "saw the moment pass of",
	"mailbox.moved":       "saw a change of state of",
	"mailbox.gap":         "found mail missing from the ledger of",
	"mailbox.walked":      "asked for older mail of",
	"mail.quarantined":    "set aside",
	"mail.retried":        "let read again",

	"month.frozen":     "froze a month of",
	"month.corrected":  "corrected a month of",
	"uptime.corrected": "marked a false alarm of",
	"uptime.restored":  "took back a correction of",

	"person.added":     "added",
	"person.changed":   "changed",
	"person.disabled":  "kept out",
	"person.erased":    "erased",
	"person.linked":    "made a link for",
	"person.signed_in": "signed in.",
	"person.refused":   "was refused.",
	"session.revoked":  "ended",
	"token.made":       "made",
	"token.revoked":    "revoked",
	"hook.made":        "made",
	"hook.revoked":     "revoked",
}

// saysOf says what an entry tells, and whether its subject follows.
func saysOf(verb string) (words string, subject bool) {
	words, ok := sentences[verb]
	if !ok {
		_, what, _ := strings.Cut(verb, ".")
		return strings.ReplaceAll(what, "_", " "), true
	}
	if all, alone := strings.CutSuffix(words, "."); alone {
		return all, false
	}
	return words, true
}

// nouns are the kinds of entries, for the filter: the beginnings of their verbs.
var nouns = []Option{
	{Value: "", Word: "Everything"},
	{Value: "incident.", Word: "Incidents"},
	{Value: "component.", Word: "Components"},
	{Value: "maintenance.", Word: "Maintenance"},
	{Value: "alert.", Word: "Alerts"},
	{Value: "delivery.", Word: "Deliveries"},
	{Value: "subscriber.", Word: "Subscribers"},
	{Value: "oncall.", Word: "On call"},
	{Value: "person.", Word: "People"},
	{Value: "session.", Word: "Sessions"},
	{Value: "token.", Word: "API tokens"},
	{Value: "hook.", Word: "Hooks"},
	{Value: "uptime.", Word: "Corrections"},
	{Value: "setup.", Word: "Configuration"},
}

// kindWords are the kinds of subjects, as words before a name.
var kindWords = map[string]string{
	"component": "component", "monitor": "monitor", "incident": "incident", "maintenance": "maintenance", "alert": "alert", "delivery": "delivery",
	"subscriber": "subscriber", "person": "", "session": "a session", "token": "API token", "hook": "hook", "link": "the first link", "rotation": "rotation",
	"site": "the page", "channel": "channel", "template": "template", "window": "recurring maintenance",
	"ticket": "ticket", "requester": "requester", "mailbox": "mailbox", "mail": "mail", "proposal": "proposal", "desk": "",
}

// subjectPaths are where a subject has its page.
var subjectPaths = map[string]string{
	"component": "/console/components/", "monitor": "/console/monitors/", "incident": "/console/incidents/", "maintenance": "/console/calendar/",
	"delivery": "/console/deliveries/", "alert": "/console/alerts/", "subscriber": "/console/subscribers/", "person": peoplePath + "/",
	"ticket": ticketsPath + "/", "requester": requestersPath + "/", "mailbox": mailboxesPath + "/",
}

// hiddenKeys are values of an entry that its sentence, or its subject, says already.
var hiddenKeys = []string{"person", "session", "update", "number"}

// reasonWords say why somebody was refused.
var reasonWords = map[string]string{
	"password": "wrong password", "code": "wrong code", "throttled": "too many attempts", "busy": "too many at once", "disabled": "account kept out",
	"link": "a link that is not good", "no_role": "no role here", "address": "an address that is not vouched for", "not_demo": "no demo",
	"forbidden": "not allowed", "token": "a token that is not good", "hook": "no such hook", "cross_site": "sent from another site",
	"identity": "the provider's answer does not hold",
}

// details writes the values of an entry, sorted by their keys: what is an id
// there is a name here, where it has one, and what is a number of microseconds
// is a time.
func (c *Console) details(ctx context.Context, e journal.Entry) string {
	var words []string
	about := e.Payload["kind"] == "incident" && e.Payload["id"] != ""
	for _, k := range slices.Sorted(maps.Keys(e.Payload)) {
		v := e.Payload[k]
		switch {
		case k == "reason" && reasonWords[v] != "":
			words = append(words, reasonWords[v])
			continue
		case k == "count" && v == "1", v == "", slices.Contains(hiddenKeys, k), about && k == "kind":
			continue
		case about && k == "id":
			k, v = "about", c.namedIncident(ctx, "incident/"+v)
		case e.Subject.Kind == "incident" && (k == "into" || k == "from"):
			v = c.namedIncident(ctx, "incident/"+v)
		case strings.HasSuffix(k, "_us"):
			k, v = strings.TrimSuffix(k, "_us"), lengthOfMicros(v)
		default:
			v = c.namedIncident(ctx, v)
		}
		words = append(words, strings.ReplaceAll(k, "_", " ")+" "+strings.ReplaceAll(v, ",", ", "))
	}
	return strings.Join(words, " · ")
}

// namedIncident gives what staff call the incident that a reference names;
// everything else as it is.
func (c *Console) namedIncident(ctx context.Context, ref string) string {
	kind, id, _ := strings.Cut(ref, "/")
	if kind != "incident" {
		return ref
	}
	if label := c.incidentLabel(ctx, id); label != "" {
		return label
	}
	return strings.TrimPrefix(ref, "incident/")
}

// lengthOfMicros writes a number of microseconds as a time.
func lengthOfMicros(v string) string {
	n, err := strconv.ParseInt(v, 10, 64)
	switch {
	case err != nil:
		return v
	case n == 0:
		return "none"
	}
	return length(time.Duration(n) * time.Microsecond)
}
