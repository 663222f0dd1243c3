"""What stands before the names in a byline, "by" in many languages, and what may follow them."""

from __future__ import annotations

import re

_BY = (
    r"by|written\s+by|posted\s+by|words\s+by|story\s+by|published\s+by|reviewed\s+by|edited\s+by|authors?|from|von|par|por|di|af|av|door"
    r"|autor(?:in|en)?|submitted\s+by|(?:interview(?:ed)?|text|compiled|recommended|article|blog|post|guest\s+post)\s+by"
    r"|(?:(?:ein\s+)?(?:(?:blog|gast)?\s?beitrag|artikel|bericht|text)|verfasst|geschrieben|veröffentlicht|gepostet|gespeichert|eingestellt)\s+von"
    r"|(?:publié|écrit|rédigé|propos\s+recueillis)\s+par|(?:escrito|publicado|redactado)\s+por|(?:scritto|pubblicato)\s+da|a\s+cura\s+di"
    r"|geschreven\s+door|skrevet\s+a[fv]|skriven\s+av|автор"
    r"|oleh|penulis|yazan|napisał[ai]?|napsala?|szerző|írta|piše|kirjoittanut|teksti|scris\s+de|tác\s+giả|โดย|بقلم|כתבה?|מאת|लेखक|লিখেছেন"
    r"|(?:texte?|texto|testo|tekst|ord|reportage|текст|作者|記者|记者|撰文|文|責任編輯|责任编辑|執筆|글|기자)(?=\s*[:：／])|(?:記者|记者|기자)(?=\s)"
)
# What a kind of text is called before its author: not looked for in all texts of a page.
_KINDS = (
    r"(?:(?:eine?|gast)\s?)?(?:kommentar|analyse|essay|kolumne|glosse|rezension|reportage|leitartikel)\s+von"
    r"|(?:une?\s)?(?:analyse|tribune|chronique|reportage|entretien|enquête|critique)\s+par"
    r"|(?:story|words|text)\s(?:and|&)\s(?:photo(?:graph)?s|pictures|images)\s+by|ผู้เขียน|γράφει\s+(?:ο|η)|كتبت?(?=\s*[:：])"
    r"|(?:szöveg|besedilo|слова)(?=\s*[:：])"
)
# The same where they may also name whom a text is about, as `Interview: Ann Lee` below a heading, or a newspaper: `Tribune de Genève`.
# So they count only in elements that are named bylines.
_KINDS_IN_BYLINES = (
    r"(?:eine?\s)?(?:portr[äa]t|kritik|interview)\s+von|(?:une?\s)?(?:analyse|tribune|chronique|reportage|entretien|enquête|critique)\s+de"
    r"|(?:una?\s)?(?:análisis|opinión|crónica|entrevista|columna|reportaje)\s+de|(?:una?\s)?(?:analisi|intervista|recensione)\s+di"
    r"|(?:interview|kommentar|bericht|entretien|entrevista|intervista)(?=\s*[:：])"
)
# How all of these begin: two letters each.
_BEGINNINGS = r"b[yle]|w[or]|p[aoru]|s[ctku]|r[eé]|e[disn]|a[ufvr\s]|fr|v[oe]|d[io]|in|te|те|co|g[aeu]|éc|or|ав|[作記记撰文責责執글기]"
_FIRST = "[bwpsraeéfvditcgoоатв作記记撰文責责執글기]"  # the first of them
_ALL_BY = r"(?:(?:view\s+)?all|more|see\s+all|alle|weitere|mehr)\s+(?:posts|articles|stories|artikel|beiträge)\s+(?:by|from|von)"
PREFIX = re.compile(rf"^(?:(?:{_ALL_BY}|{_BY}|{_KINDS})\b\s*[:：／\-–—]?\s*)+", re.IGNORECASE)
BYLINE_PREFIX = re.compile(rf"^(?:(?:{_ALL_BY}|{_BY}|{_KINDS}|{_KINDS_IN_BYLINES})\b\s*[:：／\-–—]?\s*)+", re.IGNORECASE)
BY_PREFIX = re.compile(r"^(?:(?:written|posted|words|story|published)\s+)?by\b\s*[:\-–—]?\s+(?=\S+\s+\S)", re.IGNORECASE)
# In all texts of a page, each behind a null character: a label and a name, or only a label. White space is taken once and the first letter
# is tested before the words, because most texts of a page begin otherwise: without both it takes thirty times as long.
SIGN = re.compile(rf"\0\s*+(?i:(?={_FIRST})(?={_BEGINNINGS})(?:{_BY}))\b\s*[:：／\-–—]?\s*(?:[^\W\d_a-zß-ÿ]|\0)")
SURNAME_PARTICLE = re.compile(r"(?:von|di|af|av)\s", re.IGNORECASE)  # words for "by" that surnames begin with: `von der Leyen, Ursula`
# First names and particles of names, too: as prefixes only before a colon or two more words.
_AMBIGUOUS_PREFIX = re.compile(r"^(?:von|par|por|di|af|av)\s+\S+$", re.IGNORECASE)
PREFIXED = re.compile(
    r"\b(?:written|posted|words|story|published|medically|fact[- ]checked)?\s*\bby\s*:?\s+(.+)", re.IGNORECASE | re.DOTALL
)
# Who made the pictures, in a byline that names the author, too.
CREDITS = re.compile(
    r"(?:^|[,;|·•\n]\s{0,3}|\s(?=\S{1,30}\s{0,3}:))(?:(?:photo(?:graph)?(?:s|y|ie|ies)?|pictures?|illustrat(?:ions?|ed)|fotos?|fotografie|foto['’]s|bild(?:er)?"
    r"|фото|撮影|写真|사진)(?:\s(?:by|von|de|par|di|av|af)\b)?(?!\s{0,3}(?:and|und|et|y|e|och|og|&|\+)\s))\s{0,3}:?\s[^,;|·•\n]*[,;|·•]?",
    re.IGNORECASE,
)
# What follows the names in a byline: a date, a reading time, a role.
TAIL = re.compile(
    r",[^,]{3,40}\bcontribut(?:ing|ed)\b.*$|\s*(?:(?<![^\s@])[^\s@]+@[\w-]+\.\w|\blast(?=\s+(?:updated|modified|edited))"
    r"|\bread(?=\s*(?:more|time|next|full|the|\d|:))|\b(?:on|updated|published|posted|min(?:ute)?s?|in|at|for|is|photo\w*|images?|contact|follow|share|comments?)\b|\b(?:am|um|le|el|il|den)(?=\s*\d|\s*$)|[|•·—–/@(\[]|\d|\bhttps?:).*$",
    re.IGNORECASE | re.DOTALL,
)
ABOUT = re.compile(r"^(?:about(?: the author)?|über(?: (?:den|die) autor(?:in)?)?|meet)\b\s*[:\-–—]?\s*", re.IGNORECASE)


def without_credits(text: str) -> str:
    """A byline without who made the pictures: what stands behind a credit names no author, unless the credit comes first."""
    first = CREDITS.match(text)
    text = text[first.end() :].lstrip() if first else text
    found = CREDITS.search(text)
    return text[: found.start()] if found else text


def without_prefix(text: str) -> str:
    """A text without a leading "by" in any language. `Di Wu` and `Von Tran` are names."""
    return text if _AMBIGUOUS_PREFIX.match(text) else PREFIX.sub("", text)
