"""Titles in feeds and news sitemaps: plain text, without tags and without references that were escaped twice."""

from __future__ import annotations

import html
import re

MAX_CHARACTERS = 500
MAX_MARKUP_CHARACTERS = 10_000  # of which a title is made
# elements that stand in titles; other text in angle brackets belongs to the title: `List<T>`
TAG = re.compile(
    r"</?(?:a|abbr|b|big|bdi|br|cite|code|del|div|em|font|h[1-6]|i|img|ins|kbd|mark|p|q|s|small|span|strong|sub|sup|time|tt|u|wbr)"
    r"(\s[^<>]{0,2000})?/?>",
    re.IGNORECASE,
)
BREAK = re.compile(r"<(?:br|/?p|/?div)\b", re.IGNORECASE)


def plain_title(text: str | None) -> str | None:
    """A title as one line of plain text; None if nothing is left."""
    text = (text or "")[:MAX_MARKUP_CHARACTERS]
    if "<" in text:
        text = TAG.sub(lambda found: " " if BREAK.match(found[0]) else "", text)
    return " ".join(html.unescape(text).split())[:MAX_CHARACTERS].strip() or None
