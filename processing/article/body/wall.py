"""Remove the box under the opening of a paid article: it asks for a subscription to read on."""

from __future__ import annotations

import re

from processing.article.body.article_body import CALL_LENGTH, ArticleBody, mark
from processing.article.body.openings import Phrases

WALL_LENGTH = 1_200  # characters of the whole box
# The beginning of a line that asks for a subscription to read on.
_WALL = Phrases(
    r"(?:to )?(?:continue|keep) reading.{0,60}(?:subscri|register|sign|log|account|trial)"
    r"|subscribe (?:now )?to (?:continue|read|keep|unlock|get)|(?:already|are you) a (?:subscriber|member)"
    r"|(?:this|the) (?:article|story|content|post) is (?:only |reserved |exclusive |just |available )+(?:for|to)"
    r"|(?:unlock|want to read) (?:this|the full|more)|you.ve reached your .{0,30}limit|start your (?:free )?trial"
    r"|(?:jetzt |sofort |hier )?weiterlesen (?:mit|im|und)|jetzt (?:mit .{0,30})?weiterlesen"
    r"|(?:dieser|diesen|der) (?:artikel|beitrag|text|inhalt).{0,40}(?:abonnent|abonnieren|abo\b"
    r"|registrier|exklusiv|(?:mit|im|für) (?:\w+[ -]?)?plus)"
    r"|sie haben (?:bereits|schon) ein(?:en)? (?:\w+-?)?(?:abo|konto|zugang)"
    r"|(?:bereits|schon|noch kein) (?:abonnent|abo\b|registriert|kunde\b)"
    r"|(?:jetzt )?(?:kostenlos|gratis) (?:testen|weiterlesen|registrieren)|testen sie (?:unser|jetzt|\w+ ?(?:plus|premium))"
    r"|weiterlesen auf|lesen sie (?:jetzt )?weiter mit"
    r"|(?:cet article|la suite de cet article|ce contenu|cet? .{0,20}) est réservée?|il vous reste \d|abonnez-vous pour"
    r"|déjà abonnée?|pour lire la suite|article réservé (?:à|aux)"
    r"|(?:contenido|artículo|noticia) (?:exclusiv[oa]|solo|sólo|reservad[oa]) (?:para|a)|este contenido es exclusivo"
    r"|suscríbe(?:te|se) para|ya (?:eres|es) suscriptor|para (?:seguir|continuar) leyendo"
    r"|(?:questo |l.)?(?:articolo|contenuto) (?:è )?riservato|abbonati (?:per|subito|ora)|sei già abbonato|per continuare a leggere"
    r"|(?:conteúdo|matéria|reportagem) exclusiv[ao] (?:para|de)|já é assinante|assine (?:para|agora|já)"
    r"|para continuar (?:lendo|a ler)|(?:al|reeds) abonnee|dit artikel is (?:alleen|exclusief|voorbehouden)|verder lezen\?"
    r"|word abonnee|om verder te lezen|(?:dalsza |pełna )?(?:treść|część|artykuł).{0,30}(?:dostępn|prenumerat|subskry)"
    r"|masz już (?:konto|prenumeratę|dostęp)|wykup dostęp|chcesz (?:czytać|przeczytać)"
    r"|(?:bli|er du|är du|redan) (?:abonnent|prenumerant|medlem)|allerede abonnent"
    r"|(?:logga|logg|log) inn?d? (?:för|for) (?:att|å|at) läs|for å lese (?:videre|hele)|för att läsa (?:vidare|hela)"
    r"|(?:материал|статья|текст) доступ(?:ен|на) (?:только )?(?:по|для)|оформите подписку|уже есть подписка"
    r"|чтобы (?:прочитать|читать) (?:дальше|полностью)"
    r"|残り\s?\d+文字|この記事は(?:有料|会員)|(?:会員|有料)登録(?:して|すると|で|が必要)|全文を?(?:読む|ご覧)|订阅后|登录后(?:阅读|查看)"
    r"|이 기사는 (?:유료|구독)"
)
# Words of an offer. Without one of them, a line that begins like a wall is the text's own: `Unlock the full potential of your garden`.
_OFFER = re.compile(
    r"subscri|abonn|abbon|\babos?\b|digitalabo|log ?in\b|sign[ -]?(?:in|up)\b|registr|regist(?:er|ér)|anmelde|einloggen"
    r"|account|\bkonto|free trial"
    r"|testen|\w\+|\bplus\b|plus-|premium|paywall|connecte[rz]|s.identifier|suscr|inici[ae]r? sesi|acced[ie]|assinante|assinatura"
    r"|inlog|prenum"
    r"|subskr|zalog|logga in|logg inn|подпис|войти|会員|有料|登録|ログイン|購読|订阅|登录|付费|구독|로그인|유료"
    r"|[$€£¥]\s?\d|\d\s?(?:[$€£]|euros?\b|eur\b|kr\b|zł|руб|円|원)"
    r"|(?:pro|per|par|al|/) ?(?:monat|month|mois|mese|mes\b|maand)|kündbar|cancel"
)


def drop_wall(body: ArticleBody) -> None:
    """From the first line on that asks for a subscription, where only short texts follow: the box under the opening of a paid article."""
    text_blocks = body.text_blocks()
    first, left = len(text_blocks), WALL_LENGTH
    for index in range(len(text_blocks) - 1, 0, -1):
        text = text_blocks[index].text
        left -= len(text)
        if len(text) > CALL_LENGTH or left < 0:
            break
        if _WALL.match(text.lower()):
            first = index
    if any(_OFFER.search(block.text.lower()) for block in text_blocks[first:]):
        mark(text_blocks[first:])
