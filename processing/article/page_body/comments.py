"""Read the posts of a forum, or the comments and reviews that readers left on a page."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from processing.article.metadata.dates import read_date
from processing.article.outline.walk import read_outline
from processing.article.tree.parse import Node, Tree
from processing.article.tree.visible import visible_text

MAX_COMMENTS = 2_000  # of a page
MAX_CANDIDATES = 20_000  # elements with a name that comments may have
MAX_TEXT_CHARACTERS = 50_000  # of one comment
MAX_AUTHOR_CHARACTERS = 80
MAX_LEVEL = 50
MIN_ALIKE = 2  # elements of one name: a single `post` is the page's article
_TOKEN = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# The last word of the class, id or property of an element that holds one comment.
_ITEMS = frozenset(
    [
        "comment",
        "reply",
        "answer",
        "post",
        "message",
        "review",
        "postbit",
        "feedback",
        "kommentar",
        "beitrag",
        "antwort",
        "commentaire",
        "comentario",
    ]
)
_ALWAYS = frozenset(["comment", "reply", "answer", "review", "kommentar", "commentaire", "comentario"])  # one alone is a comment, too
_BODIES = frozenset(
    ["body", "content", "text", "message", "cooked", "entry", "bbcode", "markdown", "description", "prose", "bubble", "reviewbody"]
)
_ROLES = {"comment": "comment", "suggestedanswer": "answer", "acceptedanswer": "answer", "review": "review"}
_AUTHORS = (
    "[itemprop~=author] [itemprop~=name]", "[itemprop~=author]", "[rel~=author]", "[class*=username]", "[class*=user-name]",
    "[class*=author-name]", "[class*=author]", "[class*=Author]", "[class*=poster]", "[class*=nickname]", ".fn", "[class*=user]",
    "[class*=name]", "cite",
)  # fmt: skip
_DATES = (
    "time[datetime]",
    "[itemprop~=datePublished]",
    "[itemprop~=dateCreated]",
    "time",
    "[class*=date]",
    "[class*=time]",
    "[class*=Date]",
)
_DEPTH = re.compile(r"\b(?:depth|level|indent)[-_]?(\d{1,2})\b")
_SAID = re.compile(
    r"^(?:by|von|par|por|posted by|written by)\s+|\s*(?:says|said|wrote|schrieb|sagt|a écrit|escribió)?\s*:?\s*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment. `level` is 0 for one that answers the page, 1 for a reply to it, and so on. `published_at` is aware."""

    author: str | None
    published_at: datetime | None
    text: str
    level: int = 0


def read_comments(tree: Tree) -> list[Comment]:
    """The comments in the order of the page. The tree is changed: what was read is cut out of it."""
    members = _members(tree)
    levels = _levels(members)
    found: list[Comment] = []
    for node, level in zip(reversed(members), reversed(levels), strict=True):  # replies before what they are in
        comment = _comment(node, level)
        if comment is not None:
            found.append(comment)
        node.decompose()
    return found[::-1]


def _members(tree: Tree) -> list[Node]:
    """The elements that hold one comment each: of all groups of elements with one name, the group with the most text."""
    groups: dict[tuple[str, str], list[Node]] = defaultdict(list)
    nodes = tree.css("[itemprop], [class], [id]")
    for count, node in enumerate(nodes):
        if count > MAX_CANDIDATES * 10 or sum(map(len, groups.values())) > MAX_CANDIDATES:
            break
        for name in _names(node):
            groups[node.tag or "", name].append(node)
    ranked = sorted(((_weight(name, members), members) for (_, name), members in groups.items()), key=lambda one: -one[0])
    return ranked[0][1][:MAX_COMMENTS] if ranked and ranked[0][0] > 0 else []


def _names(node: Node) -> Iterator[str]:
    """The names of an element by which it may be a comment: `topic-post`, `comment`."""
    if node.tag in {"a", "span", "button", "input", "textarea", "form", "body", "html", "ul", "ol", "time", "i", "img", "svg", "p"}:
        return
    attributes = node.attributes
    for role in (attributes.get("itemprop") or "").lower().split()[:3]:
        if role in _ROLES:
            yield f"@{_ROLES[role]}"
    for name in dict.fromkeys((attributes.get("class") or "")[:500].split()[:12]):
        if _last_word(name) in _ITEMS:
            yield name
    own = re.sub(r"[-_]?\d+$", "", attributes.get("id") or "")
    if own != (attributes.get("id") or "") and _last_word(own) in _ITEMS:
        yield f"#{own}"


def _last_word(name: str) -> str:
    words = _TOKEN.findall(name[:100])
    return words[-1].lower() if words else ""


def _weight(name: str, members: list[Node]) -> float:
    """How likely a group is the page's comments: how much text it has, and whether its elements name authors and times."""
    alone = name.startswith("@") or _last_word(name) in _ALWAYS
    if len(members) < (1 if alone else MIN_ALIKE):
        return 0.0
    some = members[:5]
    signs = sum(
        (member.css_first("time, [class*=date], [class*=time]") is not None) + (_author_node(member) is not None) for member in some
    )
    if not signs:
        return 0.0
    text = sum(len(member.text(strip=True)) for member in members[:50])
    return text * (signs / len(some)) * (2 if name.startswith("@") else 1)


def _levels(members: list[Node]) -> list[int]:
    """How deep each element is inside others of the group, or what its classes say of it."""
    own = {member.mem_id for member in members}
    levels: list[int] = []
    for member in members:
        named = _DEPTH.search(f"{member.attributes.get('class') or ''} {member.attributes.get('data-depth') or ''}")
        level, around, steps = 0, member.parent, 0
        while around is not None and steps < 400:
            level += around.mem_id in own
            around, steps = around.parent, steps + 1
        levels.append(min(level or (max(int(named[1]) - 1, 0) if named else 0), MAX_LEVEL))
    return levels


def _comment(node: Node, level: int) -> Comment | None:
    text = _text(node)
    if not text:
        return None
    author = _author_node(node)
    name = _SAID.sub("", visible_text(author)).strip()[:MAX_AUTHOR_CHARACTERS] if author is not None else ""
    return Comment(name or None, _date(node), text, level)


def _text(node: Node) -> str:
    """The text of the element that is named like the comment's body, otherwise of all of it."""
    best, longest = node, 0
    for inner in node.css("[class], [itemprop]")[:500]:
        named = {word.lower() for name in (inner.attributes.get("class") or "")[:300].split() for word in _TOKEN.findall(name)[-1:]}
        if (named & _BODIES or (inner.attributes.get("itemprop") or "").lower() in {"text", "reviewbody"}) and inner.tag not in {
            "a",
            "button",
        }:
            length = len(inner.text(strip=True))
            if length > longest:
                best, longest = inner, length
    lines = [block.text for block in read_outline(best).text_blocks]
    return "\n".join(lines)[:MAX_TEXT_CHARACTERS]


def _author_node(node: Node) -> Node | None:
    for selector in _AUTHORS:
        for found in node.css(selector)[:3]:
            if 0 < len(text := visible_text(found)) <= MAX_AUTHOR_CHARACTERS and any(map(str.isalpha, text)):
                return found
    return None


def _date(node: Node) -> datetime | None:
    for selector in _DATES:
        for found in node.css(selector)[:2]:
            attributes = found.attributes
            written = attributes.get("datetime") or attributes.get("content") or attributes.get("title") or visible_text(found)
            if (read := read_date(written)) is not None:
                return read[0] if read[0].tzinfo else read[0].replace(tzinfo=UTC)
    return None
