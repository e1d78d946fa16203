package quote

import "strings"

// maxSignature is how long the line of a device is at most.
const maxSignature = 160

// isSignature knows the lines that phones and programs put below a mail.
func isSignature(s string) bool {
	if len(s) > maxSignature {
		return false
	}
	low := strings.ToLower(strings.TrimLeft(s, "<([*_-—– \t"))
	for _, w := range sentFrom {
		if strings.HasPrefix(low, w) {
			return true
		}
	}
	for _, w := range sentWith {
		if strings.Contains(low, w[0]) && strings.Contains(low, w[1]) {
			return true
		}
	}
	return len(low) < 40 && strings.Count(low, " ") <= 4 && (strings.HasSuffix(low, " from mobile") || strings.HasPrefix(low, "from my "))
}

// sentFrom begin the lines of devices.
var sentFrom = []string{
	"sent from ", "sent via ", "sent with ", "sent by ", "sent using ", "sent on the go", "sent on my", "get outlook for ", "get [outlook for", "download outlook", "get bluemail", "typed on my", "written on my",
	"envoyé de ", "envoyé depuis ", "envoyé à partir d", "envoyé par mon", "envoyé avec ", "télécharger outlook", "obtenir outlook", "gesendet von ", "gesendet mit ", "gesendet über ", "gesendet aus ", "versendet mit ", "outlook für ", "holen sie sich outlook",
	"enviado desde ", "enviado de ", "enviado do ", "enviado a partir", "enviado con ", "enviado com ", "enviado via ", "enviado por ", "obtener outlook", "obter o outlook", "inviato da", "inviato dal", "inviato con ", "scarica outlook", "ottieni outlook",
	"verzonden vanaf ", "verzonden met ", "verzonden via ", "verzonden vanuit ", "verstuurd vanaf ", "verstuurd met ", "outlook voor ", "skickat från ", "skickat med ", "skickat via ", "hämta outlook", "sendt fra ", "sendt med ", "sendt via ", "hent outlook", "lähetetty ", "sent frå ", "hanki outlook",
	"wysłane z ", "wysłano z ", "wysłane przez ", "pobierz outlook", "odesláno z ", "odeslané z ", "odoslané z ", "stáhnout outlook", "küldve ", "elküldve ", "trimis de pe ", "trimis din ", "poslano z ", "poslano s ", "poslano sa ", "saadetud ", "išsiųsta iš ", "sūtīts no ",
	"отправлено с ", "отправлено из ", "отправлено через ", "послано с ", "надіслано з ", "відправлено з ", "изпратено от ", "στάλθηκε από ", "εστάλη από ", "נשלח מ", "أرسلت من ", "مرسل من ", "发自我的", "发自", "來自", "从我的", "從我的", "寄自", "获取 outlook", "取得 outlook", "来自我的", "나의 ", "내 iphone", "gửi từ ", "được gửi từ ", "dikirim dari ", "dihantar dari", "ส่งจาก",
	"ελήφθη από", "iphone'umdan gönderildi", "iphone’umdan gönderildi", "ipad'imden gönderildi", "скачать outlook", "outlook for ", "envoyé via ", "sent securely ",
}

// sentWith are pairs of words that together make such a line.
var sentWith = [][2]string{
	{"von meinem ", " gesendet"}, {"diese nachricht wurde von ", " gesendet"}, {"mit ", " gesendet."}, {"から送信", ""}, {"iphone", "から送信"}, {"傳送", "iphone"}, {"에서 보냄", ""}, {"boodschap is verzonden", ""}, {"telefonumdan", "gönderildi"}, {"cihazımdan", "gönderildi"}, {"android-", "gesendet"}, {"iphone", "gönderildi"},
}
