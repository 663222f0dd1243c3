"""Read class names and ids: which elements are boilerplate by their names, and which are the article's body."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from processing.article.outline.tags import BOILERPLATE_TAGS, CONTENT_TAGS

MAX_ID_WORDS = 4  # a longer id is made from a heading's text

_TOKEN = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+")
_LOWER_TOKEN = re.compile(r"[a-z]+\d*|\d+")  # the same, of a name without capitals
# Parts of names that programs made, in which words stand by chance: hexadecimal numbers (`element-eefe4ad`), CSS modules (`__x1Nav`).
_HASH = re.compile(r"(?<![A-Za-z0-9])(?=[a-f]*\d)[0-9a-f]{5,}(?![A-Za-z0-9])|(?<=__)(?=[A-Za-z]*\d)[A-Za-z0-9]{5}$")
# `related-links`, `relatedLinks` and `c-related__item` all say "related".
_BOILERPLATE = (
    "share shares sharing sharer sharebar social socials related recommended recommendations recommendation newsletter newsletters "
    "subscribe subscription signup comment comments commentlist disqus promo promos promotion advert adverts advertisement advertising "
    "ad ads sponsor sponsored sidebar breadcrumb breadcrumbs byline bylines bio tags taglist taxonomy credit credits cookie cookies "
    "consent gdpr popup modal toolbar menu nav navbar navigation pagination pager footer foot masthead readmore popular trending "
    "outbrain taboola rail login printonly visuallyhidden rating ratings timestamp pubdate published copyright toc upnext follow "
    "recirc recirculation outbound onetrust metadata sharedaddy relatedposts yarpp cta carousel gallery slider slideshow dropdown "
    "tooltip donate donation footnotes author authors authorbox authorinfo lightbox addtoany addthis caption captions nextprev "
    "tableofcontents readnext navlinks crumb crumbs postmetadata respond kommentar kommentare comentarios commentaires commenti "
    "reacties komentarze kommentarer empfehlungen poll polls survey surveys umfrage isso giscus utterances hyvor remark42 commento cusdis "
    "graphcomment vuukle spotim livefyre viafoura leserkommentare kommentarbereich kommentarliste yorumlar komentari kommentarii"
)
_BOILERPLATE_IN_TWO = (
    "sign-up read-more read-next more-on more-from more-stories more-news more-articles most-read most-popular most-viewed "
    "screen-reader skip-link sr-only visually-hidden of-contents also-read also-like up-next next-article jump-link cli-row "
    "post-meta entry-meta article-meta meta-data gated-overlay not-prose coral-thread coral-talk"
)
_LAYOUT_WORDS = frozenset(("no", "has", "with", "under", "without", "example"))  # `with-sidebar` describes the page
_PLACE_NAMES = "col column columns cell grid row xs sm md lg xl block box panel card widget module item left right post hentry"
_PLACES = frozenset(("", *_PLACE_NAMES.split()))  # without their numbers
_SETTINGS = frozenset(("enabled", "disabled", "true", "false", "off", "none"))  # and so does `sidebar-enabled--false`
_BOILERPLATE_WORDS, _BOILERPLATE_PAIRS = frozenset(_BOILERPLATE.split()), frozenset(_BOILERPLATE_IN_TWO.split())
_BODY_WORDS = frozenset(("prose", "wysiwyg", "rte", "blogpost"))
_BODY_PAIRS = frozenset(
    f"{whole}-{part}"
    for whole in ("article", "entry", "post", "story", "blog", "news", "page", "main", "body", "rich", "single")
    for part in ("body", "content", "text", "copy", "main")
)
_JOINED = frozenset(pair.replace("-", "") for pair in _BODY_PAIRS) | _BODY_WORDS
_RECIPE_PARTS = re.compile(
    r"(?<![a-z])(?:ingredients?|ingredientes|ingredienti|zutaten|skladniki|instructions?|directions|preparation|zubereitung|method-?steps?"
    r"|recipe-?(?:steps?|method|body|content))(?![a-z])",
    re.IGNORECASE,
)
_RECIPE_WORDS = """
ingredient ingredients ingredientes ingredienti zutaten skladniki instruction instructions directions preparation zubereitung method
methodstep methodsteps recipe recipestep recipesteps recipemethod recipebody recipecontent
"""
_IS_BOILERPLATE, _IS_BODY, _IS_RECIPE_PART, _IS_CAPTION = 1, 2, 4, 8
_RECORDINGS = frozenset(("video", "videos", "player", "audio"))
_CAPTION_WORDS = frozenset(("caption", "captions"))
# Most names have none of these words and need no further test.
_TELLING = _BOILERPLATE_WORDS | _JOINED | {pair.split("-")[1] for pair in _BOILERPLATE_PAIRS | _BODY_PAIRS} | set(_RECIPE_WORDS.split())
_SCREEN_READER = re.compile(
    r"(?:^|\s)(?:sr-only|visually-?hidden|screen-reader(?:-text)?|show-for-sr|hidden|a11y-hidden|(?:a-)?offscreen|mw-editsection|MathJax_Preview|material-(?:icons|symbols)\S*"
    r"|tooltip-?_?_?(?:text|content))(?:\s|$)"
)
_UNSEEN_STYLE = re.compile(r"display:\s*none|clip:\s*rect|visibility:\s*hidden|font-size:\s*0(?![.\d])")
_OFF_SCREEN = re.compile(r"(?:^|;)(?:left|top|text-indent):-\d{4}")
_COMMENT_WORD = re.compile(r"comments?(?:links?|sections?|areas?|threads?|lists?|wrap(?:per)?|box|form|container)$")  # `commentsection`
_COMMENTS = re.compile(r"comment|kommentar|comentario|disqus", re.IGNORECASE)
_RELATED_WORDS = frozenset(("related", "relatedposts", "recommended", "recommendations"))
_COMMENTS_ID = re.compile(  # ids of readers' comments, which count on sections too, whose ids are made from text
    r"(?:the-?|post-?|article-?|user-?|reader-?|fb-?|wp-?)?comments?(?:-?(?:list|section|area|thread|container|wrapper|box|block|form|\d+))*"
    r"|disqus(?:_thread)?|isso-?thread|coral[-_](?:thread|talk.*)|hyvor-talk.*|remark42|respond|kommentare?(?:-?(?:liste|bereich))?|comentarios?|commentaires?|commenti|reacties|komentarze|kommentarer",
    re.IGNORECASE,
)
_CAPTION_TAGS = frozenset(("p", "div", "small", "center", "dd"))
_SELF_NAMED = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "p", "li", "section"))  # their ids are made from the text

Attributes = dict[str, str | None]


@lru_cache(maxsize=65_536)  # a page repeats its classes, a site its pages
def read_names(tag: str, classes: str | None, own: str | None) -> tuple[str, bool, bool, bool, bool]:
    """An element's class and id as one text, and what these and its tag say: whether it is boilerplate, body, recipe part, caption.

    An id that is made from the element's text does not count.
    """
    names = classes or ""
    if own and (tag == "section" and _COMMENTS_ID.fullmatch(own) if tag in _SELF_NAMED else own.count("-") < MAX_ID_WORDS):
        names = f"{names} {own}"
    signs = 0
    for name in names.split():
        signs |= _signs(name)
    boilerplate = tag in BOILERPLATE_TAGS or signs & _IS_BOILERPLATE
    caption = bool(signs & _IS_CAPTION) and not boilerplate and tag in _CAPTION_TAGS
    boilerplate = boilerplate or (signs & _IS_CAPTION and not caption)
    return names, bool(boilerplate) and tag not in CONTENT_TAGS, bool(signs & _IS_BODY), bool(signs & _IS_RECIPE_PART), caption


def _tokens(names: str) -> list[str]:
    """The words in one or several names, in lower case."""
    return _LOWER_TOKEN.findall(names) if names.islower() else [token.lower() for token in _TOKEN.findall(names)]


def is_beside(names: str) -> bool:
    """Whether class and id (`names`) name what may be longer than the article beside it: readers' comments, related pages."""
    return _COMMENTS.search(names) is not None or not _RELATED_WORDS.isdisjoint(_tokens(names))


def says_only_layout(names: str) -> bool:
    """Whether class and id (`names`) name nothing, or only a place or a box on the page, as columns do that stand beside one another."""
    return all(token.rstrip("0123456789") in _PLACES for token in _tokens(names))


@lru_cache(maxsize=65_536)  # sites share theirs: frameworks, themes
def _signs(name: str) -> int:
    """What a class or an id says, as bits."""
    if name.startswith("js-"):
        return 0  # a hook of a script, which says what happens to the element, not what is in it
    if _says_nothing(name, _tokens(name)):  # most names, which need not be looked at for hashes
        return 0
    tokens = _tokens(_HASH.sub(" ", name))
    if _says_nothing(name, tokens):
        return 0
    signs = _IS_RECIPE_PART if _RECIPE_PARTS.search(name) else 0
    pairs = [f"{one}-{two}" for one, two in pairwise(tokens)]
    words = _BOILERPLATE_WORDS.intersection(tokens) or frozenset(token for token in tokens if _COMMENT_WORD.match(token))
    if (words and not _is_layout(tokens, words)) or not _BOILERPLATE_PAIRS.isdisjoint(pairs):
        is_caption = words <= _CAPTION_WORDS and _RECORDINGS.isdisjoint(tokens) and _BOILERPLATE_PAIRS.isdisjoint(pairs)
        signs |= _IS_CAPTION if is_caption else _IS_BOILERPLATE
    if not _BODY_PAIRS.isdisjoint(pairs) or not _JOINED.isdisjoint(tokens):
        signs |= _IS_BODY
    return signs


def _says_nothing(name: str, tokens: list[str]) -> bool:
    return _TELLING.isdisjoint(tokens) and "comment" not in name.lower()


def _is_layout(tokens: list[str], words: frozenset[str]) -> bool:
    """Whether all boilerplate words of a name only describe the layout around the element."""
    layout = (
        not _LAYOUT_WORDS.isdisjoint(tokens[max(0, place - 1) : place]) or not _SETTINGS.isdisjoint(tokens[place + 1 : place + 2])
        for place, token in enumerate(tokens)
        if token in words
    )
    return all(layout)


def is_screen_reader_only(attributes: Attributes) -> bool:
    """Whether a span is for screen readers only."""
    style, names = attributes.get("style"), attributes.get("class")
    if "hidden" in attributes or attributes.get("role") == "tooltip":
        return True
    if style is not None and _UNSEEN_STYLE.search(style):
        return names is None or "math" not in names  # a formula's MathML, which stands beside its image
    return names is not None and _is_named_screen_reader(names)


@lru_cache(maxsize=8192)  # a page repeats its classes
def _is_named_screen_reader(names: str) -> bool:
    return _SCREEN_READER.search(names) is not None


def is_hidden(attributes: Attributes) -> bool:
    """Whether an element is hidden from all readers."""
    if "hidden" in attributes:
        return not (attributes.get("id") or "").startswith("S:")  # React's streamed content, shown by a script
    style = attributes.get("style")
    if style is None:
        return False
    style = style.replace(" ", "").lower()
    return "display:none" in style or ("-" in style and _OFF_SCREEN.search(style) is not None)
