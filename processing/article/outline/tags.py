"""HTML's tags by their effect on the outline: which make blocks, which are inline, which hold no text to read."""

from __future__ import annotations

from processing.article.kinds import CAPTION, HEADING, LIST_ITEM, QUOTE
from processing.article.outline.outline import Kind
from processing.article.tree.inline import is_drawn_formula
from processing.article.tree.parse import Node, tag_number, tag_numbers

BLOCK, INLINE, LINK, BREAK, IGNORED, SPECIAL = range(6)
_INLINE_TAGS = (
    "abbr acronym b bdi bdo blink cite code data dfn em i kbd label mark nobr output rb ruby samp slot span "
    "strong time tt u var wbr picture source"
)
_IGNORED_TAGS = (
    "style noscript svg template iframe object canvas audio video select option textarea input map progress meter datalist head link meta "
    "title nav rp rt rtc noembed noframes"
)
_SPECIAL_TAGS = "sup sub math img script button nobr del s strike ins q small font"  # what they hold depends on what is around them
ACTIONS: dict[str | None, int] = {
    **dict.fromkeys(_INLINE_TAGS.split(), INLINE),
    **dict.fromkeys(_IGNORED_TAGS.split(), IGNORED),
    **dict.fromkeys(_SPECIAL_TAGS.split(), SPECIAL),
    "a": LINK,
    "br": BREAK,
    "-comment": IGNORED,
    None: IGNORED,
}
_BLOCK_TAGS = (
    "div p li ul ol section article main header footer aside form h1 h2 h3 h4 h5 h6 figure figcaption blockquote table tbody thead tr td "
    "th pre dl dt dd hr address fieldset label center details summary body"
)
# Other block elements of HTML. A tag that is in no list is a custom element, or unknown: inside a text it is inline, as browsers show it.
_RARE_BLOCKS = """
caption col colgroup dialog dir embed frame frameset hgroup html legend listing marquee menu optgroup param plaintext search tfoot track xmp
"""
_RARE_BLOCK_TAGS = frozenset(_RARE_BLOCKS.split())
TEXT = tag_number("-text")
# By lexbor's number: the name and the action. For other tags the name is read.
KNOWN = {tag_number(tag): (tag, ACTIONS.get(tag, BLOCK)) for tag in (*_BLOCK_TAGS.split(), *ACTIONS) if tag is not None}
_TEXT_TAGS = frozenset(["p", "h1", "h2", "h3", "h4", "h5", "h6", "a"])  # what stands in them stands in the line
_BLOCK_INSIDE = tag_numbers(
    ("p", "div", "ul", "ol", "table", "section", "article", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "figure", "pre", "br")
)
MAX_INSIDE = 60  # nodes of an element that are looked at
MAX_BESIDE = 50  # siblings
MAX_UNKNOWN_ANCESTORS = 8
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
BOILERPLATE_TAGS = frozenset(("footer", "aside", "form", "dialog", "menu"))
CONTENT_TAGS = frozenset(("body", "main", "article", "figcaption"))
CODE_TAGS = frozenset(("pre", "listing", "xmp"))
READ_WHOLE = CODE_TAGS | {"table"}
TABLE_ROLES = frozenset(("table", "grid", "treegrid"))
ITEMS = frozenset(("li", "dt", "dd"))
KINDS: dict[str, Kind] = {
    **{tag: (HEADING, level) for tag, level in _HEADINGS.items()},
    "blockquote": (QUOTE, 0),
    **dict.fromkeys(("figcaption", "figure", "caption"), (CAPTION, 0)),
}
KIND_TAGS = ITEMS.union(KINDS)


def kind_inside(tag: str, around: Kind) -> Kind:
    """The kind of the text directly inside an element; `around` is the kind around it."""
    kind = KINDS.get(tag, around)
    if tag in ITEMS:
        return LIST_ITEM, kind[1] + 1 if kind[0] is LIST_ITEM else 1
    return kind


def rare_action(node: Node) -> int:
    """The action of a tag that is not in KNOWN: an unknown element is inline where text stands beside it or where only text can stand."""
    tag = node.tag
    if tag in ACTIONS:
        return ACTIONS[tag]
    if is_drawn_formula(node):
        return IGNORED
    return BLOCK if tag in _RARE_BLOCK_TAGS or not _is_in_line(node) else INLINE


def _is_in_line(node: Node) -> bool:
    if _holds_block(node):
        return False
    around: Node | None = node
    for _ in range(MAX_UNKNOWN_ANCESTORS):
        if around is None or _is_text(_beside(around, back=True)) or _is_text(_beside(around, back=False)):
            return around is not None
        around = around.parent
        if around is None or around.tag_id in KNOWN:
            break
    return around is not None and (around.tag in _TEXT_TAGS or ACTIONS.get(around.tag) == INLINE)


def _beside(node: Node, *, back: bool) -> Node | None:
    """The nearest sibling that is not white space."""
    sibling = node.prev if back else node.next
    for _ in range(MAX_BESIDE):
        if sibling is None or not (sibling.tag == "-comment" or (sibling.tag_id == TEXT and (sibling.text_content or "").isspace())):
            break
        sibling = sibling.prev if back else sibling.next
    return sibling


def _holds_block(node: Node) -> bool:
    """Whether a block element is in an element, or more than can be looked at for each of many elements in one another."""
    return any((inner.tag_id in _BLOCK_INSIDE and count > 0) or count > MAX_INSIDE for count, inner in enumerate(node.traverse()))


def _holds_text(node: Node) -> bool:
    return any(
        not (inner.text_content or "").isspace()
        for _, inner in zip(range(MAX_INSIDE), node.traverse(include_text=True), strict=False)
        if inner.tag_id == TEXT
    )


def _is_text(node: Node | None) -> bool:
    """Whether a sibling is text or an inline element of HTML with text."""
    if node is None or node.tag_id == TEXT:
        return node is not None
    return ACTIONS.get(node.tag) in {INLINE, LINK} and not _holds_block(node) and _holds_text(node)
