"""Reads Content-Type headers as browsers do. Nothing else reads them, in `spiders` and in `processing`.

Source: Fetch Standard, "extract a MIME type", which takes the last type that can be read; a charset holds on for the same type. More than
there, a line without `;` and a type in quotes are read, because servers write them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
XML_TYPES = frozenset({"application/xml", "text/xml"})
# MIME Sniffing Standard, 7; and others by which servers say the same
UNKNOWN_TYPES = frozenset(
    {
        "unknown/unknown",
        "application/unknown",
        "*/*",
        "text/*",
        "content/unknown",
        "application/x-unknown",
        "application/x-unknown-content-type",
    }
)
MAX_CHARACTERS = 2_000  # of all lines together: bounds the time
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}"  # RFC 9110, 5.6.2
_PART = re.compile(r"(?:[^,\"]|\"[^\"]*\"?)+")
_TYPE = re.compile(rf"[\s\"';]*({_WORD}/{_WORD})")
_CHARSET = re.compile(r"charset\s{0,20}=\s{0,20}[\"']?\s{0,20}([\w.:-]{1,60})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MediaType:
    """The type in lower case, like `text/html`, and the charset as written; None for what is not named or cannot be read."""

    name: str | None = None
    charset: str | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether only the bytes can say what the body is."""
        return self.name is None or self.name in UNKNOWN_TYPES

    @property
    def may_be_html(self) -> bool:
        """Whether the body is HTML if its first bytes look so: another name for HTML, or XML, of which XHTML is one."""
        return self.is_unknown or self.name in XML_TYPES or "htm" in (self.name or "")


def read_media_type(content_type: str | None) -> MediaType:
    """The media type in all Content-Type lines of a response, joined with commas."""
    found = MediaType()
    for part in _PART.findall((content_type or "")[:MAX_CHARACTERS]):
        name, charset = _TYPE.match(part), _CHARSET.search(part)
        written = charset[1] if charset else None
        if name is None:
            found = MediaType(found.name, found.charset or written)
            continue
        kind = name[1].lower()
        if kind == "*/*" and found.name:
            continue
        found = MediaType(kind, written or (found.charset if kind == found.name or found.name is None else None))
    return found
