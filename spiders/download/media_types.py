"""Knows the media types that are not pages, so that a download can stop at the headers."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from schemas.web.media_type import read_media_type

UNSUPPORTED_PREFIXES = ("image/", "audio/", "video/", "font/", "model/", "application/vnd.", "application/font", "application/x-font")
UNSUPPORTED_TYPES = frozenset(
    {
        "application/pdf", "application/postscript", "application/rtf", "application/msword", "application/epub+zip", "application/zip",
        "application/x-tar", "application/x-7z-compressed", "application/x-rar-compressed", "application/vnd.rar", "application/x-bzip2",
        "application/java-archive", "application/wasm", "application/x-msdownload", "application/x-shockwave-flash", "application/ogg",
        "application/javascript", "application/x-javascript", "text/javascript", "text/css", "text/calendar", "text/vcard",
    }
)  # fmt: skip


def is_unsupported(content_type: str, keep_types: Sequence[str]) -> bool:
    """Whether the Content-Type lines, joined, name a type that is not a page and is not in `keep_types` (`application/pdf`, `image/*`)."""
    declared = read_media_type(content_type).name or ""
    if declared.endswith("+xml") and not declared.startswith("image/"):  # feeds with a vendor's type
        return False
    return (declared.startswith(UNSUPPORTED_PREFIXES) or declared in UNSUPPORTED_TYPES) and not any(
        fnmatchcase(declared, pattern) for pattern in keep_types
    )
