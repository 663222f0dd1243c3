"""Finds session ids in URLs. They give the same page a new URL at each visit."""

from __future__ import annotations

import re

SESSION_NAMES = re.compile(
    r"(phpsessid|jsessionid|aspsessionid\w*|asp\.net_sessionid|sessionid|session_id|sessid|zenid|oscsid|xtcsid|cfid|cftoken|wosid)\Z",
    re.IGNORECASE,
)
AMBIGUOUS_NAMES = re.compile(r"(sid|s|session|sess|ssid|zsid|usid)\Z", re.IGNORECASE)
RANDOM_VALUE = re.compile(r"(?:[0-9a-f]{24,}|[0-9A-F]{24,}|(?=\D*\d)(?=[^A-Za-z]*[A-Za-z])[0-9A-Za-z]{26,})\Z")
SESSION_IN_PATH = re.compile(r";(?:jsessionid|phpsessid|sid|sessionid)=[^/?#;]*|/\((?:[A-Z]\([0-9a-z]{20,}\))+\)(?=/|\Z)", re.IGNORECASE)


def is_session_parameter(name: str, value: str) -> bool:
    """Whether a query parameter is a session id: by its name alone, or by an ambiguous name with a value that looks random."""
    return bool(SESSION_NAMES.match(name)) or bool(AMBIGUOUS_NAMES.match(name) and RANDOM_VALUE.match(value))


def without_path_session(path: str) -> str:
    """A path without `;jsessionid=...` and without ASP.NET's `/(S(...))/`."""
    return SESSION_IN_PATH.sub("", path) if ";" in path or "/(" in path else path
