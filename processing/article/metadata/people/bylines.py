"""Authors that readers see: in links to their pages, in bylines, behind "by", in signatures and in boxes about them."""

from __future__ import annotations

import re
from itertools import islice, takewhile

from processing.article.metadata.jsonld import JsonLd
from processing.article.metadata.markup import Markup
from processing.article.metadata.people.candidate import Candidate
from processing.article.metadata.people.labels import ABOUT, BYLINE_PREFIX, PREFIX, PREFIXED, SIGN, without_credits
from processing.article.metadata.people.names import bare_name, ideographic_name, names_in
from processing.article.metadata.surroundings import are_close, in_boilerplate, in_list_of_pages, node_names, with_ancestors
from processing.article.tree.parse import Node
from processing.article.tree.visible import text_parts, visible_text

MAX_READ = 1000  # characters of an element that are read for names
MAX_BYLINE_CHARACTERS = 200
MAX_SIGNATURE_CHARACTERS = 90  # of a line that is only a byline
MAX_SIGNATURES = 30
PROSE_LENGTH = 120  # characters: a standfirst or a paragraph
PROSE_BEFORE_BYLINE = 2  # so many may stand between a heading and its byline
_BOX_NAMES = re.compile(
    r"author[-_ ]?(?:bio|box|info|card|profile|about|descr|details|area|section)|about[-_ ]?(?:the[-_ ]?)?author", re.IGNORECASE
)
_NAMES_IN_BYLINE = ".author, .author-name, .author__name, .byline-name, .byline__name, .fn, [rel~=author]"
_OWN_FOOTER = re.compile(r"(?:^|[\s_-])(?:post|entry|article)-footer(?:$|[\s_-])", re.IGNORECASE)
_NAME_IN_BOX = "h2, h3, h4, h5, h6, .author-name, .fn, [rel~=author]"
_SIGNED = re.compile(
    r"(?:written|posted|article|story|text)\s+by\b|(?:verfasst|geschrieben)\s+von\b|(?:écrit|rédigé)\s+par\b|escrito\s+por\b", re.IGNORECASE
)
_TEXT_BY = re.compile(r"^(?i:text[eo]?|tekst|testo|ord)(?:\s(?i:och|og|und|et|e|y|&)\s(?i:fotos?|bilder?))?\s*:?\s+(?=[^\W\d_a-zß-ÿ])")
_REPORTER = re.compile(
    r"(?:[^\s／/]{2}社?\s?)?(?:記者|记者)(?![專专會会團团群協协站證证節节])\s?([\u4e00-\u9fff]{2,4}?)\s?(?:$|[／/]|\s|[綜综][合])"
)  # `記者王小明／台北報導`, but `記者會` is a press conference
_HEADING_TAGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))


def from_links(markup: Markup, _: JsonLd) -> list[Candidate]:
    """Links to authors' pages outside boilerplate: the first one and those beside it."""
    found: list[Node] = []
    for node in markup.author_links[:40]:
        declared = _is_declared(node)
        elsewhere = in_boilerplate(node) and (not declared or in_list_of_pages(node))
        if elsewhere or not names_in(visible_text(node, MAX_READ), whole=declared):
            continue
        if found and not are_close(found[-1], node):
            break
        found.append(node)
    return [Candidate(_link_source(node), visible_text(node, MAX_READ), whole=_is_declared(node)) for node in found]


def _is_declared(node: Node) -> bool:
    """Whether a link is declared as the author's: then one word may be the name, too."""
    return "author" in (node.attributes.get("rel") or "").lower().split()


def _link_source(node: Node) -> str:
    """The source's name of a link to an author's page: its `rel` or its target."""
    attributes = node.attributes
    return "rel=author" if "author" in (attributes.get("rel") or "") else f"link to {attributes.get('href') or ''}"


def from_bylines(markup: Markup, _: JsonLd) -> list[Candidate]:
    """The first element with `byline` or `author` in its names that holds a name."""
    for node in markup.authors[:60]:
        if in_boilerplate(node) and not _is_in_own_footer(node):
            continue
        if len(several := _several(node)) > 1:
            return several
        text = "\n".join(text_parts(node, MAX_READ))
        if reporter := _REPORTER.match(text):
            return [Candidate(byline_source(node), reporter[1], person=True)]
        if names := _byline(text):
            return [Candidate(byline_source(node), names, whole=False)]
    return []


def _is_in_own_footer(node: Node) -> bool:
    """Whether a byline that begins with "by" stands in the footer of the article itself, as blogs write it."""
    footer = next((around for around in with_ancestors(node) if _OWN_FOOTER.search(node_names(around))), None)
    return footer is not None and PREFIX.match(visible_text(node, MAX_READ)) is not None and not in_list_of_pages(node)


def _several(byline: Node) -> list[Candidate]:
    """The authors of a byline that has an element for each, between which other things may stand, such as their roles.

    What has more text than a byline is a part of the page that is named after its author, perhaps with comments and other articles.
    """
    found: dict[str, Candidate] = {}
    if len(visible_text(byline, MAX_READ)) > 2 * MAX_BYLINE_CHARACTERS:
        return []
    for node in byline.css(_NAMES_IN_BYLINE)[:MAX_SIGNATURES]:
        text = visible_text(node, MAX_READ)
        if len(names_in(text, whole=False)) == 1 and not in_list_of_pages(node):
            found.setdefault(text, Candidate(byline_source(node), text, whole=False))
    return list(found.values())


def byline_source(node: Node) -> str:
    """The source's name of a byline: its tag with class or id, such as `byline p.author-name`."""
    attributes = node.attributes
    names, own = attributes.get("class"), attributes.get("id")
    return f"byline {'.'.join([node.tag or '', *names.split()]) if names else f'{node.tag}#{own}' if own else node.tag}"


def from_heading(markup: Markup, _: JsonLd) -> list[Candidate]:
    """The text after "by" that follows the main heading closely."""
    for heading in markup.headings[:3]:
        found = list(markup.texts_after(heading))
        prose = 0
        for position, (part, node) in enumerate(found):
            behind = PREFIX.match(part)
            if behind and len(part) <= MAX_BYLINE_CHARACTERS and not in_boilerplate(node):
                if _in_heading(node) and sum(_in_heading(other) and PREFIX.match(text) is not None for text, other in found) > 1:
                    continue  # several works with their authors
                text = "\n".join([part[behind.end() :], *_beside(found, position)]) if behind.end() > len(part) - 2 else part
                if names_in(text, whole=False):
                    return [Candidate("behind “by” after <h1>", text, whole=False)]
            prose += len(part) >= PROSE_LENGTH
            if prose > PROSE_BEFORE_BYLINE:
                break
    return []


def _beside(found: list[tuple[str, Node]], position: int) -> list[str]:
    """The texts behind one that is only "by", up to the next heading."""
    following = found[position + 1 : position + 6]
    return [text for text, _ in takewhile(lambda item: not _in_heading(item[1]), following)] or [text for text, _ in following[:1]]


def _in_heading(node: Node) -> bool:
    parent = node.parent
    return node.tag in _HEADING_TAGS or (parent is not None and parent.tag in _HEADING_TAGS)


def from_signatures(markup: Markup, _: JsonLd) -> list[Candidate]:
    """The text behind "by" anywhere outside boilerplate, or a name alone at the right, if the page has only one of them."""
    labelled = markup.labelled(PREFIX) if any(map(_may_name, markup.short_texts(SIGN))) else ()
    behind_by = ((text[by.end() :], node) for text, node in labelled if (by := PREFIX.match(text)))
    alone = (
        (text, node)
        for node in markup.on_the_right
        if len(text := visible_text(node, MAX_SIGNATURE_CHARACTERS)) <= MAX_SIGNATURE_CHARACTERS
    )
    for source, lines, whole in (("text behind “by”", behind_by, False), ("signature", alone, True)):
        found = {}
        for text, node in islice(lines, MAX_SIGNATURES):
            if len(text) > MAX_SIGNATURE_CHARACTERS or (_in_heading(node) and not _is_signed(node)) or in_boilerplate(node):
                continue
            names = names_in(text, whole=False) or ([] if whole else ideographic_name(text))
            if names and (not whole or bare_name("".join(names)) == bare_name(text)):
                found[tuple(names)] = Candidate(source, text, whole=False, person=not whole and " " not in names[0])
        if len(found) == 1:
            return list(found.values())
    return []


def _is_signed(heading: Node) -> bool:
    """Whether a heading is signed by the page's author. One that is only "by" stands below a work that the page speaks of."""
    return _SIGNED.match(visible_text(heading, MAX_READ)) is not None


def _may_name(text: str) -> bool:
    """Whether a text is a label with a name, or only a label, behind which a name may stand."""
    by = PREFIX.match(text)
    if by is None or by.end() >= len(text) - 1:
        return by is not None
    return bool(names_in(text[by.end() :], whole=False) or ideographic_name(text[by.end() :]))


def from_boxes(markup: Markup, _: JsonLd) -> list[Candidate]:
    """The name in a box about the author, which may stand in the footer, if all such boxes name the same."""
    found = {}
    for node in markup.authors[:60]:
        if not _BOX_NAMES.search(node_names(node)) or in_list_of_pages(node):
            continue
        named = node.css_first(_NAME_IN_BOX)
        text = ABOUT.sub("", visible_text(named, MAX_READ)) if named is not None else ""
        if len(text) <= MAX_SIGNATURE_CHARACTERS and (names := names_in(text, whole=False)):
            found[tuple(names)] = Candidate(byline_source(node), text, whole=False)
    return list(found.values()) if len(found) == 1 else []


def _byline(text: str) -> str | None:
    if not 2 < len(text) <= 2 * MAX_BYLINE_CHARACTERS:
        return None
    text = without_credits(text)
    behind = PREFIXED.search(text)
    candidate = behind[1] if behind else _TEXT_BY.sub("", BYLINE_PREFIX.sub("", text))
    return candidate if len(candidate) <= MAX_BYLINE_CHARACTERS and names_in(candidate, whole=False) else None
