package cluster_test

import (
	"fmt"
	"time"

	"evenkeel/internal/ticket/cluster"
)

// noon is when the outages of the scenes begin.
var noon = time.Date(2026, 9, 14, 12, 0, 0, 0, time.UTC)

// letter is one letter of a scene: the outage that it belongs to, "" for none.
type letter struct {
	outage  string
	minutes int
	subject string
	body    string
	auto    string
}

// texts gives the letters of a scene, each of its own sender.
func texts(letters []letter) []cluster.Text {
	out := make([]cluster.Text, len(letters))
	for n, l := range letters {
		out[n] = cluster.Text{
			ID: fmt.Sprintf("%02d", n), Subject: l.subject, Body: l.body, Automatic: l.auto,
			Sender: fmt.Sprintf("person%d@customer%d.example", n, n), At: noon.Add(time.Duration(l.minutes) * time.Minute),
		}
	}
	return out
}

// everyday are letters that are in no outage whatever happens.
var everyday = []letter{
	{"", 2, "Feature request: Apple Pay in checkout", "Hi team, it would be great if the checkout supported Apple Pay. Many of our customers cannot pay by card. Any plans to add it?", ""},
	{"", 4, "Frage zur Rechnung 2026-0914", "Guten Tag, auf der Rechnung für September fehlt unsere Umsatzsteuer-ID, das ist ein Fehler. Können Sie sie bitte korrigieren?", ""},
	{"", 5, "Question about our invoice", "Hello, I cannot find the invoice for August in the dashboard and there is an error in the VAT number. Could you send it again?", ""},
	{"", 7, "September newsletter: what's new in checkout", "Our checkout team has worked hard. No more errors, faster login! Register now for our webinar. Unsubscribe here.", "list"},
	{"", 8, "Automatic reply: Checkout is down", "I am out of office until Monday and have limited access to e-mail. For urgent problems please contact my colleague.", "auto_reply"},
	{"", 9, "Undelivered Mail Returned to Sender", "This is the mail system. I'm sorry to have to inform you that your message could not be delivered. Connection timed out. login.example.org", "bounce"},
	{"", 11, "Passwort vergessen", "Hallo, ich habe mein Passwort vergessen und kann mich nicht anmelden. Bitte setzen Sie es zurück.", ""},
	{"", 13, "Partnership opportunity", "Dear sir, we offer SEO and backlinks that boost your login conversion. If the site is slow we can help.", ""},
	{"", 15, "Thanks!", "Just wanted to say that the new search is wonderful. Keep it up.", ""},
	{"", 16, "How do I add a colleague?", "Hi, how can I add a user to our account so that she can log in too?", ""},
	{"", 18, "Bewerbung als Entwicklerin", "Sehr geehrte Damen und Herren, anbei mein Lebenslauf. Fehler in verteilten Systemen zu finden ist meine Stärke.", ""},
	{"", 20, "Suggestion", "Bonjour, ce serait bien de pouvoir se connecter avec une clé de sécurité. Pourriez-vous ajouter cela ?", ""},
	{"", 21, "SLA credit for last week", "Last week's outage of the API cost us two hours. Please tell us how to claim the SLA credit and send the root cause.", ""},
	{"", 23, "Cancelación", "Hola, queremos cancelar nuestro contrato y recibir el reembolso de este mes. Gracias.", ""},
	{"", 25, "請求書の件", "いつもお世話になっております。9月分の請求書をお送りいただけますか。", ""},
	{"", 26, "Export looks odd", "The columns of the report are in a different order than last month, is that on purpose?", ""},
	{"", 28, "Webinar invitation", "Join us at our webinar about payment errors and how to avoid checkout downtime. Save the date.", ""},
	{"", 31, "Preisliste", "Guten Tag, bitte senden Sie uns Ihre aktuelle Preisliste und ein Angebot für 20 Lizenzen.", ""},
	{"", 33, "Maintenance?", "Hi, when is the next maintenance window planned? We want to schedule our own release.", ""},
	{"", -9000, "Checkout broken", "Checkout shows an error 502 when we pay. Please help.", ""},
}

// checkoutDown is an outage of the checkout in nine languages.
var checkoutDown = []letter{
	{"checkout", 0, "Checkout broken", "Hi, since a few minutes our customers get a 502 when they press pay. Is something wrong?", ""},
	{"checkout", 1, "Payment not working", "We cannot complete any order. The payment page says Bad Gateway.", ""},
	{"checkout", 3, "Kasse geht nicht", "Hallo, beim Bezahlen kommt immer eine Fehlermeldung (502). Unsere Kunden können nicht bestellen, das ist dringend!", ""},
	{"checkout", 4, "Fehler beim Bestellvorgang", "Guten Tag, der Bestellvorgang bricht seit 12 Uhr mit einem Fehler ab. Bitte prüfen.", ""},
	{"checkout", 6, "Impossible de payer", "Bonjour, le paiement ne fonctionne plus depuis midi, nos clients voient une page blanche après le panier.", ""},
	{"checkout", 7, "Error al pagar", "Hola, al intentar pagar con tarjeta aparece el error 502. No podemos vender nada.", ""},
	{"checkout", 9, "Problema con il pagamento", "Buongiorno, da mezz'ora il pagamento non funziona, il carrello resta bloccato. Ci aiutate?", ""},
	{"checkout", 10, "Betaling mislukt", "Hallo, afrekenen lukt niet meer: na de knop betalen krijgen we een foutmelding.", ""},
	{"checkout", 12, "Płatności nie działają", "Dzień dobry, od rana klienci nie mogą zapłacić, koszyk pokazuje błąd serwera.", ""},
	{"checkout", 14, "決済エラー", "お世話になっております。先ほどから決済画面でエラーが出て購入できません。至急ご確認ください。", ""},
	{"checkout", 17, "Pagamento não funciona", "Olá, o pagamento não funciona, aparece erro no carrinho. Podem verificar?", ""},
	{"checkout", 22, "URGENT", "Orders are failing!!! Nobody can check out, we are losing money.", ""},
	{"checkout", 27, "Оплата не проходит", "Здравствуйте, при оплате заказа появляется ошибка 502, корзина не работает.", ""},
	{"checkout", 35, "Re: your shop", "is checkout down for everyone or is it just me", ""},
}

// loginDown is an outage of the sign-in, at the same time.
var loginDown = []letter{
	{"login", 2, "Can't log in", "None of us can sign in since noon. The login page just spins forever.", ""},
	{"login", 5, "Anmeldung funktioniert nicht", "Wir kommen nicht mehr ins System, nach dem Einloggen erscheint eine Zeitüberschreitung.", ""},
	{"login", 8, "Connexion impossible", "Bonjour, impossible de se connecter ce midi : délai dépassé après le mot de passe.", ""},
	{"login", 11, "No puedo iniciar sesión", "Buenas, no puedo iniciar sesión desde hace un rato, se queda cargando.", ""},
	{"login", 19, "登录不了", "你们好，我们登录系统一直超时，登不上去，请尽快处理。", ""},
	{"login", 24, "SSO timeout", "Our SSO login times out for all 300 users. Error AUTH-5021.", ""},
	{"login", 29, "Giriş yapamıyoruz", "Merhaba, öğleden beri giriş yapamıyoruz, oturum açma sayfası açılmıyor.", ""},
}

// apiDown, searchDown and mailDown were written before the word lists were looked
// at again: they show what the lists are worth for letters that nobody foresaw.
var apiDown = []letter{
	{"api", 0, "API returning 503", "Every request to https://api.example.org/v2/orders returns 503 Service Unavailable since 11:58 UTC.", ""},
	{"api", 2, "Probleme mit der Schnittstelle", "Guten Tag, Ihre REST-API antwortet seit kurzem nicht mehr. Unser Warenwirtschaftssystem steht.", ""},
	{"api", 5, "API KO ?", "Bonjour, votre API renvoie des erreurs 503 en continu depuis midi environ. Avez-vous un incident en cours ?", ""},
	{"api", 6, "Integration broken", "Our integration with your API stopped about ten minutes ago, we see HTTP 503 in all logs.", ""},
	{"api", 9, "Errores en la API", "Buenas tardes. Todas las llamadas a la API nos devuelven 503. ¿Saben algo?", ""},
	{"api", 13, "API-fout", "Goedemiddag, wij krijgen op elke API-aanroep een 503 terug. Graag snel een oplossing.", ""},
	{"api", 15, "API не отвечает", "Добрый день! Ваш API возвращает 503 на все запросы, интеграция стоит.", ""},
	{"api", 18, "API 오류", "안녕하세요, 정오부터 API 호출 시 503 오류가 발생합니다. 확인 부탁드립니다.", ""},
	{"api", 21, "API funkar inte", "Hej! Sedan en stund får vi bara fel från ert API (503). Vad händer?", ""},
	{"api", 26, "Výpadek API", "Dobrý den, vaše API vrací od poledne chybu 503. Kdy bude opraveno?", ""},
	{"api", 34, "api.example.org", "Is https://api.example.org/v2/orders having problems? Getting 503s here.", ""},
}

var searchDown = []letter{
	{"search", 3, "Search returns nothing", "Whatever I type, the search shows an error and no results at all.", ""},
	{"search", 7, "Suche liefert keine Treffer", "Hallo zusammen, die Suche ist seit Mittag kaputt, es kommt nur eine Fehlerseite.", ""},
	{"search", 12, "Haku ei toimi", "Hei, sivuston haku ei toimi enää, saamme vain virheilmoituksen.", ""},
	{"search", 16, "検索が使えません", "検索するとエラーになります。昼からずっとです。", ""},
	{"search", 20, "Search down?", "Search page hangs for a minute and then fails. We rely on it all day.", ""},
	{"search", 31, "La recherche plante", "Bonjour, la recherche plante à chaque fois chez toute l'équipe.", ""},
}

// nearby are letters about the same things that are in neither outage.
var nearby = []letter{
	{"", 4, "API: pagination", "Hi, would it be possible to support cursors in the API? Offsets are slow for large lists.", ""},
	{"", 6, "API key for a new colleague", "Hello, how can we create a second API key for our test system?", ""},
	{"", 10, "API documentation", "The documentation of the orders endpoint says that status is a number but it is a string. Just so you know.", ""},
	{"", 14, "Wunsch: Suche mit Filtern", "Es wäre schön, wenn man in der Suche nach Datum filtern könnte.", ""},
	{"", 17, "Preise für die API", "Guten Tag, was kostet der API-Zugang für 50 Nutzer? Bitte um ein Angebot.", ""},
	{"", 19, "Rechnung falsch", "Die Rechnung über die API-Nutzung enthält einen Fehler, bitte um Gutschrift.", ""},
	{"", 22, "API changelog June", "New in the API this month: fewer 503 errors, better search. View in browser. Unsubscribe.", "list"},
	{"", 24, "Abwesenheitsnotiz: API 503", "Vielen Dank für Ihre Nachricht. Ich bin bis 30.9. nicht erreichbar.", "auto_reply"},
	{"", 29, "Re: API", "Thank you, it works again. You can close the ticket about the API error from yesterday.", ""},
	{"", 30, "Logo", "The logo on our account page is blurry, can we send you a better file?", ""},
	{"", 33, "Delivery failure", "550 5.1.1 user unknown. The API team <api@example.org> could not be reached.", "bounce"},
}
