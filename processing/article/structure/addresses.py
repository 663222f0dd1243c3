"""The addresses of links and images on a page."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from processing.article.tree.parse import Node, Tree

MAX_ADDRESS_CHARACTERS = 2_000  # a longer one is data, not an address
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_LINKS = ("http://", "https://", "mailto:", "tel:", "ftp://")
_IMAGES = ("http://", "https://")
_SOURCES = ("src", "data-src", "data-original", "data-lazy-src")  # pages that load images late have a blank one in `src`


def base_url(tree: Tree, url: str) -> str:
    """The URL that relative addresses of a page start from."""
    base = tree.css_first("base[href]")
    return _joined(url, (base.attributes.get("href") or "") if base is not None else "") or url


def link_target(node: Node, base: str) -> str:
    """The absolute URL of a link; empty where it leads nowhere, within the page, or to a script."""
    href = (node.attributes.get("href") or "").strip()
    if not href or href.startswith("#"):
        return ""
    target = _joined(base, href)
    return target if target.lower().startswith(_LINKS) else ""


def image_source(node: Node, base: str) -> str:
    """The absolute URL of an image; empty where it has none, or is so small that it counts visits or is a sign."""
    attributes = node.attributes
    if any((attributes.get(side) or "").strip() in {"0", "1", "1px"} for side in ("width", "height")):
        return ""
    for name in _SOURCES:
        source = (attributes.get(name) or "").strip()
        if source and not source.startswith("data:"):
            target = _joined(base, source)
            if target.lower().startswith(_IMAGES):
                return target
    return ""


def _joined(base: str, address: str) -> str:
    if len(address) > MAX_ADDRESS_CHARACTERS:
        return ""
    try:
        return _CONTROLS.sub("", urljoin(base, address.strip())).replace(" ", "%20")
    except ValueError:
        return ""
