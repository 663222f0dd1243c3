"""The addresses of links and images on a page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urljoin

from processing.article.tree.parse import Node, Tree

MAX_ADDRESS_CHARACTERS = 2_000  # a longer one is data, not an address
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_LINKS = ("http://", "https://", "mailto:", "tel:", "ftp://")
_IMAGES = ("http://", "https://")
_SOURCES = ("src", "data-src", "data-original", "data-lazy-src")
_BLANK = re.compile(
    r"(?:^|/)(?:blank|spacer|placeholder|pixel|transparent|lazy|grey|gray|loading|1x1)[\w.-]*\.(?:gif|png|svg|jpe?g|webp)(?:\?|$)",
    re.IGNORECASE,
)
_LATE = re.compile(
    r"(?!.*(?:srcset|sizes))data-.*(?:src|original|image|lazy)", re.IGNORECASE
)  # attributes with the source of an image that is loaded late
_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|svg)(?:\?|$)", re.IGNORECASE)


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
    sources = [source for name in _SOURCES if (source := (attributes.get(name) or "").strip()) and not source.startswith("data:")]
    if not sources or _BLANK.search(sources[0]):  # pages that load images late have a blank one in `src`
        late = [*_late_sources(attributes), *sources[1:], *(part.split()[0] for part in _candidates(attributes))]
        sources = [*(late or _sources_beside(node)), *sources[:1]]
    targets = (_joined(base, source) for source in sources)
    return next((target for target in targets if target.lower().startswith(_IMAGES)), "")


def _sources_beside(node: Node) -> list[str]:
    """The sources of an image in the `noscript` behind it, or of the `picture` around it."""
    following = node.next
    while following is not None and following.tag == "-text":
        following = following.next
    if following is not None and following.tag == "noscript":
        return [source for image in following.css("img[src]")[:1] if (source := (image.attributes.get("src") or "").strip())]
    around = node.parent
    if around is None or around.tag != "picture":
        return []
    return [part.split()[0] for source in around.css("source") for part in _candidates(source.attributes)]


def _late_sources(attributes: Mapping[str, str | None]) -> list[str]:
    return [value.strip() for name, value in attributes.items() if value and _LATE.match(name) and _PICTURE.search(value.strip())]


def _candidates(attributes: Mapping[str, str | None]) -> list[str]:
    """The first of the images in a `srcset`, as there may be one without `src`."""
    sets = (attributes.get("srcset") or "", attributes.get("data-srcset") or "")
    return [first for value in sets if (first := value.split(", ")[0].strip()) and not first.startswith("data:")]


def _joined(base: str, address: str) -> str:
    if len(address) > MAX_ADDRESS_CHARACTERS:
        return ""
    try:
        return _CONTROLS.sub("", urljoin(base, address.strip())).replace(" ", "%20")
    except ValueError:
        return ""
