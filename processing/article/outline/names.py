"""What class names and ids say of an element: the words by which sites call their furniture."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

MAX_ID_WORDS = 4  # a longer id is made from a heading's text

_TOKEN = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+")
_LOWER_TOKEN = re.compile(r"[a-z]+\d*|\d+")  # the same, of a name without capitals
# `related-links`, `relatedLinks` and `c-related__item` all say "related".
_JUNK = (
    "share shares sharing sharer sharebar social socials related recommended recommendations recommendation newsletter newsletters "
    "subscribe subscription signup comment comments commentlist disqus promo promos promotion advert adverts advertisement advertising "
    "ad ads sponsor sponsored sidebar breadcrumb breadcrumbs byline bylines bio tags taglist taxonomy credit credits cookie cookies "
    "consent gdpr popup modal toolbar menu nav navbar navigation pagination pager footer foot masthead readmore popular trending "
    "outbrain taboola rail login printonly visuallyhidden rating ratings timestamp pubdate published copyright toc upnext follow "
    "recirc recirculation outbound onetrust metadata sharedaddy relatedposts yarpp cta carousel gallery slider slideshow dropdown "
    "tooltip donate donation footnotes author authors authorbox authorinfo lightbox addtoany addthis caption captions nextprev "
    "tableofcontents readnext navlinks"
)
_JUNK_IN_TWO = (
    "sign-up read-more read-next more-on more-from more-stories more-news more-articles most-read most-popular most-viewed "
    "screen-reader skip-link sr-only visually-hidden of-contents also-read also-like up-next next-article jump-link cli-row "
    "post-meta entry-meta article-meta meta-data gated-overlay"
)
_LAYOUT_WORDS = frozenset(("no", "has", "with", "under", "without", "example"))  # `with-sidebar` names the page, not its sidebar
_JUNK_WORDS, _JUNK_PAIRS = frozenset(_JUNK.split()), frozenset(_JUNK_IN_TWO.split())
_BODY_WORDS = frozenset(("prose", "wysiwyg", "rte", "blogpost"))
_BODY_PAIRS = frozenset(
    f"{whole}-{part}"
    for whole in ("article", "entry", "post", "story", "blog", "news", "page", "main", "body", "rich", "single")
    for part in ("body", "content", "text", "copy", "main")
)
_JOINED = frozenset(pair.replace("-", "") for pair in _BODY_PAIRS) | _BODY_WORDS
# A name without any of these says nothing: most names end here.
_TELLING = _JUNK_WORDS | _JOINED | {pair.split("-")[1] for pair in _JUNK_PAIRS | _BODY_PAIRS}
_SPOKEN = re.compile(r"(?:^|\s)(?:sr-only|visually-?hidden|screen-reader(?:-text)?|show-for-sr|hidden|a11y-hidden|offscreen)(?:\s|$)")
_SELF_NAMED = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "section"))  # their ids are made from the text

Attributes = dict[str, str | None]


def names_of(tag: str, attributes: Attributes) -> str:
    """An element's class and, unless it is made from text, its id."""
    names, own = attributes.get("class") or "", attributes.get("id")
    if own and tag not in _SELF_NAMED and own.count("-") < MAX_ID_WORDS:
        return f"{names} {own}"
    return names


@lru_cache(maxsize=65_536)  # a page repeats its classes, a site its pages
def read_names(names: str) -> tuple[bool, bool]:
    """Whether class and id (`names`) are furniture's, and whether they promise the body."""
    junk = body = False
    for name_junk, name_body in map(_read_name, names.split()):
        junk = junk or name_junk
        body = body or name_body
    return junk, body


@lru_cache(maxsize=65_536)  # sites share theirs: frameworks, themes
def _read_name(name: str) -> tuple[bool, bool]:
    tokens = _LOWER_TOKEN.findall(name) if name.islower() else [token.lower() for token in _TOKEN.findall(name)]
    if _TELLING.isdisjoint(tokens):
        return False, False
    pairs = [f"{one}-{two}" for one, two in pairwise(tokens)]
    words = _JUNK_WORDS.intersection(tokens)
    junk = (bool(words) and not _is_layout(tokens, words)) or not _JUNK_PAIRS.isdisjoint(pairs)
    return junk, not _BODY_PAIRS.isdisjoint(pairs) or not _JOINED.isdisjoint(tokens)


def _is_layout(tokens: list[str], words: frozenset[str]) -> bool:
    """Whether all junk words of a name only say what is beside the element."""
    return all(place and tokens[place - 1] in _LAYOUT_WORDS for place, token in enumerate(tokens) if token in words)


def is_spoken(attributes: Attributes) -> bool:
    """Whether a span is for screen readers only."""
    style, names = attributes.get("style"), attributes.get("class")
    if style is not None and ("clip:rect" in style or "display:none" in style):
        return True
    return names is not None and _names_spoken(names)


@lru_cache(maxsize=8192)  # a page repeats its classes
def _names_spoken(names: str) -> bool:
    return _SPOKEN.search(names) is not None


def is_hidden(attributes: Attributes) -> bool:
    """Whether an element is hidden from all readers."""
    if "hidden" in attributes:
        return not (attributes.get("id") or "").startswith("S:")  # React's streamed content, shown by a script
    style = attributes.get("style")
    return style is not None and "display:none" in style.replace(" ", "").lower()
