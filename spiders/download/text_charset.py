"""The text of feeds, sitemaps and robots.txt, in whatever charset they are.

Some are in UTF-16, with or without a byte order mark, and some name another charset than theirs.
"""

from __future__ import annotations

import codecs
import re

PYTHON_ONLY_CODECS = frozenset(
    {"undefined", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7"}
)  # Python has a codec of this name, but no page means it
SAMPLE_BYTES = 64
NON_ASCII = bytes(range(0x80, 0x100))
MAX_BROKEN = 3  # bytes of a text in UTF-8, as after a cut
MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
XML_DECLARATION = re.compile(rb"[^<]{0,4096}<\?xml\s[^>]{0,300}?encoding\s{0,20}=\s{0,20}[\"']([\w.:-]{1,50})[\"']")
SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252", "ascii": "cp1252"}  # as the Encoding Standard reads them
WIDE = ("utf-16", "utf-32", "ucs")  # the bytes show it; without them the declaration is a leftover of another program


def is_web_charset(name: str) -> bool:
    """Whether a page may mean a charset of this name. An unknown name may be one."""
    try:
        return codecs.lookup(name).name not in PYTHON_ONLY_CODECS
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return True


def file_text(body: bytes, declared: str | None = None) -> str:
    """The whole file as text, without a byte order mark. `declared` is the charset that its header names.

    Bytes that are valid UTF-8 are UTF-8, whatever the file says of itself. In a file that says nothing else, a few may be broken.
    """
    charset = _charset(body)
    for name in (charset if charset.startswith(WIDE) else "utf-8", charset, declared):
        try:
            known = codecs.lookup(name or "").name
            return body.decode(SUPERSETS.get(known, known)).lstrip("\ufeff") if is_web_charset(known) else _lenient(body, charset)
        except (LookupError, ValueError):  # an unknown charset, or bytes that are not in it
            continue
    return _lenient(body, charset)


def is_nearly_utf8(body: bytes) -> bool:
    """Whether bytes are UTF-8 but for a few."""
    text = body.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return broken <= MAX_BROKEN and len(text) - len(body.translate(None, NON_ASCII)) > 2 * broken


def _lenient(body: bytes, charset: str) -> str:
    codec = charset if charset.startswith(WIDE) else "utf-8" if charset == "utf-8" and is_nearly_utf8(body) else "cp1252"
    return body.decode(codec, "replace").lstrip("\ufeff")


def _charset(body: bytes) -> str:
    for mark, name in MARKS:
        if body.startswith(mark):
            return name
    start = body[:SAMPLE_BYTES]
    even, odd = start[::2].count(0), start[1::2].count(0)
    if max(even, odd) * 3 > len(start) and not min(even, odd):  # every other byte of ASCII
        return "utf-16-le" if odd else "utf-16-be"
    declared = XML_DECLARATION.match(body)
    name = declared[1].decode("ascii", "replace").lower() if declared else "utf-8"
    return "utf-8" if name.startswith(WIDE) or not is_web_charset(name) else name
