package cluster

// topics are what a product has that can fail, with the words for it in many
// languages. A component whose name is one of them is meant by all of them.
var topics = []struct {
	label   string
	generic bool // everything and nothing: it counts only when nothing else is named
	words   string
}{
	{"login", false, `
login*|log in|logs in|logged in|logging in|logged out|logs me out|logged me out|log on|logon|sign in|signing in|signin|sign on|sso|single sign on|authentication|authenticate|auth|saml|oauth|oidc|2fa|mfa|otp|one time code|verification code|credentials|invalid password|correct password|session expired
anmelden|anmeldung*|anmelde*|angemeldet|einloggen|eingeloggt|einlogg*|logge|log mich ein|melde mich|zugangsdaten|passwort
connexion|me connecter|nous connecter|se connecter|connecter a mon|m identifier|identification|authentification|mot de passe|deconnecte*
iniciar sesion|inicio de sesion|iniciar la sesion|acceder a mi cuenta|acceder a la cuenta|entrar en mi cuenta|autenticacion|ingresar|contrasena|loguear*|loguin
accedere|accesso|effettuare il login|autenticazione|entrare nell account|entrar na conta|entrar na minha conta|iniciar sessao|fazer login|autenticacao|acessar a conta|acessar minha conta|senha
inloggen|inlog|ingelogd|aanmelden|wachtwoord|zalogowac|logowani*|zaloguj*|loguje|haslo|prihlasit|prihlaseni*|prihlasovani|prihlasenie|heslo|logga in|inloggning|loggar in|losenord|logge inn|logge ind|innlogging|log ind|kirjautu*|kirjaudu*|sisaankirjautuminen|salasana
giris|oturum|oturum acma|sifre|giremiyor*|вход|войти|войдите|авторизац*|авторизоват*|логин*|залогин*|пароль|вхід|увійти|авторизаці*|autentificare|conectez|logez|conectare|bejelentkez*|belep*|jelszo|συνδεση|συνδεθω|εισοδος|влизане|вляза|prijava|prijaviti|تسجيل الدخول|כניסה|להתחבר|התחברות|dang nhap|masuk|log masuk
登录|登入|登陆|ログイン|サインイン|認証|로그인|인증|เข้าสู่ระบบ|ล็อกอิน`},
	{"checkout", false, `
checkout*|check out|payment*|pay for|paying|pay page|pay button|cart|basket|credit card*|card payment*|purchase|purchasing|place an order|place order|placing an order|place orders|complete my order|complete an order|order button|apple pay|google pay|paypal|stripe
kasse|bezahlen|bezahlung|bezahlvorgang|zahlung|zahlungen|zahlungsvorgang|zahlungsseite|warenkorb|bestellvorgang|bestellung abschliessen|bestellung aufgeben|bestellung*|kreditkarte|einkauf abschliessen
paiement*|payer|panier|passer commande|passer une commande|finaliser ma commande|valider ma commande|valider la commande|commande|carte bancaire|caisse
pago|pagos|pagar|carrito|finalizar la compra|finalizar compra|completar el pedido|completar la compra|hacer un pedido|realizar el pago|tarjeta de credito|tarjeta|compra
pagamento|pagamenti|pagare|carrello|completare l ordine|completare l acquisto|concludere l ordine|carta di credito|cassa|acquisto|pagamentos|carrinho|finalizar a compra|finalizar o pedido|finalizar pedido|cartao|concluir a compra
afrekenen|betaling*|betalen|winkelwagen|winkelmandje|bestelling afronden|bestelling|kassa|platnosc*|zaplacic|koszyk*|zlozyc zamowieni*|zamowieni*|kasa|platb*|zaplatit|kosik*|objednavk*|pokladn*|betalning*|betala|varukorg|kassan|slutfora kop*|betalingen|handlekurv|indkobskurv|maksu*|maksaa|ostoskori*|kassalla|tilaus*
odeme*|sepet*|satin alma|siparis*|оплат*|корзин*|оформить заказ|оформлени* заказа|платеж*|заказ|оплатити|кошик*|замовленн*|plata|plati|cos de cumparaturi|cosul|fizetes*|fizetni|kosar*|penztar*|πληρωμη|πληρωμες|καλαθι|παραγγελια|плащане|количка|placanj*|kosaric*|الدفع|السلة|תשלום|עגלה|thanh toan|gio hang|pembayaran|keranjang
支付|付款|结账|結帳|结算|購物車|购物车|下单|決済|支払|お支払い|カート|購入|注文|レジ|결제|장바구니|주문|ชำระเงิน`},
	{"api", false, `
api|apis|rest api|graphql|endpoint*|api key|api calls|api requests|schnittstelle*|sdk|接口|インターフェース|апи`},
	{"webhooks", false, `webhook*|callback url|callbacks|вебхук*`},
	{"dashboard", false, `
dashboard*|control panel|admin panel|admin console|console|ubersichtsseite|tableau de bord|panel de control|panel de administracion|cruscotto|painel|beheerpaneel|panel administracyjny|панел*|kontrollpanel*|hallintapaneeli|yonetim paneli|控制台|仪表盘|儀表板|後台|后台|ダッシュボード|管理画面|대시보드|관리자 페이지`},
	{"search", false, `
search|searches|searching|search results|suche|suchfunktion|suchergebnis*|recherche|moteur de recherche|resultats de recherche|busqueda|buscador|resultados de busqueda|ricerca|risultati di ricerca|pesquisa|busca|zoekfunctie|zoeken|zoekresultaten|wyszukiwani*|wyszukiwark*|vyhledavani|vyhladavanie|sokning|sokfunktion|sok|sogning|haku|hakutoiminto|arama|поиск|пошук|cautare|kereses|αναζητηση|tim kiem|pencarian|搜索|搜尋|検索|검색`},
	{"uploads", false, `
upload*|uploading|attach files|file transfer|hochladen|hochgeladen|datei hochladen|televerse*|televersement|charger un fichier|envoi de fichiers|subir archivos|subir un archivo|subir ficheros|subida de archivos|carga de archivos|caricare file|caricamento|caricare i file|enviar arquivos|carregar ficheiros|carregar arquivos|envio de arquivos|uploaden|przesylani*|wgrac|wgrywani*|nahrat|nahravani|ladda upp|uppladdning|laste opp|opplasting|uploade|ladata tiedosto*|dosya yukle*|загрузк* файл*|загрузить файл*|завантажити файл|incarcare fisier*|feltoltes*|feltolteni|上传|上傳|アップロード|업로드`},
	{"downloads", false, `download*|herunterladen|telecharge*|descarga*|scaricare|download|pobierani*|pobrac|stahovani|stahnout|ladda ner|nedladdning|laste ned|indir|скача*|скачив*|descarcare|letoltes*|下载|下載|ダウンロード|다운로드`},
	{"exports and reports", false, `
export*|reports|report generation|reporting|csv|pdf report|berichte|auswertung*|rapports|exportation|informes|exportar|exportacion|reportes|esportazione|esportare|relatorio*|exportacao|rapporten|raport*|eksport*|hlaseni|rapporter|raportit|vienti|rapor*|отчет*|экспорт*|звіт*|експорт*|jelentes*|报表|导出|匯出|レポート|エクスポート|보고서|내보내기`},
	{"imports", false, `import fails|importing|csv import|datenimport|importieren|import de donnees|importar|importazione|importeren|импорт*|导入|匯入|インポート|가져오기`},
	{"e-mail", false, `
smtp|imap|mail server|mailserver|email delivery|mail delivery|outgoing mail|outgoing email*|incoming mail|incoming email*|emails are not|emails arent|emails not|mails are not|not receiving emails|not receiving email|not receiving any email*|receiving mail|receiving emails|sending emails|send emails|mailbox|webmail|confirmation mail|confirmation email*|confirmation emails|notification email*|reset email|password reset mail*
mailversand|e mail versand|mailserver|postfach|bestatigungsmail*|bestatigungs mail*|keine mails|keine e mails|envoi des e mails|envoi des mails|envoi d e mails|messagerie|boite mail|e mail de confirmation|envio de correos|correos no|servidor de correo|correo de confirmacion|invio delle email|invio email|posta elettronica|casella di posta|email di conferma|envio de e mails|servidor de e mail|e mail de confirmacao|bevestigingsmail*|mails versturen|poczta|wysylk* maili|e maile nie|postovni|epost|e post|sahkoposti*|bekraftelsemail*|почта|почту|письма не|пошта|листи не|邮件|郵件|メールが届|メール配信|メールサーバ|이메일이 오지|메일이 오지|메일 발송`},
	{"notifications", false, `notification*|push messages|push notification*|sms|text messages|benachrichtigung*|notificacion*|notifiche|notifica|notificacoes|notificatie*|meldingen|powiadomien*|oznameni|aviseringar|varsler|varslinger|notifikationer|ilmoituk*|bildirim*|уведомлени*|сповіщенн*|notificari|ertesites*|ειδοποιησ*|推送|通知が|プッシュ通知|알림`},
	{"mobile app", false, `
mobile app|android app|ios app|iphone app|app keeps crashing|app crash*|android|iphone|ios|app store|handy app|application mobile|aplicacion movil|app mobile|aplicativo|aplikacj* mobiln*|aplikacj*|mobilni aplikac*|mobilappen|appen|sovellus|mobil uygulama|uygulama*|приложени*|додаток|aplicatia|alkalmazas|εφαρμογη|التطبيق|האפליקציה|ung dung|aplikasi|手机应用|应用程序|客户端|アプリ|앱이|앱을|모바일 앱`},
	{"video and calls", false, `video call*|video*|meeting room*|conference call*|audio|screen sharing|telephony|phone line*|voip|sip|calls drop|calls are|telefonie|telefonanlage|videokonferenz*|visioconference|visio|telephonie|videollamada*|videochiamat*|videochamada*|videobellen|telefonie|wideorozmow*|videohovor*|videomote*|videosamtal*|видеозвон*|видеоконференц*|视频|視頻|会议|ビデオ通話|ビデオ会議|通話|화상 회의|영상 통화`},
	{"vpn", false, `vpn|tunnel|remote access|fernzugriff|acces distant|acceso remoto`},
	{"dns", false, `dns|nxdomain|name resolution|name server*|nameserver*|domain does not resolve|namensauflosung|resolution de noms|域名解析|名前解決`},
	{"network", false, `packet loss|network|connectivity|internet connection|wifi|latency|paketverlust|netzwerk|reseau|red de|rete|netwerk|siec|natverk*|nettverk*|netvaerk*|verkko|ag baglantisi|сеть|сети|мережа|网络|網路|ネットワーク|네트워크`},
	{"certificate", false, `certificate*|ssl|tls|https warning|not secure|not private|zertifikat*|certificat|certificado*|certificato|certificaat|certyfikat*|certifikat*|varmenne|sertifika*|сертификат*|сертифікат*|证书|證書|憑證|証明書|인증서`},
	{"database", false, `database*|postgres*|mysql|mongodb|replica lag|query timeout*|datenbank*|base de donnees|base de datos|banco de dados|database|baza danych|bazy danych|databaze|databas*|tietokanta*|veritabani|баз* данных|база даних|baza de date|adatbazis*|数据库|資料庫|データベース|데이터베이스`},
	{"file storage", false, `object storage|file storage|s3|bucket*|shared drive|file server|dateiablage|speicherplatz|stockage|almacenamiento|archiviazione|armazenamento|opslag|lagring|хранилищ*|存储|ストレージ|스토리지`},
	{"synchronisation", false, `sync|syncing|synchroni*|out of sync|sincroniz*|synkroni*|синхронизац*|синхронізац*|同步|同期|동기화`},
	{"registration", false, `sign up|signup|signing up|registration|create an account|creating an account|registrier*|konto erstellen|inscription|creer un compte|registro|registrarme|registrazione|registrarsi|cadastro|registar|registreren|rejestracj*|registrace|registracia|registrering|rekisteroity*|kayit ol*|uyelik|регистрац*|зарегистр*|реєстрац*|inregistrare|regisztrac*|注册|註冊|会員登録|新規登録|회원가입`},
	{"chat", false, `live chat|chat widget|chat window|messenger|chat|чат|聊天|チャット|채팅`},
	{"images", false, `images|pictures|photos|thumbnail*|cdn|bilder|images|imagenes|fotos|immagini|imagens|afbeeldingen|zdjeci*|obrazk*|bilder|billeder|kuvat|resimler|картинк*|изображени*|зображенн*|imagini|kepek|图片|圖片|画像|이미지`},
	{"builds and deployments", false, `builds|build pipeline|pipeline*|deployments|deploys|ci|runner*|git push|repositories|部署|デプロイ|배포`},
	{"bookings", false, `booking*|reservation*|buchung*|reservierung*|termin buchen|reserva*|prenotazion*|reservering*|boeking*|rezerwacj*|rezervac*|bokning*|varaus*|rezervasyon|бронировани*|бронюванн*|rezervari|foglalas*|预订|预约|預訂|予約|예약`},
	{"shop", true, `shop|store|online shop|webshop|boutique|tienda|negozio|loja|winkel|sklep|obchod|butik*|kauppa|verkkokauppa|magaza|магазин*|magazin|webaruhaz|κατάστημα|商店|商城|ショップ|ストア|쇼핑몰`},
	{"website", true, `
website*|web site*|site|page|pages|homepage|home page|portal|web app|webapp|app|apps|application|appli|aplicacion|applicazione|anwendung|toepassing|platform|service|services|server|servers|system|everything|product|tool|software|url|webseite*|internetseite|seite|seiten|plattform|dienst|dienste|alles|gar nichts|le site|site web|page|pages|plateforme|service|serveur*|tout|sitio|sitio web|pagina|paginas|web|plataforma|servicio|servidor|todo|sito|sito web|piattaforma|servizio|tutto|site|plataforma|servico|tudo|website|pagina|platform|dienst|alles|strona|strony|serwis|platforma|stranka|stranky|web|sluzba|webbplats*|hemsida*|sida|sidan|tjanst*|nettside*|hjemmeside*|siden|tjeneste*|sivusto*|sivu|sivut|palvelu*|site|web sitesi|siteniz|sayfa*|сайт*|страниц*|сервис*|платформ*|сервер*|сторінк*|сервіс*|site ul|pagina|weboldal*|oldal|szolgaltatas|ιστοσελιδα|σελιδα|υπηρεσια|сайтът|stranica|الموقع|الصفحة|האתר|trang web|situs
网站|網站|网页|網頁|页面|頁面|平台|系统|系統|服务|サイト|ページ|サービス|システム|사이트|페이지|홈페이지|서비스|시스템|เว็บ`},
}
