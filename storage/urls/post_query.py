"""The body of a POST as a query, under which replay finds the response: the rule of `cdxj-indexer --post-append` and pywb.

https://specs.webrecorder.net/request-body-canonicalization/latest/. The package cdxj-indexer is not used: it needs an AMF library and
setuptools. A crawl sends no bodies of the types in UNKEYED, which the package parses.
"""

from __future__ import annotations

import base64
import json
from urllib.parse import unquote_plus, urlencode

MAX_QUERY_CHARACTERS = 4096  # as the rule says
UNKEYED = ("multipart/", "application/x-amf")


def post_query(content_type: str, body: bytes) -> str:
    """The query of a body, by its Content-Type (empty: there is none)."""
    if content_type.startswith("application/x-www-form-urlencoded"):
        query = _form_query(body)
    elif content_type.startswith("application/json"):
        query = _json_query(body) or ""
    elif content_type.startswith("text/plain"):
        query = _json_or_binary(_json_query(body), body)
    else:
        query = _binary_query(body)
    return query[:MAX_QUERY_CHARACTERS]


def with_post_query(url: str, method: str, query: str) -> str:
    """The URL whose SURT is the key of the request."""
    return f"{url}{'&' if '?' in url else '?'}__wb_method={method}" + (f"&{query}" if query else "")


def _binary_query(body: bytes) -> str:
    return "__wb_post_data=" + base64.b64encode(body).decode()


def _json_or_binary(query: str | None, body: bytes) -> str:
    return _binary_query(body) if query is None else query


def _form_query(body: bytes) -> str:
    try:
        return unquote_plus(body.decode())
    except UnicodeDecodeError:
        return _binary_query(body)


def _json_query(body: bytes) -> str | None:
    """The names and values anywhere in a JSON text, or in lines of JSON; None if it is not JSON."""
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    try:
        _read_json(body, found, counts)
        return urlencode(found)
    except (ValueError, RecursionError):
        return None


def _read_json(body: bytes, found: dict[str, str], counts: dict[str, int]) -> None:
    try:
        whole = json.loads(body)
    except json.JSONDecodeError:
        if b"\n" not in body:
            raise
        for line in body.split(b"\n"):
            _flatten(json.loads(line), "", found, counts)
    else:
        _flatten(whole, "", found, counts)


def _flatten(value: object, name: str, found: dict[str, str], counts: dict[str, int]) -> None:
    """Add a value under its name; a repeated name gets a number."""
    if isinstance(value, dict):
        for key, one in value.items():
            _flatten(one, key, found, counts)
    elif isinstance(value, list):
        for one in value:
            _flatten(one, name, found, counts)
    elif name:
        if name in found:
            counts[name] = counts.get(name, 1) + 1
            name = f"{name}.{counts[name]}_"
        found[name] = str(value)
