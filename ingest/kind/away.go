package kind

import "strings"

// awaySubject gives the words of a subject by which an automatic answer gives
// itself away; "" for none. They are at the beginning, after at most one "Re:".
func awaySubject(subject string) string {
	s := strings.ToLower(strings.TrimSpace(subject))
	for range 2 {
		for _, re := range []string{"re:", "aw:", "sv:", "rv:", "antw:", "odp:", "vs:", "fw:"} {
			s = strings.TrimSpace(strings.TrimPrefix(s, re))
		}
	}
	s = strings.TrimLeft(s, "[(*# ")
	for _, w := range awayWords {
		if strings.HasPrefix(s, w) {
			return w
		}
	}
	for _, w := range awayAnywhere {
		if strings.Contains(s, w) {
			return w
		}
	}
	return ""
}

// awayWords begin the subjects of automatic answers.
var awayWords = []string{
	"automatic reply", "auto reply", "auto-reply", "autoreply", "auto:", "automated reply", "automated response", "automatic response", "auto response", "auto-response", "autoresponse", "out of office", "out-of-office", "out of the office", "ooo:", "vacation:", "vacation reply", "vacation response", "on vacation", "on holiday", "on leave", "away from my", "away from the office", "i am away", "i'm away", "i am out of", "i'm out of",
	"automatische antwort", "automatische rückantwort", "abwesenheit", "abwesend", "abwesenheitsnotiz", "ich bin nicht im büro", "außer haus", "im urlaub", "réponse automatique", "reponse automatique", "absence du bureau", "absent du bureau", "message d'absence", "absence :", "respuesta automática", "respuesta automatica", "fuera de la oficina", "fuera de oficina", "ausente", "risposta automatica", "fuori ufficio", "fuori sede", "assente", "resposta automática", "resposta automatica", "fora do escritório", "ausência", "ausencia", "automatisch antwoord", "automatische reactie", "afwezig", "niet op kantoor", "autosvar", "automatiskt svar", "automatisk svar", "frånvaro", "fraværende", "ikke på kontoret", "ikke til stede", "automaattinen vastaus", "poissa", "poissaolo", "odpowiedź automatyczna", "automatyczna odpowiedź", "nieobecność", "nieobecnosc", "poza biurem", "automatická odpověď", "mimo kancelář", "automatická odpoveď", "automatikus válasz", "házon kívül", "szabadságon", "răspuns automat", "raspuns automat", "автоматический ответ", "автоответ", "нет на работе", "автоматична відповідь", "автовідповідь", "автоматичен отговор", "αυτόματη απάντηση", "εκτός γραφείου", "otomatik yanıt", "ofis dışında", "ofis dışı", "rd: otomatik", "תשובה אוטומטית", "מענה אוטומטי", "رد تلقائي", "自動返信", "自動応答", "不在", "自动回复", "自動回覆", "自动答复", "외출 중", "자동 응답", "자동응답", "부재중", "ตอบกลับอัตโนมัติ", "thư trả lời tự động", "trả lời tự động", "balasan otomatis", "jawapan automatik", "automaatvastus", "automātiska atbilde", "automatinis atsakymas", "samodejni odgovor", "automatski odgovor", "аутоматски одговор",
}

// awayAnywhere give a subject away wherever they stand.
var awayAnywhere = []string{"(out of office)", "is out of the office", "ist außer haus", "est absent", "autoresponder", "auto-responder", "[auto-reply]", "[auto reply]"}
