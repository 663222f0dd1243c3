"""Where the root element of a feed or a sitemap begins, and XML that a strict parser can read.

On the web such files stand behind comments, blank lines and the warnings of a server's programs, and write `&` for itself.
All work here is linear in the size of the file.
"""

from __future__ import annotations

import html.entities
import re

HEAD_CHARACTERS = 64 * 1024  # before the root element, besides comments and declarations: room for pages of warnings
MAX_BLANKS = 4_096  # before an XML declaration
TAG = re.compile(r"<(?:[\w.-]{1,50}:)?([a-zA-Z][\w.-]{0,50})(?=[\s/>])")
# what stands inside a page and never before the root of a list
PAGE_TAGS = frozenset(
    {"html", "head", "body", "title", "meta", "script", "style", "main", "article", "section", "nav", "form", "pre", "code"}
)
SIGN_OF_ROOT = re.compile(r"<(?:urlset|sitemapindex)[\s>]|\sxmlns|\sversion\s*=|<channel|<entry")  # a page may have a `feed` of its own
ROOTS = frozenset({"urlset", "sitemapindex", "rss", "feed", "rdf"})
REFERENCE = re.compile(r"&(?:#(\d{1,7});|#[xX]([0-9a-fA-F]{1,6});|([a-zA-Z][a-zA-Z0-9]{0,30});)?")
CDATA, CDATA_END = "<![CDATA[", "]]>"
XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
NOT_IN_XML = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ud800-\\udfff\\ufffe\\uffff]")


def list_root(text: str) -> tuple[str, int] | None:
    """The root element of a feed or a sitemap, by its name without prefix in lower case, and where it begins; None for other texts."""
    position = before = 0  # `before`: the characters before the root that are neither comments nor declarations
    is_xml = text[:MAX_BLANKS].lstrip().startswith("<?xml")
    while before <= HEAD_CHARACTERS:
        start = text.find("<", position)
        if start < 0:
            return None
        before += len(text[position : min(start, position + HEAD_CHARACTERS)].strip())
        behind = _behind_declaration(text, start)
        if behind:
            position = behind
            continue
        found = TAG.match(text, start)
        name = found[1].lower() if found else ""
        if name in ROOTS and (is_xml or not before or SIGN_OF_ROOT.search(text, start, start + 1_000)):
            return name, start
        if name in PAGE_TAGS:
            return None
        position, before = start + 1, before + 1
    return None


def strict_xml(text: str) -> str:
    """XML whose characters and references a strict parser takes: a bare `&` is written `&amp;`, the entities of HTML as characters."""
    text = NOT_IN_XML.sub("", text)
    if "&" not in text:
        return text
    parts: list[str] = []
    position = 0
    while (start := text.find(CDATA, position)) >= 0:
        end = _behind(text, CDATA_END, start)
        parts += (REFERENCE.sub(_reference, text[position:start]), text[start:end])
        position = end
    return "".join((*parts, REFERENCE.sub(_reference, text[position:])))


def _behind(text: str, end: str, start: int) -> int:
    """The place behind the next `end`; the end of the text if there is none."""
    found = text.find(end, start)
    return len(text) if found < 0 else found + len(end)


def _behind_declaration(text: str, start: int) -> int:
    """The place behind a comment, an instruction or a document type that begins here; 0 if none does."""
    if text.startswith("<!--", start):
        return _behind(text, "-->", start + 4)
    if text.startswith("<?", start):
        return _behind(text, "?>", start + 2)
    if text.startswith(("<!DOCTYPE", "<!doctype"), start):
        end, bracket = text.find(">", start), text.find("[", start, start + 1_000)
        return _behind(text, ">", _behind(text, "]", bracket) if 0 <= bracket < end else start)
    return 0


def _reference(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        if name in XML_ENTITIES:
            return match[0]
        known = html.entities.html5.get(f"{name};")
        return f"&amp;{match[0][1:]}" if known is None else known.replace("&", "&amp;").replace("<", "&lt;")
    if decimal is None and hexadecimal is None:
        return "&amp;"
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return match[0] if code <= 0x10FFFF and not NOT_IN_XML.match(chr(code)) else ""
