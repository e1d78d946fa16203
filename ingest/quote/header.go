package quote

import (
	"strings"
	"unicode/utf8"
)

// isSeparator knows lines that programs put before a mail which they quote or
// pass on, and our own "reply above this line".
func isSeparator(s string) bool {
	if len(s) > 160 {
		return false
	}
	first, _ := utf8.DecodeRuneInString(s)
	switch {
	case strings.ContainsRune("-_=*<#~—–", first):
		low := strings.ToLower(s)
		if bare := strings.Trim(low, "-_=*—–<>#~ \t"); len(bare) < len(low)-3 {
			for _, w := range originals {
				if strings.Contains(bare, w) {
					return true
				}
			}
		}
		return strings.Contains(low, "reply above th") || strings.HasPrefix(s, "-----BEGIN PGP SIGNATURE-----")
	case strings.HasSuffix(s, ":") || strings.HasSuffix(s, "："):
		low := strings.ToLower(s)
		for _, w := range forwards {
			if strings.HasPrefix(low, w) && len(low)-len(w) < 4 {
				return true
			}
		}
	}
	return strings.Contains(s, "above th") && strings.Contains(strings.ToLower(s), "reply above th")
}

// originals are the words between the hyphens.
var originals = []string{
	"original message", "original mail", "original email", "original appointment", "forwarded message", "forwarded by", "forwarded mail", "reply message", "reply to message", "replied message", "message from", "original content", "forwarded letter", "forward message",
	"ursprüngliche nachricht", "originalnachricht", "original-nachricht", "urspr. nachricht", "weitergeleitete nachricht", "weitergeleitet von", "ursprünglicher termin", "originale nachricht", "ursprungliche nachricht",
	"message d'origine", "message d’origine", "message original", "message initial", "message transféré", "message transmis", "message réexpédié", "rendez-vous d'origine", "courriel original",
	"mensaje original", "mensaje reenviado", "mensagem original", "mensagem encaminhada", "messaggio originale", "messaggio inoltrato", "messaggio inviato",
	"oorspronkelijk bericht", "origineel bericht", "doorgestuurd bericht", "ursprungligt meddelande", "vidarebefordrat meddelande", "originalmeddelande", "oprindelig meddelelse", "videresendt meddelelse", "opprinnelig melding", "videresendt melding", "original besked", "alkuperäinen viesti", "välitetty viesti", "upprunaleg skilaboð",
	"wiadomość oryginalna", "oryginalna wiadomość", "treść oryginalnej wiadomości", "wiadomość przekazana", "przekazana wiadomość", "původní zpráva", "přeposlaná zpráva", "pôvodná správa", "preposlaná správa", "eredeti üzenet", "továbbított üzenet", "mesaj original", "mesaj redirecționat", "mesajul original", "izvorna poruka", "originalna poruka", "izvirno sporočilo", "originaal", "algne kiri", "originali žinutė", "sākotnējais ziņojums",
	"исходное сообщение", "пересылаемое сообщение", "переадресованное сообщение", "пересланное сообщение", "оригинальное сообщение", "исходное письмо", "вихідне повідомлення", "оригінальне повідомлення", "переслане повідомлення", "оригинално съобщение", "препратено съобщение", "αρχικό μήνυμα", "προωθημένο μήνυμα",
	"özgün ileti", "orijinal mesaj", "özgün mesaj", "iletilen mesaj", "yönlendirilmiş ileti", "הודעה מקורית", "הודעה שהועברה", "الرسالة الأصلية", "رسالة محولة", "原始邮件", "原始信件", "原始郵件", "转发邮件", "轉寄郵件", "转发的邮件", "回复邮件", "邮件原件", "元のメッセージ", "元のメール", "転送メッセージ", "転送されたメッセージ", "原文", "원본 메시지", "원본 메일", "전달된 메시지", "ข้อความต้นฉบับ", "thư gốc", "tin nhắn gốc", "pesan asli", "mesej asal",
}

// forwards are lines without hyphens that say the same.
var forwards = []string{
	"begin forwarded message", "anfang der weitergeleiteten nachricht", "anfang der weitergeleiteten e-mail", "début du message réexpédié", "début du message transféré", "inicio del mensaje reenviado", "início da mensagem reencaminhada", "início da mensagem encaminhada", "inizio messaggio inoltrato", "begin doorgestuurd bericht", "vidarebefordrat brev", "start på videresendt besked", "videresendt melding", "välitetty viesti alkaa", "początek przekazywanej wiadomości", "начало переадресованного сообщения", "начало переадресованного письма", "下面是被转发的邮件", "以下は、転送されたメッセージです", "開始轉寄的郵件", "전달된 메시지 시작",
}

// field is one of the four that a quoted header has.
type field byte

const (
	fieldFrom field = 1 << iota
	fieldDate
	fieldTo
	fieldSubject
	fieldOther
)

// maxHeader is how many lines of a quoted header are looked at.
const maxHeader = 8

// headerAt reports whether a quoted header begins at a line: at least three of
// its fields within a few lines, or two of which one is the sender.
func (c *cutter) headerAt(i int) bool {
	first := isHeaderLine(c.lines[i].bare)
	if first == 0 || first == fieldOther {
		return false
	}
	seen, n := first, 1
	strange := 0
	for j := i + 1; j < min(len(c.lines), i+maxHeader); j++ {
		bare := c.lines[j].bare
		if bare == "" {
			if n > 1 || j > i+1 {
				break
			}
			continue
		}
		f := isHeaderLine(bare)
		if f == 0 {
			if strange++; strange > 1 {
				break
			}
			continue
		}
		if seen&f == 0 {
			seen |= f
			n++
		}
	}
	return n >= 3 || n == 2 && seen&fieldFrom != 0 && seen&(fieldDate|fieldSubject) != 0
}

// isHeaderLine gives which field a line is, 0 for none. Marks of bold print
// around its name pass.
func isHeaderLine(s string) field {
	at := strings.IndexAny(s, ":：")
	if at <= 0 || at > 40 {
		return 0
	}
	name := strings.ToLower(strings.Trim(s[:at], "* \t\u00a0_"))
	return fields[name]
}

// fields are the names of quoted headers in the languages of mail programs.
var fields = map[string]field{
	"from": fieldFrom, "von": fieldFrom, "de": fieldFrom, "da": fieldFrom, "van": fieldFrom, "från": fieldFrom, "fra": fieldFrom, "frá": fieldFrom, "lähettäjä": fieldFrom, "od": fieldFrom, "odesílatel": fieldFrom, "odosielateľ": fieldFrom, "feladó": fieldFrom, "expéditeur": fieldFrom, "remitente": fieldFrom, "mittente": fieldFrom, "от": fieldFrom, "від": fieldFrom, "απο": fieldFrom, "από": fieldFrom, "kimden": fieldFrom, "gönderen": fieldFrom, "מאת": fieldFrom, "من": fieldFrom, "发件人": fieldFrom, "寄件者": fieldFrom, "寄件人": fieldFrom, "差出人": fieldFrom, "送信者": fieldFrom, "보낸 사람": fieldFrom, "보낸사람": fieldFrom, "จาก": fieldFrom, "từ": fieldFrom, "dari": fieldFrom, "saatja": fieldFrom, "nuo": fieldFrom, "no": fieldFrom, "de la": fieldFrom, "от кого": fieldFrom,
	"date": fieldDate, "sent": fieldDate, "sent at": fieldDate, "sent on": fieldDate, "datum": fieldDate, "gesendet": fieldDate, "gesendet am": fieldDate, "envoyé": fieldDate, "envoyé le": fieldDate, "date d'envoi": fieldDate, "enviado": fieldDate, "enviado el": fieldDate, "enviada em": fieldDate, "enviada": fieldDate, "enviado em": fieldDate, "fecha": fieldDate, "data": fieldDate, "inviato": fieldDate, "data invio": fieldDate, "verzonden": fieldDate, "verstuurd": fieldDate, "skickat": fieldDate, "skickad": fieldDate, "sendt": fieldDate, "dato": fieldDate, "lähetetty": fieldDate, "päivämäärä": fieldDate, "päiväys": fieldDate, "sent date": fieldDate, "wysłano": fieldDate, "wysłane": fieldDate, "odesláno": fieldDate, "odoslané": fieldDate, "dátum": fieldDate, "elküldve": fieldDate, "trimis": fieldDate, "отправлено": fieldDate, "дата": fieldDate, "надіслано": fieldDate, "изпратено": fieldDate, "ημερομηνία": fieldDate, "στάλθηκε": fieldDate, "gönderildi": fieldDate, "gönderme tarihi": fieldDate, "tarih": fieldDate, "gönderilen": fieldDate, "נשלח": fieldDate, "תאריך": fieldDate, "תאריך שליחה": fieldDate, "تاريخ الإرسال": fieldDate, "التاريخ": fieldDate, "أُرسلت": fieldDate, "发送时间": fieldDate, "日期": fieldDate, "发件时间": fieldDate, "傳送時間": fieldDate, "寄件日期": fieldDate, "送信日時": fieldDate, "日付": fieldDate, "日時": fieldDate, "보낸 날짜": fieldDate, "날짜": fieldDate, "보낸날짜": fieldDate, "วันที่": fieldDate, "ngày": fieldDate, "đã gửi": fieldDate, "tanggal": fieldDate, "dikirim": fieldDate, "saadetud": fieldDate, "išsiųsta": fieldDate, "nosūtīts": fieldDate, "poslano": fieldDate, "poslané": fieldDate, "sendt den": fieldDate,
	"to": fieldTo, "an": fieldTo, "à": fieldTo, "a": fieldTo, "para": fieldTo, "aan": fieldTo, "till": fieldTo, "til": fieldTo, "vastaanottaja": fieldTo, "do": fieldTo, "komu": fieldTo, "pre": fieldTo, "címzett": fieldTo, "către": fieldTo, "destinataire": fieldTo, "destinatario": fieldTo, "кому": fieldTo, "до": fieldTo, "προς": fieldTo, "kime": fieldTo, "alıcı": fieldTo, "אל": fieldTo, "إلى": fieldTo, "收件人": fieldTo, "收件者": fieldTo, "宛先": fieldTo, "受信者": fieldTo, "받는 사람": fieldTo, "받는사람": fieldTo, "ถึง": fieldTo, "đến": fieldTo, "tới": fieldTo, "kepada": fieldTo, "za": fieldTo, "kam": fieldTo, "kellele": fieldTo, "prima": fieldTo,
	"subject": fieldSubject, "betreff": fieldSubject, "objet": fieldSubject, "sujet": fieldSubject, "asunto": fieldSubject, "assunto": fieldSubject, "oggetto": fieldSubject, "onderwerp": fieldSubject, "ämne": fieldSubject, "emne": fieldSubject, "efni": fieldSubject, "aihe": fieldSubject, "otsikko": fieldSubject, "temat": fieldSubject, "předmět": fieldSubject, "predmet": fieldSubject, "tárgy": fieldSubject, "subiect": fieldSubject, "тема": fieldSubject, "относно": fieldSubject, "θέμα": fieldSubject, "konu": fieldSubject, "נושא": fieldSubject, "الموضوع": fieldSubject, "主题": fieldSubject, "主題": fieldSubject, "主旨": fieldSubject, "件名": fieldSubject, "제목": fieldSubject, "เรื่อง": fieldSubject, "chủ đề": fieldSubject, "tiêu đề": fieldSubject, "perihal": fieldSubject, "subjek": fieldSubject, "teema": fieldSubject, "tema": fieldSubject, "re": fieldSubject,
	"cc": fieldOther, "bcc": fieldOther, "kopie": fieldOther, "kopia": fieldOther, "kopi": fieldOther, "copie": fieldOther, "копия": fieldOther, "抄送": fieldOther, "副本": fieldOther, "참조": fieldOther, "reply-to": fieldOther, "antwort an": fieldOther, "répondre à": fieldOther, "responder a": fieldOther, "rispondi a": fieldOther, "risposta": fieldOther, "importance": fieldOther, "attachments": fieldOther, "wichtigkeit": fieldOther, "priorité": fieldOther,
}
