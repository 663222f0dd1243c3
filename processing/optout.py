"""Opt-outs that a page states: `noindex` in X-Robots-Tag or in a robots meta element."""

from __future__ import annotations

import re

from schemas.capture import Capture

HEAD_CHARACTERS = 65_536
_META = re.compile(r"<meta\b[^>]{0,400}>", re.IGNORECASE)
_ROBOTS = re.compile(r"\bname\s*=\s*[\"']?robots\b", re.IGNORECASE)
_NOINDEX = re.compile(r"\b(noindex|none)\b", re.IGNORECASE)
_CONTENT = re.compile(r"\bcontent\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)


def forbids_indexing(capture: Capture, html: str) -> bool:
    """Whether the page asks all robots not to index it. A rule for one named robot does not count."""
    return any(_header_forbids(value) for value in _robots_tags(capture)) or any(_meta_forbids(tag) for tag in _META.findall(_head(html)))


def _robots_tags(capture: Capture) -> list[str]:
    return [value.decode("latin-1") for name, value in capture.response_headers if name.lower() == b"x-robots-tag"]


def _header_forbids(value: str) -> bool:
    first = value.partition(",")[0]
    named = ":" in first and not first.strip().lower().startswith("unavailable_after")
    return not named and bool(_NOINDEX.search(value))


def _meta_forbids(tag: str) -> bool:
    content = _CONTENT.search(tag)
    return bool(content and _ROBOTS.search(tag) and _NOINDEX.search(content.group(1)))


def _head(html: str) -> str:
    end = html.lower().find("</head", 0, HEAD_CHARACTERS)
    return html[: end if end >= 0 else HEAD_CHARACTERS]
