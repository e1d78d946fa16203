package kind

import (
	"strings"
)

// unstructured knows the notices of servers that came before RFC 3464, or that
// do not care for it. It wants two signs: that a server sends it, or that a
// mail came back with it; and what it says. People write about mail that was
// not delivered, too.
func (l *look) unstructured() (Kind, string) {
	signs := 0
	why := ""
	note := func(n int, text string) {
		if signs += n; why == "" {
			why = text
		}
	}
	if l.m.Header.Has("X-Failed-Recipients") {
		note(2, "it has X-Failed-Recipients")
	}
	if l.isDaemon() {
		note(2, "a mail server sent it")
	}
	if l.nullSender() {
		note(1, "its envelope has no sender")
	}
	subject := strings.ToLower(l.m.Subject)
	for _, s := range bounceSubjects {
		if strings.Contains(subject, s) {
			note(2, "its subject says that it could not be delivered")
			break
		}
	}
	auto := l.field("Auto-Submitted")
	server := l.isDaemon() || l.nullSender() || l.m.Header.Has("X-Failed-Recipients") || auto != "" && auto != "no"
	if signs < 2 || !server && len(l.m.Nested) == 0 && !(noReply(l.from()) && len(l.m.References) == 0) {
		return "", ""
	}
	notice, _ := l.notice()
	low := strings.ToLower(notice)
	for _, s := range bounceWords {
		if strings.Contains(low, s) {
			note(2, "its text says that it could not be delivered")
			break
		}
	}
	delay := l.saysDelay()
	if delay {
		note(2, "it says that it is delayed")
	}
	if signs < 4 {
		if signs < 3 || statusCode(notice) == "" && replyCode(notice) == 0 && len(l.m.Nested) == 0 {
			return "", ""
		}
	}
	l.bounce = l.fromText()
	if delay {
		l.bounce.Hard = false
		return Delayed, why
	}
	return Bounced, why
}

// isDaemon reports whether a mail server is the sender.
func (l *look) isDaemon() bool {
	name := local(l.from())
	for _, d := range []string{"mailer-daemon", "mailerdaemon", "mail-daemon", "maildaemon", "postmaster", "post_master", "post.master", "mdaemon", "mailer_daemon", "mail_delivery_subsystem", "smtp-daemon", "bounce", "bounces", "mailgate", "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e", "mail.delivery.system", "mailsystem", "mailadmin"} {
		if name == d || strings.HasPrefix(name, "mailer-daemon") || strings.HasPrefix(name, "microsoftexchange") {
			return true
		}
	}
	who := l.fromName()
	for _, d := range []string{"mail delivery", "delivery subsystem", "mailer-daemon", "mailer daemon", "mail administrator", "system administrator", "internet mail delivery", "postmaster", "mail system"} {
		if strings.Contains(who, d) {
			return true
		}
	}
	if name == "" && len(l.m.From) > 0 && strings.Contains(strings.ToLower(l.m.Header.Raw("From")), "daemon") {
		return true
	}
	return false
}

// saysDelay reports whether the words are those of a warning.
func (l *look) saysDelay() bool {
	subject := strings.ToLower(l.m.Subject)
	for _, s := range delaySubjects {
		if strings.Contains(subject, s) {
			return true
		}
	}
	notice, _ := l.notice()
	low := strings.ToLower(notice[:min(len(notice), 4000)])
	for _, s := range delayWords {
		if strings.Contains(low, s) {
			return true
		}
	}
	return false
}

var delaySubjects = []string{"delivery status notification (delay)", "delayed mail", "delivery delayed", "mail delivery delayed", "delivery delay", "warning: could not send message", "warning: message delayed", "warning - delayed", "transient failure", "message delayed", "(delayed)", "verzögert", "retardé", "retrasad", "still being retried", "still trying", "zustellung verzögert"}

var delayWords = []string{"this is a warning message only", "this is only a warning", "you do not need to resend", "no need to resend", "has not yet been delivered", "could not be delivered yet", "not been delivered yet", "delivery attempts will continue", "will continue to be attempted", "will keep trying", "will continue trying", "still trying to deliver", "delivery is delayed", "delivery has been delayed", "this is a transient error", "temporarily delayed", "message is delayed"}

var bounceSubjects = []string{
	"undeliver", "returned mail", "returned message", "return mail", "mail delivery fail", "delivery fail", "delivery notification", "delivery status notification", "delivery report", "failure notice", "failure delivery", "failed mail", "mail failure", "delivery has failed", "delivery error", "mail error", "mail system error", "could not be delivered", "couldn't be delivered", "cannot be delivered", "can't be delivered", "not delivered", "non delivery", "non-delivery", "nondelivery", "ndn:", "ndr:", "dsn:", "non remis", "non recapit", "unzustellbar", "nicht zustellbar", "nicht zugestellt", "onbestelbaar", "niet bezorgd", "no entregado", "no se puede entregar", "não entregue", "olevererbar", "kan ikke leveres", "niedostarczalna", "nedoručiteln", "не доставлен", "недоставленное", "配信不能", "配信できません", "送信できませんでした", "エラーメール", "メールエラー", "エラー通知", "配信エラー", "配送エラー", "送信エラー", "退信", "无法投递", "無法傳遞", "delivery problem", "message status - undeliverable", "rejected:", "email rejected", "mail rejected", "message rejected", "user unknown", "unknown user", "address not found", "permanent error", "errore di consegna", "mancata consegna", "échec", "echec", "notification d'état de remise", "zustellung", "bounce", "warning: message", "mail could not be", "message not delivered", "unable to deliver", "out of office - undeliver", "problems delivering", "error sending", "error delivering", "delivery incomplete", "message blocked",
}

var bounceWords = []string{
	"could not be delivered", "couldn't be delivered", "cannot be delivered", "can't be delivered", "can not be delivered", "not be delivered", "was not delivered", "wasn't delivered", "were not delivered", "has been failed", "undeliverable", "unable to deliver", "wasn't able to deliver", "not able to deliver", "could not deliver", "couldn't deliver", "cannot deliver", "can't deliver", "failed to deliver", "delivery failed", "delivery failure", "delivery to the following", "delivery has failed", "delivery error", "did not reach the following", "did not reach", "permanent fatal error", "permanent error", "fatal error", "following address", "following recipient", "addresses failed", "returned message", "returned to you", "is being returned", "was returned", "has been returned", "returning message", "message returned", "unsent message", "transcript of session", "message that you sent", "your message to", "rejected your message", "was rejected", "has been rejected", "message was refused", "failure reasons", "error message below", "user unknown", "unknown user", "no such user", "recipient rejected", "recipient address rejected", "original message follows", "below this line is a copy", "copy of the message", "remote host said", "remote server", "smtp error", "rcpt to", "mail could not be", "mailbox is full", "mailbox full", "quota", "配信できません", "届けることができません", "送信できませんでした", "お届けできません", "konnte nicht zugestellt", "nicht zugestellt werden", "n'a pas pu être", "n'a pas été", "no se pudo entregar", "no pudo ser entregado", "impossibile consegnare", "non è stato possibile", "não foi possível", "не удалось доставить", "не доставлено", "не может быть доставлено", "无法投递", "退回",
}
