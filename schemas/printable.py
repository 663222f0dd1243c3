"""Text from pages and users, made safe to print: characters that control a terminal, or that hide or reorder text, become escapes.

Sources: ECMA-48 (controls and escape sequences), Unicode Standard Annex 9 (bidirectional controls), UTS 51 (emoji sequences),
OWASP, "CSV Injection".
"""

from __future__ import annotations

import json
import re

_JOINERS, _SELECTORS = "\u200c\u200d", "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_CONTROLS = r"\x00-\x1f\x7f-\x9f"
# U+200C and U+200D stay: Persian, the scripts of India and emoji need them. So does the soft hyphen. Several in a row carry hidden text.
_INVISIBLE = (
    "\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_REPEATED = f"(?<=[{_JOINERS}{_SELECTORS}])[{_SELECTORS}]|(?<=[{_JOINERS}])[{_JOINERS}]"
_FLAG = "\U0001f3f4[\U000e0030-\U000e007a]{1,6}\U000e007f"  # of a part of a country; its letters are shown as the flag

_UNSAFE = re.compile(f"{_FLAG}|[{_CONTROLS}{_INVISIBLE}]|{_REPEATED}")
_CONTROL = re.compile(f"[{_CONTROLS}]")
_LINE_END = re.compile(r"\r\n")

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def printable(text: str, *, lines: bool = True) -> str:
    """The text with unsafe characters escaped as in Python. Line ends and tabs are kept, unless `lines` is False."""
    if text.isascii() and text.isprintable():
        return text
    kept = "\n\t" if lines else ""
    text = _LINE_END.sub("\n", text) if lines else text
    return _UNSAFE.sub(lambda found: found[0] if found[0] in kept or len(found[0]) > 1 else _escape(found[0]), text)


def printable_json(value: object, indent: int | None = None) -> str:
    """JSON that is safe to print: what `printable` escapes is escaped in JSON's own way, so the value stays the same."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _UNSAFE.sub(lambda found: found[0] if found[0] == "\n" else json.dumps(found[0])[1:-1], text)


def spreadsheet_text(text: str) -> str:
    """The text of a CSV cell that no spreadsheet runs as a formula: `'` is put before it. Controls except line ends and tabs are escaped.

    A text that is a number, like `-3`, is not changed. Source: OWASP.
    """
    text = _CONTROL.sub(lambda found: found[0] if found[0] in "\n\r\t" else _escape(found[0]), text)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
