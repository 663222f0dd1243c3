"""HTML's tags by their effect on the outline: which make blocks, which are inline, which hold no text to read."""

from __future__ import annotations

from processing.article.outline.outline import Kind
from processing.article.tree.parse import tag_number
from schemas.article import BlockKind

BLOCK, INLINE, LINK, BREAK, IGNORED = range(5)
_INLINE_TAGS = (
    "abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q rp rt ruby s samp small span strike strong "
    "sub sup time tt u var wbr img picture source"
)
_IGNORED_TAGS = (
    "script style noscript svg template iframe object canvas audio video select option textarea button input math map progress meter "
    "datalist head link meta title nav"
)
ACTIONS: dict[str | None, int] = {
    **dict.fromkeys(_INLINE_TAGS.split(), INLINE),
    **dict.fromkeys(_IGNORED_TAGS.split(), IGNORED),
    "a": LINK,
    "br": BREAK,
    "-comment": IGNORED,
    None: IGNORED,
}
_BLOCK_TAGS = (
    "div p li ul ol section article main header footer aside form h1 h2 h3 h4 h5 h6 figure figcaption blockquote table tbody thead tr td "
    "th pre dl dt dd hr address fieldset label center details summary body"
)
TEXT = tag_number("-text")
# By lexbor's number: the name and the action. For other tags the name is read.
KNOWN = {tag_number(tag): (tag, ACTIONS.get(tag, BLOCK)) for tag in (*_BLOCK_TAGS.split(), *ACTIONS) if tag is not None}
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
BOILERPLATE_TAGS = frozenset(("footer", "aside", "form", "dialog", "menu"))
CONTENT_TAGS = frozenset(("body", "main", "article", "figcaption"))
READ_WHOLE = frozenset(("pre", "table"))
ITEMS = frozenset(("li", "dt", "dd"))
KINDS: dict[str, Kind] = {
    **{tag: (BlockKind.HEADING, level) for tag, level in _HEADINGS.items()},
    "blockquote": (BlockKind.QUOTE, 0),
    **dict.fromkeys(("figcaption", "figure", "caption"), (BlockKind.CAPTION, 0)),
}
