"""Phrases of boilerplate: buttons, prompts, related sections, dates, calls to action."""

from __future__ import annotations

import re


def _any(*phrases: str) -> str:
    return "(?:" + "|".join(phrases) + ")"


_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
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
LABEL = re.compile(
    _any(
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
        r"(?:listen|watch)(?: to this article|: .*)?|download|expand|collapse|show more|show less|load more|see more|learn more",
    )
    + r"[\s.:…!>»→]*",
    re.IGNORECASE,
)

# The beginning of a block with a link elsewhere: "Related: ...", "Published under: ...".
PROMPT = re.compile(
    _any(
        "related|read (?:more|also|next|this)|also read|see also|more (?:on|from)|recommended|trending|watch|listen|don.?t miss|must read",
        "published (?:under|in)|filed (?:under|in)|posted in|tags?|topics?|categor(?:y|ies)",
        "leggi anche|lire aussi|lesen sie auch|ver también|lea también|leia (?:também|mais)",
    )
    + r"\b[^.!?]{0,20}?:",
    re.IGNORECASE,
)

# The heading of a section of links.
RELATED = re.compile(
    r".{0,25}\b"
    + _any(
        "related|more (?:on|from|stories|news|articles|posts|helpful|resources|reading|about|like|in)|recommended",
        "you (?:may|might)|also like",
        "read (?:more|next|also)|trending|popular|latest|further reading|see also|keep reading|don.?t miss|up next|in the news|icymi",
        "editor.?s picks|similar|other (?:articles|posts|stories)|top stories|explore",
        _FOREIGN_RELATED,
    )
    + r"\b"
    + r"|(?:関連|おすすめ|あわせて読みたい|相关|相關|推荐|推薦|관련|추천)",
    re.IGNORECASE,
)

# A line of only date and time; DATE_SIGN is what it must contain too.
DATE = re.compile(
    "(?>"  # atomic and possessive: a long run of digits must not be tried in every division
    + _any(
        _MONTH,
        _DAY,
        r"\d{1,4}(?:st|nd|rd|th)?|[ap]\.?m\b\.?|(?:utc|gmt|[ecmpb]s?[sd]?t|ist|at|on|by|updated?|published|posted|last|modified|date|time|ago)\b",
        r"[\s,.:;|•·–—/()-]|t(?=\d)|z\b",
    )
    + ")++",
    re.IGNORECASE,
)
DATE_SIGN = re.compile(rf"\d{{1,2}}[:.]\d\d|\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{2,4}}|\d.*{_MONTH}|{_MONTH}.*\d", re.IGNORECASE)

# The beginning of a call to action after the article's end.
CALL_TO_ACTION = re.compile(
    _any(
        "click here|sign up|subscribe|follow (?:us|me|@)|like us on|join (?:us|our|the)|download (?:the|our)",
        "get (?:the|our|your) (?:free )?(?:app|newsletter)|support (?:our|us)",
        "this (?:article|story|post) (?:was |has been )?(?:originally|first|updated)|(?:read|see|find|get) (?:more|all|the latest)",
        "want more|stay (?:up to date|informed)",
    ),
    re.IGNORECASE,
)
