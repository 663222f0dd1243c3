"""Decode character references, also those with too many digits, and replace lone surrogates."""

from __future__ import annotations

import html
import re

from processing.article.tree.characters import folded_text

_ENDLESS = re.compile(r"&#[0-9]{20,};?")  # no character has such a number, and `int` rejects thousands of digits


def unescaped(text: str) -> str:
    """Text with its character references decoded, as `html.unescape` does it."""
    if "&" not in text:
        return text
    return html.unescape(_ENDLESS.sub("\ufffd", text) if "&#" in text else text)


def storable(text: str) -> str:
    """Text that UTF-8 can hold: lone surrogates, which JSON may escape, become U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def folded(text: str) -> str:
    """Text with entities decoded (pages escape twice), without invisible characters, white space folded."""
    return folded_text(unescaped(text))
