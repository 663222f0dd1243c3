"""Declarative shadow trees (HTML, 4.12.3) as elements of the page, with the contents of their slots where browsers show them."""

from __future__ import annotations

import re
from collections import defaultdict

from selectolax.lexbor import LexborHTMLParser, LexborNode

_TEMPLATE = re.compile(r"<(/?)template\b[^<>]*+>", re.IGNORECASE)  # `<` ends the search: many tags without an end take linear time
_SHADOW_MODE = re.compile(r"""\bshadowroot(?:mode)?\s*=\s*["']?\s*(?:open|closed)""", re.IGNORECASE)
_ROOT = "crawlhouse-shadow-tree"  # the attribute of the element in place of a shadow tree
MAX_TREES = 200
MAX_MOVED = 2_000_000  # characters of markup: what is moved is copied, and trees in one another are moved again and again


def with_shadow_trees(html: str) -> str:
    """The HTML with declarative shadow trees as elements: browsers show them, and the parser keeps templates out of the tree."""
    parts: list[str] = []
    shadows: list[bool] = []  # of the open templates, whether each is a shadow tree
    position = others = 0
    for match in _TEMPLATE.finditer(html):
        if match[1]:
            is_shadow = bool(shadows) and shadows[-1]
            others -= bool(shadows) and not shadows.pop()
        else:
            is_shadow = not others and _SHADOW_MODE.search(match[0]) is not None
            others += not is_shadow
            shadows.append(is_shadow)
        if is_shadow:
            parts += [html[position : match.start()], "</div>" if match[1] else f"<div {_ROOT}>"]
            position = match.end()
    return "".join([*parts, html[position:]])


def fill_slots(tree: LexborHTMLParser) -> None:
    """Move what stands in the hosts of shadow trees to their slots, in place of what these show without it."""
    room = MAX_MOVED
    for root in reversed(tree.css(f"div[{_ROOT}]")[:MAX_TREES]):  # inner ones first: they are copied along with their hosts
        host = root.parent
        if host is None or room <= 0:
            return
        slotted = _slotted(host)
        for slot in _own_slots(root):
            nodes = slotted.pop(slot.attributes.get("name") or "", [])
            for node in nodes:
                room -= _move(node, slot)
            if nodes:
                slot.decompose()


def _slotted(host: LexborNode) -> dict[str, list[LexborNode]]:
    """The contents of a host beside its shadow tree, by the names of their slots."""
    slotted: dict[str, list[LexborNode]] = defaultdict(list)
    for node in host.iter(include_text=True):
        if node.tag == "-text":
            slotted[""].append(node)
        elif _ROOT not in node.attributes:
            slotted[node.attributes.get("slot") or ""].append(node)
    if not any(node.tag != "-text" or (node.text_content or "").strip() for node in slotted[""]):
        del slotted[""]
    return slotted


def _own_slots(root: LexborNode) -> list[LexborNode]:
    """The slots of a shadow tree, without those of trees in it."""
    return [slot for slot in root.css("slot") if _root_around(slot) == root.mem_id]


def _root_around(slot: LexborNode) -> int | None:
    around = slot.parent
    while around is not None and _ROOT not in around.attributes:
        around = around.parent
    return None if around is None else around.mem_id


def _move(node: LexborNode, slot: LexborNode) -> int:
    """Move a node to a slot; the characters of its markup."""
    if node.tag == "-text":
        text = node.text_content or ""
        slot.insert_before(text)
    else:
        text = node.html or ""
        slot.insert_before(node)
    node.decompose()
    return len(text)
