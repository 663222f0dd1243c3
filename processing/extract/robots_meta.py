"""Opt-outs that a page states: not to be indexed, by X-Robots-Tag or by a robots meta element."""

from __future__ import annotations

import re

from processing.article.tree.entities import unescaped
from schemas.capture import Capture
from schemas.directives import Directives, header_directives, is_addressed, read_directives

HEAD_CHARACTERS = 65_536
_META = re.compile(r"<meta\b[^>]{0,400}>", re.IGNORECASE)
_NAME = re.compile(r"\bname\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
_CONTENT = re.compile(r"\bcontent\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)


def forbids_indexing(capture: Capture, html: str, product: str) -> bool:
    """Whether the page asked, when it was fetched, not to be indexed: all robots, or the one of this product token by its name."""
    directives = header_directives(_robots_tags(capture), product)
    for tag in _META.findall(_head(html)):
        directives = directives.combined(_meta_directives(tag, product))
    return directives.forbids_indexing(capture.fetched_at)


def _robots_tags(capture: Capture) -> list[str]:
    return [value.decode("latin-1") for name, value in capture.response_headers if name.lower() == b"x-robots-tag"]


def _meta_directives(tag: str, product: str) -> Directives:
    name, content = _NAME.search(tag), _CONTENT.search(tag)
    if name is None or content is None or not is_addressed(name[1].strip("\"'"), product):
        return Directives()
    return read_directives(unescaped(content[1].strip("\"'")))


def _head(html: str) -> str:
    end = html.lower().find("</head", 0, HEAD_CHARACTERS)
    return html[: end if end >= 0 else HEAD_CHARACTERS]
