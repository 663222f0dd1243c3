"""Map charset labels that the web uses to WHATWG encodings, and these to Python codecs.

Source: WHATWG Encoding Standard, section 4.2 (names and labels), through resiliparse's table.
"""

from __future__ import annotations

from resiliparse.parse.encoding import map_encoding_to_html5

# Labels that pages use although the standard does not have them.
ALIASES = {
    "utf_8": "utf-8",
    "utf8mb4": "utf-8",
    "unicode": "utf-8",
    "cp932": "shift_jis",
    "cp936": "gbk",
    "cp949": "euc-kr",
    "cp950": "big5",
    "ms949": "euc-kr",
    "eucjp": "euc-jp",
    "euckr": "euc-kr",
    "gb_2312": "gbk",
    "koi8r": "koi8-r",
    "windows1250": "windows-1250",
    "windows1251": "windows-1251",
    "windows1252": "windows-1252",
    "win-1250": "windows-1250",
    "win-1251": "windows-1251",
    "win-1252": "windows-1252",
    "win1251": "windows-1251",
}

# resiliparse's name -> (WHATWG name, Python codec). The codecs are the supersets that browsers read under that name.
_ENCODINGS = {
    "utf-8": ("utf-8", "utf-8"),
    "utf-16-le": ("utf-16le", "utf-16-le"),
    "utf-16-be": ("utf-16be", "utf-16-be"),
    "shift_jis": ("shift_jis", "cp932"),
    "euc_jp": ("euc-jp", "euc_jp"),
    "iso2022_jp": ("iso-2022-jp", "iso2022_jp"),
    "euc_kr": ("euc-kr", "cp949"),
    "gbk": ("gbk", "gb18030"),
    "gb18030": ("gb18030", "gb18030"),
    "big5": ("big5", "big5hkscs"),
    "koi8-r": ("koi8-r", "koi8-r"),
    "koi8-u": ("koi8-u", "koi8-u"),
    "cp866": ("ibm866", "cp866"),
    "mac-roman": ("macintosh", "mac-roman"),
    "mac-cyrillic": ("x-mac-cyrillic", "mac-cyrillic"),
    "iso8859-11": ("windows-874", "cp874"),
    **{f"iso8859-{part}": (f"iso-8859-{part}", f"iso8859-{part}") for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{f"cp{page}": (f"windows-{page}", f"cp{page}") for page in (1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258)},
}
_CODECS = dict(_ENCODINGS.values())
MULTIBYTE = frozenset({"shift_jis", "euc-jp", "iso-2022-jp", "euc-kr", "gbk", "gb18030", "big5"})


def charset_of(label: str | None) -> str | None:
    """The WHATWG encoding that a label names; None for no or an unknown label."""
    if not label:
        return None
    cleaned = label.strip(" \t\r\n\f'\"").lower()
    mapped = map_encoding_to_html5(ALIASES.get(cleaned, cleaned), fallback_utf8=False) or cleaned
    return _ENCODINGS[mapped][0] if mapped in _ENCODINGS else None


def codec_of(charset: str) -> str:
    """The Python codec that reads a WHATWG encoding."""
    return _CODECS[charset]
