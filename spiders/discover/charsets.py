"""Names of charsets as pages and feeds give them."""

from __future__ import annotations

import codecs

PYTHON_ONLY_CODECS = frozenset(
    {"undefined", "idna", "punycode", "unicode-escape", "raw-unicode-escape", "utf-7"}
)  # codecs that no page means


def is_web_charset(name: str) -> bool:
    """Whether a name may be a page's charset; one that nobody knows may."""
    try:
        return codecs.lookup(name).name not in PYTHON_ONLY_CODECS
    except (LookupError, ValueError):  # ValueError: a NUL in the name
        return True
