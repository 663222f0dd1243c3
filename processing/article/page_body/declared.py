"""The words of a page that readers do not see: its program, microdata, addresses of links and scripts, names of fields, buttons.

They tell a shop or a forum by the program that made it, in any language.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from processing.article.tree.parse import Node, Tree

MAX_LINKS = 3_000
MAX_NODES = 200  # of each other kind
MAX_RELATIONS = 2_000
SOME, MANY = 5, 20  # links with a word
_WORD = re.compile(r"[a-z]{2,20}|\d+")
_NAMED = (
    ("script[src]", "src", "x", 12),
    ("link[rel~=stylesheet]", "href", "y", 12),
    ("form[action]", "action", "f", 8),
    ("[rel]", "rel", "r", 3),
)


def declared_tokens(tree: Tree, host: str) -> frozenset[str]:
    """The words, each with a sign of where it stands. `host` is the page's, for links to other sites."""
    return frozenset(_tokens(tree, host))


def _tokens(tree: Tree, host: str) -> Iterator[str]:
    for node in tree.css("meta[name=generator], meta[property='og:type'], meta[name=application-name]"):
        name = node.attributes.get("name") or node.attributes.get("property") or ""
        yield from (f"g:{name[-4:]}:{word}" for word in _words(_value(node, "content"), 6))
    yield from (f"m:{_value(node, 'itemtype').rsplit('/')[-1].lower()[:40]}" for node in tree.css("[itemtype]")[:MAX_RELATIONS])
    if tree.body is not None:
        yield from (f"b:{word}" for word in _words(f"{_value(tree.body, 'class')} {_value(tree.body, 'id')}", 40))
    yield from _links(tree, host)
    for selector, attribute, sign, most in _NAMED:
        for node in tree.css(selector)[: MAX_RELATIONS if sign == "r" else MAX_NODES]:
            yield from (f"{sign}:{word}" for word in _words(_value(node, attribute), most))
    for node in tree.css("input[name], button[name], select[name], textarea[name]")[:MAX_NODES]:
        yield f"i:{'_'.join(_words(_value(node, 'name'), 3))}"
    for node in tree.css("button, input[type=submit]")[:MAX_NODES]:
        yield f"B:{'_'.join(_words(node.text() or _value(node, 'value'), 4))}"


def _links(tree: Tree, host: str) -> Iterator[str]:
    """The words in the addresses of the page's own site, and whether some or many links have them; the hosts of other sites."""
    counts: Counter[str] = Counter()
    for node in tree.css("a[href]")[:MAX_LINKS]:
        try:
            parts = urlsplit(_value(node, "href"))
        except ValueError:
            continue
        if parts.netloc and parts.netloc != host:
            yield f"e:{parts.netloc.removeprefix('www.')[:40]}"
        else:
            counts.update(set(_words(f"{parts.path} {parts.query}", 12)))
    for word, count in counts.items():
        yield f"l:{word}"
        if count >= SOME:
            yield f"l5:{word}"
        if count >= MANY:
            yield f"l20:{word}"


def _value(node: Node, name: str) -> str:
    return node.attributes.get(name) or ""


def _words(text: str, most: int) -> list[str]:
    return ["0" if word.isdigit() else word for word in _WORD.findall(text[:500].lower())[:most]]
