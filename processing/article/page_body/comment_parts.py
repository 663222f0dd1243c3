"""Read one comment: who wrote it, when, and its text without signature, user panel and buttons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from processing.article.dates.dates import read_date
from processing.article.outline.outline import TextBlock
from processing.article.outline.walk import read_outline
from processing.article.tree.parse import Node
from processing.article.tree.visible import text_parts, visible_text

MAX_TEXT_CHARACTERS = 50_000  # of one comment
MAX_AUTHOR_CHARACTERS = 80
MAX_INNER = 500  # elements with names in one comment
MAX_ASIDE_CHARACTERS = 400  # of a signature or a user panel
MAX_DATE_CHARACTERS = 60
MAX_LABEL_CHARACTERS = 25
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# What build tools put behind a class: a mixture of letters and digits.
_HASH = re.compile(r"(?<=[A-Za-z])(?:__?|-)(?=[A-Za-z]*\d)[A-Za-z\d_-]{2,10}$")
_BODIES_WORDS = (
    "body content text texte texto testo message cooked bbcode markdown md description prose bubble reviewbody inhalt contenu contenido "
    "corps cuerpo commtext post postmsg msg"
)
_BODIES = frozenset(_BODIES_WORDS.split())
# The last word of the name of what is not the comment's text.
_ASIDES_WORDS = (
    "signature sig profile postprofile userinfo authorpane badge badges rank avatar likes votes score reactions actions buttons toolbar "
    "controls permalink report share flag postsignature"
)
_ASIDES = frozenset(_ASIDES_WORDS.split())
_AUTHOR_DATA = ("data-author", "data-username", "data-user-name", "data-author-name")
_AUTHORS = (
    "[itemprop~=author] [itemprop~=name]", "[itemprop~=author]", "[rel~=author]", "[class*=username]", "[class*=userName]",
    "[class*=user-name]", "[class*=user_name]", "[class*=author-name]", "[class*=hnuser]", "[class*=author]", "[class*=Author]",
    "[class*=autor]", "[class*=auteur]", "[class*=autore]", "[class*=poster]", "[class*=nickname]", ".fn", "dt strong", "dt a",
    "[class*=user]",
    "[class*=usuario]", "[class*=utente]", "[class*=person]", "[class*=name]", "[class*=nombre]", "[class*=nome]", "cite",
)  # fmt: skip
_DATES = (
    "[datetime]",
    "[itemprop~=datePublished]",
    "[itemprop~=dateCreated]",
    "time",
    "[class*=date]",
    "[class*=Date]",
    "[class*=time]",
    "[class*=datum]",
    "[class*=fecha]",
    "[class*=zeit]",
    "[class~=age]",
)
_SAID = re.compile(
    r"^(?:by|von|par|por|posted by|written by)(?:\s+|$)|\s*\b(?:says|said|wrote|schrieb|sagt|a écrit|escribió)?\s*:?\s*$", re.IGNORECASE
)
_COUNT = re.compile(r"#?\s?\d[\d.,]*(?:\s[^\W\d]+)?")  # `#3`, `12 Likes`
_LABELS_WORDS = (
    "reply quote like share report permalink link edit delete antworten zitieren melden teilen répondre citer signaler partager responder "
    "citar denunciar compartir rispondi segnala condividi ответить пожаловаться beantwoorden svara odpowiedz"
)
_LABELS = frozenset(_LABELS_WORDS.split())
_SIGNATURE = re.compile(r"_{8,}|-{2,3}$")


def read_author(node: Node) -> str | None:
    """The name of who wrote a comment."""
    declared = next((value.strip() for name in _AUTHOR_DATA if (value := node.attributes.get(name)) and value.strip()), None)
    found = declared or next((name for element in author_nodes(node) if (name := _name(element))), None)
    return found[:MAX_AUTHOR_CHARACTERS] if found else None


def author_nodes(node: Node) -> Iterator[Node]:
    """The elements that may name the author, the most likely first."""
    for selector in _AUTHORS:
        for found in node.css(selector)[:3]:
            if (
                found.mem_id != node.mem_id
                and 0 < len(text := visible_text(found)) <= MAX_AUTHOR_CHARACTERS
                and any(map(str.isalpha, text))
            ):
                yield found


def _name(element: Node) -> str | None:
    """The first of an element's texts that is a name: `By`, `Ann`, `Member since 2009`."""
    for part in text_parts(element):
        name = _SAID.sub("", part).strip(" \t\n,|·•»")
        if any(map(str.isalpha, name)):
            return name
    return None


def date_nodes(node: Node) -> Iterator[Node]:
    """The elements that may say when a comment was written, the most likely first."""
    for selector in _DATES:
        yield from (found for found in node.css(selector)[:2] if found.mem_id != node.mem_id)


def read_moment(node: Node, month_first: bool) -> datetime | None:
    """When a comment was written, aware; UTC if the page names no zone. `month_first` as in `read_date`."""
    for found in date_nodes(node):
        attributes = found.attributes
        for written in (attributes.get("datetime"), attributes.get("content"), attributes.get("title"), visible_text(found)):
            if (moment := _moment(written, month_first)) is not None:
                return moment
    texts = (text for text in text_parts(node) if len(text) <= MAX_DATE_CHARACTERS)
    return next((moment for text in texts if (moment := _moment(text, month_first)) is not None), None)


def _moment(written: str | None, month_first: bool) -> datetime | None:
    read = read_date(written, month_first)
    return (read[0] if read[0].tzinfo else read[0].replace(tzinfo=UTC)) if read else None


def read_text(node: Node) -> str:
    """The lines of a comment. The node is changed: what is not the text is cut out of it."""
    heads = [found for found in (next(author_nodes(node), None), next(date_nodes(node), None)) if found is not None]
    around_heads = {around for head in heads for around in _up_to(node, head)}
    best, longest = node, 0
    for inner in list(node.css("[class], [itemprop], [id]"))[:MAX_INNER]:
        if inner.mem_id not in around_heads and _is_body(inner) and (length := len(inner.text(strip=True))) > longest:
            best, longest = inner, length
    for head in heads if best is node else ():
        if head.tag != "body" and len(head.text(strip=True)) <= MAX_AUTHOR_CHARACTERS:
            head.decompose()
    for inner in reversed(list(best.css("[class], [id]"))[:MAX_INNER]):
        if inner.mem_id != best.mem_id and is_aside(inner):
            inner.decompose()
    return "\n".join(_lines(read_outline(best).text_blocks, whole=best is not node))[:MAX_TEXT_CHARACTERS]


def _is_body(node: Node) -> bool:
    if node.tag in {"a", "button"}:
        return False
    return (node.attributes.get("itemprop") or "").lower() in {"text", "reviewbody"} or not _BODIES.isdisjoint(last_words(node))


def is_aside(node: Node) -> bool:
    """Whether an element is by its name a signature, a user panel or buttons."""
    return not _ASIDES.isdisjoint(last_words(node)) and len(node.text(strip=True)) <= MAX_ASIDE_CHARACTERS


def last_words(node: Node) -> set[str]:
    """The last words of an element's classes and id: `message-body`, `Comment_text__x7A1`, `post_message_12`."""
    names = f"{node.attributes.get('class') or ''} {node.attributes.get('id') or ''}"[:500].split()
    return {words[-1] for name in names[:14] if (words := words_of(name))}


def words_of(name: str) -> list[str]:
    """The words of a class or id in lower case, without what a build tool put behind it."""
    return [word.lower() for word in _TOKEN.findall(_HASH.sub("", name[:100]))]


def _up_to(root: Node, node: Node) -> Iterator[int]:
    """The ids of a node and of those around it in `root`: an element that holds the author or the time is more than the text."""
    around: Node | None = node
    while around is not None:
        yield around.mem_id
        around = around.parent if around.mem_id != root.mem_id else None


def _lines(blocks: list[TextBlock], *, whole: bool) -> list[str]:
    """The texts of the blocks up to the signature, without labels and counts at either end."""
    signed = next((place for place, block in enumerate(blocks) if place and _SIGNATURE.match(block.text)), len(blocks))
    left = blocks[:signed]
    while left and _is_label(left[-1]):
        left.pop()
    while left and not whole and _is_label(left[0]):
        left.pop(0)
    return [block.text for block in left]


def _is_label(block: TextBlock) -> bool:
    if len(block.text) > MAX_LABEL_CHARACTERS:
        return False
    return block.linked >= len(block.text) or block.text.casefold() in _LABELS or _COUNT.fullmatch(block.text) is not None
