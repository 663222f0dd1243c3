"""Read the posts of a forum, or the comments and reviews that readers left on a page."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from processing.article.page_body.comment_parts import author_nodes, date_nodes, read_author, read_moment, read_text, words_of
from processing.article.tree.parse import Node, Tree

MAX_COMMENTS = 2_000  # of a page
MAX_CANDIDATES = 20_000  # elements with a name that comments may have
MAX_LEVEL = 50
MAX_LEVELS_UP = 6  # from a comment's named element to the element that has its author, too
MIN_ALIKE = 2  # elements of one name: a single `post` is the page's article
SAMPLE = 5  # members of a group that are looked at closely
_COMMENTS_WORDS = (
    "comment comtr reply answer review kommentar antwort bewertung commentaire réponse avis comentario respuesta comentário resposta "
    "commento risposta recensione reactie kommentti komentarz"
)
_COMMENTS = frozenset(_COMMENTS_WORDS.split())
_POSTS_WORDS = "post postbit blockpost message beitrag feedback mensaje messaggio bericht"  # articles are called so, too
_POSTS = frozenset(_POSTS_WORDS.split())
_HOLDERS_WORDS = "item entry box block row node card single unit body content"  # behind one of the words above: `comment-item`
_HOLDERS = frozenset(_HOLDERS_WORDS.split())
_ROLES = {"comment": "comment", "suggestedanswer": "answer", "acceptedanswer": "answer", "review": "review"}
_NEVER_WORDS = "a span button input textarea form body html ul ol time i img svg p"
_NEVER = frozenset(_NEVER_WORDS.split())
_DEPTH = re.compile(r"\b(?:depth|level|indent)[-_]?(\d{1,2})\b")
_DEPTHS = ("data-depth", "data-level", "data-indent", "aria-level", "indent")
_NUMBER_BEHIND = re.compile(r"[-_]?\d+$")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment. `level` is 0 for one that answers the page, 1 for a reply to it, and so on. `published_at` is aware."""

    author: str | None
    published_at: datetime | None
    text: str
    level: int = 0


def read_comments(tree: Tree, *, posts: bool = True) -> list[Comment]:
    """The comments in the order of the page. The tree is changed: what was read is cut out of it.

    `posts`: elements called posts or messages count, as on a forum's page; elsewhere these are teasers of articles.
    """
    members = _members(tree, posts=posts)
    levels = _levels(members)
    month_first = _is_month_first(tree)
    found: list[Comment] = []
    for node, level in zip(reversed(members), reversed(levels), strict=True):  # replies before what they are in
        author, moment, text = read_author(node), read_moment(node, month_first), read_text(node)
        if text:
            found.append(Comment(author, moment, text, level))
        node.decompose()
    return found[::-1]


def _is_month_first(tree: Tree) -> bool:
    """Whether 05/06/2024 is in May, as in the English of the United States."""
    root = tree.root
    language = ((root.attributes.get("lang") if root is not None else None) or "en").lower()
    return language in {"en", "en-us", "en_us"}


def _members(tree: Tree, *, posts: bool) -> list[Node]:
    """The elements that hold one comment each: of all groups of elements with one name, the group with the most text."""
    groups: dict[tuple[str, str], list[Node]] = defaultdict(list)
    for count, node in enumerate(tree.css("[itemprop], [class], [id]")):
        if count > MAX_CANDIDATES * 10 or sum(map(len, groups.values())) > MAX_CANDIDATES:
            break
        for name in _names(node, posts=posts):
            groups[node.tag or "", name].append(node)
    whole = [(name, _with_heads(members)) for (_, name), members in groups.items()]
    ranked = sorted(((_weight(name, members), members) for name, members in whole), key=lambda one: -one[0])
    return ranked[0][1][:MAX_COMMENTS] if ranked and ranked[0][0] > 0 else []


def _names(node: Node, *, posts: bool) -> Iterator[str]:
    """The names of an element by which it may be a comment: `topic-post`, `comment`, `comment-item`."""
    if node.tag in _NEVER:
        return
    attributes = node.attributes
    for role in (attributes.get("itemprop") or "").lower().split()[:3]:
        if role in _ROLES:
            yield f"@{_ROLES[role]}"
    for name in dict.fromkeys((attributes.get("class") or "")[:500].split()[:12]):
        if _is_item(name, posts=posts):
            yield name
    own = attributes.get("id") or ""
    bare = _NUMBER_BEHIND.sub("", own)
    if bare != own and _is_item(bare, posts=posts):
        yield f"#{bare}"


def _is_item(name: str, *, posts: bool) -> bool:
    words = words_of(name)
    if len(words) > 1 and words[-1] in _HOLDERS:
        words.pop()
    return bool(words) and (words[-1] in _COMMENTS or (posts and words[-1] in _POSTS))


def _with_heads(members: list[Node]) -> list[Node]:
    """The members; or the elements around them that hold one of them each, where only these have authors and times."""
    if len(members) < MIN_ALIKE or any(map(_signs, members[:SAMPLE])):
        return members
    own = {member.mem_id for member in members}
    risen = members
    for _ in range(MAX_LEVELS_UP):
        around = [node.parent for node in risen]
        parents = [node for node in around if node is not None and node.tag not in {"body", "html"}]
        if len({node.mem_id for node in parents}) < len(members) or _has_several(parents[0], own):
            break
        risen = parents
        if any(map(_signs, risen[:SAMPLE])):
            return risen
    return members


def _has_several(node: Node, own: set[int]) -> bool:
    return sum(inner.mem_id in own for inner in node.traverse()) > 1


def _signs(node: Node) -> int:
    """How many there are of the two: an author, a time."""
    return (next(date_nodes(node), None) is not None) + (next(author_nodes(node), None) is not None)


def _weight(name: str, members: list[Node]) -> float:
    """How likely a group is the page's comments: how much text it has, and whether its elements name authors and times."""
    alone = name.startswith("@") or words_of(name)[-1] in _COMMENTS
    if len(members) < (1 if alone else MIN_ALIKE):
        return 0.0
    some = members[:SAMPLE]
    signs = sum(map(_signs, some))
    if not signs:
        return 0.0
    text = sum(len(member.text(strip=True)) for member in members[:50])
    return text * (signs / len(some)) * (2 if name.startswith("@") else 1)


def _levels(members: list[Node]) -> list[int]:
    """How deep each element is inside others of the group, or what its names and attributes say of it, from the least on."""
    levels = _nesting(members)
    if not any(levels):
        written = [_written_level(member) for member in members]
        least = min((level for level in written if level is not None), default=0)
        levels = [0 if level is None else level - least for level in written]
    return [min(level, MAX_LEVEL) for level in levels]


def _nesting(members: list[Node]) -> list[int]:
    """How many others of the group are around each element. Every element around them is looked at once."""
    own = {member.mem_id for member in members}
    inside: dict[int, int] = {}  # by element: how many of the group hold it, itself included
    levels = []
    for member in members:
        path: list[int] = []
        around: Node | None = member
        while around is not None and around.mem_id not in inside:
            path.append(around.mem_id)
            around = around.parent
        count = inside[around.mem_id] if around is not None else 0
        for identity in reversed(path):
            count += identity in own
            inside[identity] = count
        levels.append(inside[member.mem_id] - 1)
    return levels


def _written_level(member: Node) -> int | None:
    """The level that an element names itself, in its class, or in an attribute of its own, of one inside, or of a row around it."""
    if named := _DEPTH.search(member.attributes.get("class") or ""):
        return int(named[1])
    row = member.parent if member.tag in {"td", "table"} else None
    for node in (member, member.css_first("[indent]"), row.css_first("[indent]") if row is not None else None):
        for name in _DEPTHS if node is not None else ():
            if node is not None and (value := (node.attributes.get(name) or "").strip()).isdecimal() and len(value) < 3:
                return int(value)
    return None
