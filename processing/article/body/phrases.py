"""Phrases of boilerplate: buttons, prompts, related sections, dates, calls to action.

All patterns are for text in lower case: without IGNORECASE, a pattern of many alternatives is matched several times faster.
"""

from __future__ import annotations

import re

from processing.article.body.openings import Phrases


def _any(*phrases: str) -> str:
    return f"(?:{_joined(*phrases)})"


def _joined(*phrases: str) -> str:
    return "|".join(phrases)


_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?"
    r"|dec(?:ember)?)"
    r"\b\.?"
)
_DAY = r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:r(?:s(?:day)?)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)\b\.?"

# Labels for advertisements, sharing, comments and "read more" in other languages.
_FOREIGN_LABELS = (
    r"anzeige|werbung|publicidad|publicité|pubblicità|publicidade|advertentie|annonse?|reklama|реклама|iklan|広告|广告|廣告|광고"
    r"|teilen|compartir|partager|condividi|compartilhar|delen|поделиться|udostępnij|paylaş|bagikan|シェアする?|分享|공유(?:하기)?"
    r"|kommentare?|comentarios?|commentaires?|commenti|comentários?|reacties?|комментарии|komentarze|yorumlar|komentar|コメント|评论|評論|댓글"
    r"|(?:mehr|weiter)\s?lesen|weiterlesen|leer más|seguir leyendo|lire (?:la suite|plus)|leggi (?:tutto|di più)|continua a leggere"
    r"|leia mais|lees (?:meer|verder)|читать далее|czytaj (?:więcej|dalej)|devamını oku|続きを読む|阅读全文|閱讀全文|더 ?보기"
)
# Notes, prompts and credits in other languages, each a whole block.
_FOREIGN_NOTES = (
    r"das (?:thema |dürfte |könnte ).{0,45}|(?:mehr|alle|weitere|aktuelle) (?:themen|artikel|beiträge|news|nachrichten|meldungen).{0,40}"
    r"|themen:.*|mehr (?:zum thema|dazu|infos?|informationen).{0,30}|auch (?:interessant|lesenswert|spannend).{0,20}"
    r"|(?:zuletzt |letzte )?(?:aktualisiert|aktualisierung|geändert|publiziert|veröffentlicht|erstellt)(?: am|:).*|stand:.*"
    r"|(?:artikel|beitrag|seite|den artikel|diesen beitrag) .{0,30}(?:drucken|teilen|versenden|merken|weiterempfehlen).{0,15}|drucken"
    r"|\W?(?:noch )?keine (?:kommentare|bewertungen?)\W?|kommentar (?:schreiben|hinterlassen|verfassen|abgeben)|schreibe? einen kommentar.*"
    r"|\W{0,3}(?:anzeige|werbung)[,.:(].{0,50}|(?:beitrags|titel)bild.*|(?:fotos?|bild(?:er)?|abbildung|grafik|© ?foto)(?:quellen?)?:.*"
    r"|(?:bild|foto|text|video)(?:quelle|rechte|nachweis).*|quellen? (?:ausblenden|anzeigen)|"
    r"(?:abonniere|folge?)n? (?:sie )?(?:uns|unseren|jetzt).*"
    r"|jetzt (?:abonnieren|anmelden|registrieren|teilen|kommentieren|kaufen|bestellen).*|möchten sie weiterlesen.*|was denkst du.?"
    r"|(?:sie sind|du bist) (?:aktuell |derzeit |momentan )?nicht (?:ein|an)geloggt.*|rezept (?:drucken|merken|speichern)|zum rezept"
    r"|(?:te|le|les|os|quizás(?: te| le)?|también(?: te| le)?) (?:puede|podría|pueden)n? interesar.*|"
    r"(?:lea|lee|mira|vea|ver|conozca)(?: también| además| más).*"
    r"|más (?:sobre|en|de) .{0,40}|(?:síguenos|síganos|suscríbete|suscríbase|únete|hazte (?:miembro|socio)|comparte|compartir esta).*"
    r"|(?:publicado|actualizado|última actualización)(?: el|:).*|(?:foto|imagen|fuente de la imagen|crédito)s?:.*"
    r"|(?:partagez|abonnez-vous|inscrivez-vous|suivez-nous|à voir aussi|voir aussi|à découvrir).{0,45}"
    r"|(?:publié|mis à jour|modifié) (?:le|à).*|crédits? (?:photo|image).*|(?:condividi|iscriviti|seguici|abbonati).{0,45}"
    r"|(?:pubblicato|aggiornato) (?:il|alle).*|(?:compartilhe|inscreva-se|assine|siga).{0,45}|(?:publicado em|atualizado em).*"
    r"|(?:lees ook|bekijk ook|meer over|volg ons|abonneer|deel dit).{0,45}|(?:les også|del (?:artikkelen|på)|läs mer|dela).{0,45}"
)
# Headings of sections of links in other languages.
_FOREIGN_RELATED = (
    "das könnte|mehr (?:zum thema|von|aus)|weitere (?:artikel|nachrichten|themen)|ähnliche|verwandte|auch interessant|lesen sie auch"
    "|te puede|puede(?:n)? (?:interesar|gustar)|relacionad[oa]s?|lea también|ver también|más (?:noticias|leíd[oa]s)"
    "|pode gostar|leia (?:também|mais)|veja também|mais lidas|vous aimerez|à lire aussi|lire aussi|sur le même (?:sujet|thème)"
    "|articles? (?:liés?|similaires)|leggi anche|potrebbe(?:ro)? interessarti|articoli correlati|lees ook|gerelateerde?"
    "|читайте также|по теме|похожие|czytaj (?:też|także|również)|zobacz (?:też|także|również)"
    "|ilgili haberler|baca juga|läs (?:också|även|mer)"
)

# A whole block that is a label, a button or a prompt.
LABEL = Phrases(
    _joined(
        r"advert(?:isement)?s?|ads?|sponsored|close|loading|video|watch now|watch(?: live)?|play|share|share this.*|tweet|email|print|save",
        r"comments?|in the news|icymi|read (?:more|next|also)|more(?: stories| news)?|related.{0,25}|trending(?: now| stories)?",
        r"most (?:read|popular)|latest(?: news)?|recommended.{0,20}|you (?:may|might) (?:also )?(?:like|enjoy).*",
        r"see also|also read|up next",
        r"editor.?s picks|don.?t miss|top stories|click the alert icon.*|follow (?:us|topics|this).*|image \d+ of \d+|\d+ of \d+",
        r"skip to .*content|story continues below.*|continue reading.*|article continues.*|scroll (?:down )?(?:to|for).*",
        r"this slideshow requires javascript|back|back to top|next|previous|sign up.*|subscribe.*|join the (?:conversation|discussion)",
        r"leave a (?:comment|reply).*|post a comment|view comments|show comments|(?:view )?(?:full )?(?:gallery|slideshow)",
        r"purchase licensing rights|license this content|get the app|copy link|link copied.*|\d+ (?:min(?:ute)?s?",
        r"hours?|days?) (?:read|ago)",
        r"\d+ (?:comments?|shares?|views?)|min read|table of contents|contents|in this article|on this page|posted (?:by|on|in).*",
        r"written by.*|published(?: on| by|:).*|updated(?: on|:).*|last updated.*|filed under.*|tags?:.*|tagged.*|categor(?:y|ies):.*",
        r"tell us what you think.*|\[?email.protected\]?|getty images.*|image (?:credit|source|via).*",
        r"(?:photo(?:graph)?|image|picture)s?(?: \w+){0,2} ?[:/].*|photo by.*",
        _FOREIGN_LABELS,
        _FOREIGN_NOTES,
        r"print (?:this )?recipe|(?:jump|skip) to recipe|pin (?:this )?recipe|rate this (?:recipe|article|post)",
        r"last modified:.*|release date:",
        r"(?:never|don.?t) miss .*|comment by.*|the author(?:s)?|about the author.*",
        r"(?:all|more) (?:news|articles|posts|stories)(?: (?:by|from).*)?",
        r"(?:listen|watch)(?: to this article|: .*)?|download|expand|collapse|show more|show less|load more|see more|learn more",
    ),
    behind=r"[\s.:…!>»→]*",
)

# The beginning of a block with a link elsewhere: "Related: ...", "Published under: ...".
PROMPT = re.compile(
    _any(
        "related|read (?:more|also|next|this)|also read|see also|more (?:on|from)|recommended|trending|watch|listen|don.?t miss|must read",
        "published (?:under|in)|filed (?:under|in)|posted in|tags?|topics?|categor(?:y|ies)",
        "leggi anche|lire aussi|lesen sie auch|ver también|lea también|leia (?:também|mais)",
        "(?:le|te) puede interesar|lea(?: además| más)?|mira|vea(?: también)?|más (?:información|noticias|sobre)",
        "auch interessant|siehe auch|mehr(?: dazu)?",
        "lesetipp|passend dazu|à lire|voir aussi|veja(?: também)?|lees ook|les også|läs (?:mer|också)",
        "czytaj(?: też| także| więcej)?|читайте(?: также)?",
    )
    + r"\b[^.!?]{0,20}?:"
)

# The heading of a section of links.
RELATED = re.compile(
    r".{0,25}\b"
    + _any(
        "related|more (?:on|from|stories|news|articles|posts|helpful|resources|reading|about|like|in)|recommended",
        "you (?:may|might)|also like",
        "read (?:more|next|also|this next)|trending|popular|latest|further reading|see also|keep reading|don.?t miss"
        "|up next|in the news|icymi",
        "editor.?s picks|similar|other (?:articles|posts|stories)|top stories|explore",
        _FOREIGN_RELATED,
    )
    + r"\b"
    + r"|(?:関連|おすすめ|あわせて読みたい|相关|相關|推荐|推薦|관련|추천)"
)

# The heading of a section about the author.
AUTHOR_SECTION = re.compile(
    _any(
        r"(?:about|meet) (?:the|our) (?:author|writer|reporter|contributor)s?|author bio(?:graphy)?|(?:über|zu) (?:den|die|der) autor(?:in)?(?:en)?",
        r"(?:der|die|unser|unsere) autor(?:in)?(?:en)?|zur person|sobre (?:el|la|los|las) autora?(?:es|s)?|acerca del? autor",
        r"(?:à propos de )?l.auteure?|(?:l.autor[ei]|autore|gli autori)|sobre o autor|over de auteur|om (?:forfatteren|författaren|skribenten)",
        r"この記事を書いた人|執筆者(?:紹介|プロフィール)?|著者(?:紹介|プロフィール)|об авторе|o autorze|作者(?:简介|簡介|介绍)|글쓴이",
    )
    + r"[\s.:…!>»→]*"
)

# A line of only date and time; DATE_SIGN is what it must contain too.
DATE = re.compile(
    "(?>"  # atomic and possessive: a long run of digits must not be tried in every division
    + _any(
        _MONTH,
        _DAY,
        r"\d{1,4}(?:st|nd|rd|th)?|[ap]\.?m\b\.?|(?:utc|gmt|[ecmpb]s?[sd]?t|ist|at|on|by|updated?|published|posted|last|modified|date"
        r"|time|ago)\b",
        r"[\s,.:;|•·–—/()-]|t(?=\d)|z\b",
    )
    + ")++"
)
DATE_SIGN = re.compile(rf"\d{{1,2}}[:.]\d\d|\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}|\d.*{_MONTH}|{_MONTH}.*\d")

# The words of a byline beside names, dates and times.
_BYLINE = """
by and on at the from submitted updated published posted written words story last am pm a p m est edt et pst pdt pt gmt utc bst ist cet cest mez mesz
min mins minute minutes read reading time in for ago hour hours day days mon monday tue tuesday wed wednesday thu thursday fri friday sat
saturday sun sunday st nd rd th von und am um uhr aktualisiert veröffentlicht text autor autorin stand montag dienstag mittwoch donnerstag
freitag samstag sonntag mo di mi do fr sa so par et le à h publié mis jour por y el de del actualizado publicado hrs lunes martes miércoles
jueves viernes sábado domingo di e il alle ore da pubblicato aggiornato door en om af og kl av och 年 月 日 時 分 时 文 記者 记者 作者
autor autora auteur autore автор текст oleh penulis yazan napsal napsala szerző írta piše بقلم كتب מאת כתב ผู้เขียน โดย
"""
BYLINE_WORDS = frozenset(_BYLINE.split())
# Weekdays and other words beside a date in other languages.
_DATES = """
lundi mardi mercredi jeudi vendredi samedi dimanche lunedì martedì mercoledì giovedì venerdì sabato domenica segunda terça quarta quinta sexta
feira maandag dinsdag woensdag donderdag vrijdag zaterdag zondag mandag tirsdag onsdag torsdag fredag lørdag søndag måndag tisdag torsdag
lördag söndag poniedziałek wtorek środa czwartek piątek sobota niedziela pondělí úterý středa čtvrtek pátek neděle понедельник вторник среда
четверг пятница суббота воскресенье понеділок вівторок середа п'ятниця п’ятниця неділя hétfő kedd szerda csütörtök péntek szombat vasárnap pazartesi
salı çarşamba perşembe cuma cumartesi pazar maanantai tiistai keskiviikko torstai perjantai lauantai sunnuntai luni marți miercuri joi vineri
sâmbătă duminică δευτέρα τρίτη τετάρτη πέμπτη παρασκευή σάββατο κυριακή senin selasa rabu kamis jumat sabtu minggu الاثنين الثلاثاء
الأربعاء الخميس الجمعة السبت الأحد 星期一 星期二 星期三 星期四 星期五 星期六 星期日 周一 周二 周三 周四 周五 周六 周日 土 日曜日 月曜日 火曜日 水曜日
木曜日 金曜日 土曜日 火 水 木 金 월요일 화요일 수요일 목요일 금요일 토요일 일요일 년 월 일 시 분 오전 오후 上午 下午 午前 午後 г года р року m d r tháng
thứ hai ba tư năm sáu bảy chủ nhật วันจันทร์ที่ วันอังคารที่ วันพุธที่ วันพฤหัสบดีที่ วันศุกร์ที่ วันเสาร์ที่ วันอาทิตย์ที่ เวลา น พ ศ ngày uur klo godz ora le om v del data дата datum fecha date publié opublikowano publicado опубликовано publicerad utgiven
"""
DATE_WORDS = frozenset(_DATES.split())

# The beginning of a call to action after the article's end.
CALL_TO_ACTION = re.compile(
    _any(
        "click here|sign up|subscribe|follow (?:us|me|@)|like us on|join (?:us|our|the)|download (?:the|our)",
        "get (?:the|our|your) (?:free )?(?:app|newsletter)|support (?:our|us)",
        "this (?:article|story|post) (?:was |has been )?(?:originally|first|updated)|(?:read|see|find|get) (?:more|all|the latest)",
        "(?:first|originally) (?:published|appeared|posted) (?:in|on|at|by)\\b|this is a (?:breaking|developing) (?:news? )?story",
        "want more|stay (?:up to date|informed)",
        "\\W*© .{0,80}click here|follow .{2,60} on (?:twitter|facebook|instagram|x|linkedin|youtube|telegram|whatsapp|tiktok|google)",
        "for (?:the|all|more) .{0,80}(?:download|follow|visit|subscribe|sign up|click|check out)|to (?:view|read|see) the (?:full"
        "|whole|rest)",
        "(?:first-time )?subscribers? (?:also |can |get |receive )|if you.{0,60}(?:already|are) a subscriber|already a (?:subscriber"
        "|member)",
        "(?:this|the) (?:article|content|material|story).{0,30}(?:copyright|may not be|is protected)",
        "copyright.{0,80}click here|written permission|no part of this|reproduction|(?:submit|send) (?:us )?(?:your|a) (?:letter|tip"
        "|story|comment)",
        "(?:the )?(?:views|opinions).{0,40}expressed|.{0,40}(?:is|are) not responsible for (?:the|any)|have (?:a|any) (?:tip|story"
        "|question)",
        "(?:contact|email|e-mail|write to|reach) (?:us|me|him|her|the (?:author|reporter|editor))|want to (?:share|advertise|know)",
        "(?:folge|folgt|folgen sie) (?:uns|mir|der|dem)|(?:jetzt )?(?:abonniere|abonnieren|anmelden|registrieren)|hier (?:geht es"
        "|geht.?s|klicken|findest|finden)",
        "mehr (?:zum thema|dazu|infos?|informationen|news)|weitere (?:infos|informationen|artikel)|alle rechte|kennt ihr schon"
        "|schon gewusst",
        "(?:dieser|der) (?:artikel|beitrag|text).{0,50}(?:erschien|erschienen|wurde|ist zuerst|stammt|enthält)|das könnte (?:dich|sie"
        "|euch)",
        "(?:síguenos|síganos|suscríb|únete|¿ya sabías|mira lo que|hazte|le puede interesar|te puede interesar|lea también|para más)",
        "(?:suivez|abonnez|inscrivez|retrouvez|à lire|lire aussi)|(?:seguici|iscriviti|abbonati|leggi anche)|(?:siga|inscreva|assine"
        "|leia também)",
    )
)

# The beginning of a notice of the site that stands in the text: consent for embedded content, offers for subscribers, affiliate links.
NOTICE = Phrases(
    _joined(
        r"(?:recommended|empfohlener) (?:redaktioneller )?(?:external )?(?:content|inhalt)|an dieser stelle (?:finden sie|findest du"
        r"|befindet sich|ist ein)",
        r"(?:ja, )?ich bin damit einverstanden, dass|(?:damit )?(?:können|werden) personenbezogene daten"
        r"|personenbezogene daten (?:können|werden)",
        r"(?:externen?|youtube|twitter|instagram|facebook|tiktok|spotify|vimeo|x)\W?-?inhalte? (?:anzeigen|erlauben|laden|entsperren"
        r"|immer)",
        r"(?:zum anzeigen|um (?:diese[ns]?|den|das) (?:inhalt|video|beitrag|tweet|post) (?:anzuzeigen|zu sehen|anzusehen)"
        r"|link zum .{0,20}inhalt|inhalt (?:anzeigen|laden|entsperren))",
        r"(?:dieses?|der|dieser) (?:inhalt|video|beitrag|element).{0,40}(?:von (?:youtube|twitter|facebook|instagram)|wurde blockiert"
        r"|bereitgestellt)",
        r"(?:this|the) (?:content|video|post|embed).{0,40}(?:is hosted|is provided by|was blocked|from (?:youtube|twitter|facebook"
        r"|instagram))",
        r"(?:to (?:view|see|watch|display) this|please (?:accept|enable|allow)) .{0,60}(?:cookies|javascript|content|consent)"
        r"|accept cookies",
        r"(?:ce|cette) (?:contenu|vidéo).{0,60}(?:bloqué|cookies|accept)|(?:este|esta) (?:contenido|vídeo|video).{0,60}(?:bloquead"
        r"|cookies|no disponible)",
        r"(?:this|our) (?:article|post|page|site|story).{0,25}(?:contains?|includes?|may (?:contain|include)) affiliate"
        r"|affiliate disclosure|disclosure:",
        r"\W{0,2}(?:diese?r? )?(?:seite|beitrag|artikel|text)? ?enthält (?:\w+ )?affiliate|mit (?:\*|sternchen"
        r"|einem einkaufswagen).{0,60}affiliate",
        r"(?:folgst du|folgen sie).{0,50}(?:whatsapp|instagram|facebook|tiktok|telegram|twitter|threads)|(?:jetzt |hier )?(?:den "
        r"|unseren )?newsletter (?:abonnieren|bestellen)",
        r"有料会員|会員限定|この記事は(?:有料|会員)|続きを(?:読む|ご覧)|企業での記事共有|【関連|関連(?:記事|ニュース|キーワード)|(?:facebook|x|twitter|メール|はてなブックマーク|line)でシェア",
    )
)

# What links in a last paragraph ask for, anywhere in it.
OFFER = re.compile(
    _any(
        r"newsletter|whatsapp-?(?:kanal|channel|canal)|telegram-?(?:kanal|channel|canal)|(?:news|nachrichten)-?app\b|\bour app\b"
        r"|hier (?:geht es|entlang|klicken)",
        r"abonnieren|\bsubscribe\b|\bsign up\b|suscr[ií]b|abonnez|inscrivez|iscriviti|abonneer|prenumerera|google news|social media"
        r"|bei social",
    )
)
# What an offer in the middle of a text asks readers to do, and what it offers.
SUBSCRIBE = re.compile(
    _any(
        r"\bsubscribe\b|\bsign(?:ed)? up\b|forwarded to you|abonnier|\banmeld|registrier|suscr[ií]b|abonne[zr]|inscri[vt]|iscri[vt]|inscreva|assine"
        r"|prenumerer|hier (?:geht(?: e|.)?s|entlang|klicken)|finden sie (?:hier|im)|folg(?:t|en sie|e) uns|follow us|síguenos|suivez|seguici"
    )
)
SUBSCRIPTION = re.compile(
    r"newsletter|nyhetsbrev|nieuwsbrief|bolet[ií]n|lettre d.info|whatsapp-?(?:kanal|channel|canal)|telegram-?(?:kanal|channel|canal)|\binbox\b"
    r"|(?:news|nachrichten)-?app\b|\bour app\b|full story|subscri(?:ption|bers)|\bbriefing\b"
)
# One of these is in each text in which SUBSCRIPTION is found. To look for them takes a tenth of its time.
SUBSCRIPTION_SIGNS = (
    "newsletter", "nyhetsbrev", "nieuwsbrief", "bolet", "lettre d", "whatsapp", "telegram", "inbox", "newsapp", "news-app", "nachrichtenapp",
    "nachrichten-app", "our app", "full story", "subscri", "briefing",
)  # fmt: skip
# Spoken or hidden marks inside of links.
NEW_WINDOW = re.compile(
    r"\s?\((?:öffnet (?:sich )?in (?:einem |neuem |einem neuen )?(?:fenster|tab)|öffnet im neuen (?:fenster|tab)"
    r"|(?:this link )?opens? in (?:a )?new (?:window|tab)"
    r"|s.ouvre dans (?:un nouvel onglet|une nouvelle fenêtre)|se abre en (?:una )?(?:ventana|pestaña) nueva|(?:externer |external )link)\)",
    re.IGNORECASE,
)

# The end of a picture's caption: who made it or sells it. It has one of the signs, or one of the names at its end.
CREDIT_REACH = 120  # characters from a text's end: no match is longer
CREDIT_SIGNS = (":", "/", "©")
AGENCIES = (
    "getty", "getty images", "istock", "istockphoto", ".com", "shutterstock", "imago", "imago images", "picture alliance", "picture-alliance",
    "picturealliance", "adobe stock", "adobestock", "unsplash", "pixabay", "alamy", "ap photo", "depositphotos",
)  # fmt: skip
CREDIT = re.compile(
    r"(?:[(\[]\s?(?:images?|photos?|pictures?|pic|credit|fotos?|bild(?:er)?|grafik|crédit)\s?[:/©][^)\]]{1,80}[)\]]"
    r"|\b(?:photos?|fotos?|bild(?:quelle)?|ljósmynd|kuva)\s?[:/©]\s?[^.!?:]{2,40}"
    r"|\b(?:getty(?: images)?|istock(?:photo)?(?:\.com)?|shutterstock(?:\.com)?|imago(?: images)?|picture[ -]?alliance|adobe ?stock"
    r"|stock\.adobe\.com|unsplash|pixabay|alamy|ap photo|depositphotos))\s*[)\]]?$"
)
