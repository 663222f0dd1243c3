"""Escape text, so that a Markdown parser reads it back as it is."""

from __future__ import annotations

import re

_INLINE = re.compile(r"[\\`*\[\]<|~]|(?<![^\W_])_|_(?![^\W_])|&(?=#|\w+;)|!$")
# What begins a heading, a list, a quotation, a line below a heading, or a rule.
_LINE_START = re.compile(r"(?:#{1,6}|[-+=>]+|:?-[-:| ]*)(?=\s|$)|>|\d{1,9}(?=[.)](?:\s|$))|(?:-[ \t]*){3,}$")
_BAD_IN_ADDRESS = re.compile(r"[\s<>|\\\x00-\x1f\x7f]")
_BRACKETS = re.compile(r"[()\[\]]")


def escaped(text: str) -> str:
    """Text inside a block. Characters that mean something only at the beginning of a line are left to `with_escaped_start`."""
    return _INLINE.sub(r"\\\g<0>", text)


def with_escaped_start(line: str) -> str:
    """A line of a paragraph whose text is escaped already."""
    found = _LINE_START.match(line)
    if found is None:
        return line
    if found[0].isdigit():
        return f"{found[0]}\\{line[found.end() :]}"
    return f"\\{line}"


def code_span(text: str) -> str:
    """Text as a code span, between more backticks than it has in a row."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if text.startswith("`") or text.endswith("`") or (text.startswith(" ") and text.endswith(" ") and text.strip()) else ""
    return f"{fence}{padding}{text}{padding}{fence}"


def code_block(text: str, language: str) -> str:
    """A fenced block of code."""
    longest = max((len(run) for run in re.findall(r"^\s*(`{3,})", text, re.MULTILINE)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def address(target: str) -> str:
    """A URL as the destination of a link or an image."""
    clean = _BAD_IN_ADDRESS.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), target)
    return f"<{clean}>" if _BRACKETS.search(clean) else clean


def quoted(text: str) -> str:
    """The title of an image, in quotation marks."""
    return '"' + escaped(text).replace('"', '\\"') + '"'
