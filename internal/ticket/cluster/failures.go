package cluster

// The words in which people say that something fails: weight and phrases, in the
// languages of Europe and the largest ones beyond.

// certain are words that hardly anybody uses for anything else.
const certain = `
not working|isnt working|aint working|doesnt work|does not work|dont work|do not work|didnt work|stopped working|wont work|no longer work*|not responding|doesnt respond|does not respond
is down|are down|was down|went down|been down|goes down|gone down|down for us|down again|down since|down right now|down for everyone|down for anyone|site down|down or is it|completely down|totally down|still down|appears down|seems down|seems to be down
outage*|offline|unreachable|unavailable|not available|not reachable|cant reach|cannot reach|not loading|doesnt load|does not load|wont load|fails to load|never loads|not open*|wont open|doesnt open
timed out|timeout*|time out|times out|timing out|bad gateway|gateway timeout|service unavailable|internal server error|server error*|internal error|connection refused|connection reset|connection error*|econn*
crash*|keeps failing|is failing|are failing|fails|failing|broken|is broke|blank page|white page|white screen|blank screen|empty page|spinning forever|spins forever|loading forever|hangs|hanging|frozen|freezes|is dead|still broken|went wrong|keep getting|keeps getting|keeps returning|keeps saying
geht nicht|gehen nicht|geht _ nicht|geht nichts|gehts nicht|funktioniert nicht|funktionieren nicht|funktioniert _ nicht|funktioniert nichts|nicht erreichbar|nicht verfugbar|nicht mehr erreichbar|nicht aufrufbar|lasst sich nicht|ladt nicht|laden nicht|ladt _ nicht|ausfall|ausgefallen|storung*|gestort|abgesturzt|sturzt ab|zeituberschreitung|kaputt|bricht ab|brechen ab|abgebrochen|fehlermeldung*|serverfehler|weisse seite|leere seite|haengt|hangt|geht gar nichts|scheitert|schlagt fehl|schlagen fehl|fehlgeschlagen|reagiert nicht
ne fonctionne pas|ne fonctionne plus|ne fonctionnent pas|ne fonctionnent plus|fonctionne pas|fonctionne plus|ne marche pas|ne marche plus|marche pas|marche plus|ne marchent plus|en panne|panne|hors service|hors ligne|indisponible*|inaccessible*|injoignable*|ne repond pas|ne repond plus|repond plus|ne charge pas|ne charge plus|ne s ouvre pas|ne s ouvre plus|page blanche|plante|erreur serveur|echoue*|message d erreur|delai depasse|est tombe*|bloque sur
no funciona|no funcionan|no esta funcionando|ha dejado de funcionar|dejo de funcionar|no va|no carga|no cargan|no responde|no responden|no abre|se cae|se ha caido|esta caid*|caida del|caido|caida|fuera de servicio|no disponible|no esta disponible|inaccesible|pantalla en blanco|pagina en blanco|mensaje de error|error del servidor|falla|fallan|fallando|tiempo de espera|se cuelga|se queda colgad*|se queda cargando
non funziona|non funzionano|non va|non vanno|ha smesso di funzionare|non funziona piu|non risponde|non si carica|non carica|non si apre|irraggiungibil*|non raggiungibil*|non e raggiungibile|non disponibil*|fuori servizio|e giu|e gi u|sito giu|pagina bianca|messaggio di errore|errore del server|si blocca|bloccat*|guasto|disservizio|fallisce|falliscono
nao funciona|nao funcionam|nao esta funcionando|nao esta a funcionar|parou de funcionar|deixou de funcionar|nao carrega|nao carregam|nao responde|nao abre|fora do ar|indisponivel|indisponiveis|inacessivel|caiu|mensagem de erro|erro do servidor|erro no servidor|falha|falhando|falham|travad*|pagina em branco|tela branca
werkt niet|werken niet|werkt _ niet|doet het niet|doet niets|niet bereikbaar|onbereikbaar|niet beschikbaar|laadt niet|storing|ligt eruit|ligt plat|ligt er uit|uit de lucht|foutmelding*|serverfout|witte pagina|loopt vast|crasht|mislukt*|reageert niet
nie dziala|nie dzialaja|przestal* dzialac|niedostepn*|nie odpowiada|nie laduje|nie wczytuje|awaria|awarii|blad serwera|komunikat o bledzie|nie otwiera|zawiesza|pada|lezy strona
nefunguje|nefunguji|nefunguju|prestal* fungovat|nedostupn*|neodpovida|neodpoveda|nenacita|nenacitava|vypadek|vypadok|chyba serveru|chybova hlaska|pada|spadl*|nejde|nejdou
fungerar inte|fungerar ej|funkar inte|ligger nere|nere|gar inte|laddar inte|svarar inte|felmeddelande|serverfel|avbrott|driftstopp|kraschar|otillganglig*|virker ikke|fungerer ikke|er nede|ligger nede|nede|svarer ikke|laster ikke|indlaeser ikke|feilmelding*|fejlmeddelelse|nedbrud|driftsstans|utilgjengelig|utilgaengelig
ei toimi|eivat toimi|lakkasi toimimasta|ei vastaa|ei lataudu|ei aukea|alhaalla|on nurin|kaatuu|virheilmoitus|palvelinvirhe|kayttokatko*|hairio|hairiossa
calismiyor|calismiyo|acilmiyor|yuklenmiyor|erisilemiyor|ulasilamiyor|ulasamiyor*|yanit vermiyor|cevap vermiyor|coktu|cokuyor|kesinti|sunucu hatasi|hata mesaji|hata aliyor*|hata veriyor|zaman asimi
не работает|не работают|не загружается|не грузится|не отвечает|недоступен|недоступна|недоступно|недоступны|не открывается|упал|упала|упали|лежит|падает|сбой|ошибка сервера|выдает ошибку|таймаут|зависает|зависла|перестал* работать|не проходит|не проходят
не працює|не працюють|не завантажується|не відповідає|недоступний|недоступна|не відкривається|збій|помилка сервера|впав|впала
nu functioneaza|nu merge|nu merg|nu raspunde|nu se incarca|indisponibil*|inaccesibil*|picat|a cazut|eroare de server|eroare server|mesaj de eroare
nem mukodik|nem mukodnek|nem elerheto|nem valaszol|nem tolt be|nem toltodik|leallt|hibauzenet|szerverhiba|osszeomlik
δεν λειτουργει|δεν λειτουργουν|δεν δουλευει|δεν φορτωνει|δεν ανταποκρινεται|εκτος λειτουργιας|μη διαθεσιμ*|επεσε|μηνυμα σφαλματος|σφαλμα διακομιστη
не работи|не зарежда|недостъпн*|не отговаря|ne radi|ne rade|nedostupno|nedostupna|ne odgovara|ne dela|ne deluje
لا يعمل|لا تعمل|لا يستجيب|متوقف|معطل|غير متاح|تعطل|לא עובד|לא עובדת|לא זמין|לא נטען|קרס|תקלה
动不了|無法使用|无法使用|打不开|打不開|無法連線|无法连接|无法访问|無法訪問|崩溃|當機|宕机|掛了|挂了|超时|逾時|服务器错误|伺服器錯誤|不可用|故障|加载不出|加载失败|载入失败|没有反应|沒有反應|登录不了|登不上|登不进|失败|失敗
動かない|動きません|動作しない|使えない|使えません|つながらない|繋がらない|繋がりません|つながりません|開けない|開けません|開かない|開きません|表示されない|表示されません|落ちて|障害|エラーが出|エラーになり|エラーが表示|サーバーエラー|タイムアウト|応答がない|応答しません|ダウンして|できません|できない
작동하지|작동 안|안 됩니다|안됩니다|안 돼요|안돼요|되지 않습니다|되지 않아요|접속이 안|접속 불가|접속할 수 없|열리지|응답이 없|다운되|장애|서버 오류|오류가 발생|에러가 발생|먹통|시간 초과
ใช้งานไม่ได้|เข้าไม่ได้|ล่ม|ไม่ทำงาน|khong hoat dong|khong truy cap duoc|khong vao duoc|bi loi|khong tai duoc|tidak bisa diakses|tidak berfungsi|tidak bisa dibuka|gagal|eror
`

// likely are words for a failure that also stand for less.
const likely = `
error|errors|fail|failed|failure*|fault*|broke|cannot|cant|can not|couldnt|could not|unable to|not able to|impossible to|wont|wouldnt let|slow|very slow|really slow|super slow|sluggish|laggy|stuck|glitch*|intermittent*|disconnect*|keeps disconnecting|degraded|no response|nothing happens|never arriv*|not arriv*|not receiv*|no access|disruption*|hiccup*|rejected|having problem*|having issue*|having trouble|experiencing|any known issue*|any incident|known incident|is _ down|are _ down|is anyone else|is it just me|lost connection|loses connection|takes forever|taking forever|minutes to load|seconds to load|still not|not resolved|not fixed|dropping|drops
fehler|kann nicht|konnen nicht|kann _ nicht|konnen _ nicht|konnte nicht|nicht moglich|unmoglich|langsam|trage|dauert ewig|ewig|komme nicht|kommen nicht|komme ich nicht|kommt nicht an|kommen nicht an|klappt nicht|passiert nichts|keine verbindung|verbindungsabbruch*|kein zugriff|immer noch nicht|nicht mehr|nicht moeglich
erreur*|impossible|ne peux pas|ne peut pas|ne pouvons pas|ne pouvons plus|ne peux plus|n arrive pas|n arrive plus|n arrivons pas|n arrivons plus|arrivons plus|n y arrive|tres lent|lenteur*|lente|lent|bloque*|rien ne se passe|ne recois|ne recevons|coupure*|toujours pas|interrompu*|incapable*
error|errores|no puedo|no podemos|no se puede|no me deja|no nos deja|no logro|imposible|muy lento|lenta|lentitud|no llega|no llegan|no recibo|no recibimos|no consigo|bloquead*|sigue sin|problema tecnico|intermitente
errore|errori|non riesco|non riusciamo|non posso|non possiamo|non si puo|non e possibile|impossibile|lento|lentissim*|lenta|non arriva|non arrivano|non ricev*|ancora non|non riesce
erro|erros|nao consigo|nao conseguimos|nao consegue|nao posso|nao podemos|nao e possivel|impossivel|lento|lenta|lentidao|nao chega|nao chegam|nao recebo|nao recebemos|continua sem
fout|fouten|kan niet|kunnen niet|kan _ niet|kunnen _ niet|lukt niet|onmogelijk|traag|komt niet aan|krijg geen|niet mogelijk|geen toegang|nog steeds niet
blad|bledy|bledem|nie moge|nie mozna|nie mozemy|niemozliw*|wolno|powoli|nie dochodzi|nie udaje|problem z|chyba|chybu|chyby|nemohu|nemuzu|nemuzeme|nelze|nejde mi|pomal*|nemozem|nie je mozne
fel|kan inte|kan ej|gar ej|langsam*|segt|kommer inte|fejl|kan ikke|feil|treg|treigt|kommer ikke|far ikke|umulig|virhe|virheita|en voi|emme voi|ei voi|hidas|hitaasti|en paase|emme paase|ei onnistu
hata|hatasi|yapamiyor*|edemiyor*|giremiyor*|giris yapamiyor*|olmuyor|yavas|cok yavas|gelmiyor|alamiyor*
ошибка|ошибку|ошибки|не могу|не можем|не получается|невозможно|медленно|тормозит|не приходит|не приходят|не удается|помилка|помилку|не можу|не можемо|не вдається|повільно
eroare|erori|nu pot|nu putem|nu reusesc|imposibil|lent|foarte incet|hiba|hibat|nem tudok|nem tudunk|nem lehet|lassu|nagyon lassu|nem sikerul|σφαλμα|δεν μπορω|δεν μπορουμε|αργει|πολυ αργο|грешка|не мога|не можем|greska|ne mogu|ne mozemo|napaka|ne morem
خطأ|لا أستطيع|لا استطيع|لا يمكن|بطيء|שגיאה|לא מצליח|לא מצליחה|לא מצליחים|איטי|loi|khong the|cham|kesalahan|tidak bisa|tidak dapat|lambat
错误|錯誤|无法|無法|不能|进不去|進不去|很慢|卡住|卡顿|报错|エラー|重い|遅い|不具合|오류|에러|느려|느립니다|할 수 없|못 하|못하|ผิดพลาด|ช้า
`

// vague are words of somebody in need of whatever it is.
const vague = `
problem*|issue*|trouble*|urgent*|asap|help|please fix|critical|emergency|affected|blocked|waiting|anyone|strange|weird|wrong
dringend|hilfe|bitte um hilfe|probleme|schwierigkeit*|betroffen|probleme*|souci*|aidez|au secours|problema*|urgente*|ayuda|aiuto|ajuda|probleem|problemen|pomocy|pilne|pomoc|hjalp|hjelp|ongelma*|apua|sorun*|acil|yardim|проблем*|срочно|помогите|терміново|допоможіть|gond|segitseg|προβλημα|επειγον|مشكلة|עזרה|בעיה|masalah|van de|gap
问题|問題|紧急|緊急|救命|困っ|至急|문제|급합니다|도와|ปัญหา
`
