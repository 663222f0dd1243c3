"""Names of charsets in headers and documents: which of Python's codecs a page can mean."""

from __future__ import annotations

import codecs

PYTHON_ONLY_CODECS = frozenset(
    {"undefined", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7"}
)  # Python has a codec of this name, but no page means it


def is_web_charset(name: str) -> bool:
    """Whether a page may mean a charset of this name. An unknown name may be one."""
    try:
        return codecs.lookup(name).name not in PYTHON_ONLY_CODECS
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return True
