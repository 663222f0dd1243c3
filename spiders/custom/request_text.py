"""Write a Scrapy request as JSON for the frontier, and read it back.

Scrapy's own queues pickle `Request.to_dict`. The frontier is shared by machines and by versions of a spider, so it stores JSON only.
An error names the key whose value JSON cannot hold.
"""

from __future__ import annotations

import inspect
import json
import math
from typing import Any

import scrapy

from schemas.errors import SpiderError
from storage.urls.post_query import UNKEYED
from storage.urls.request_body import body_fields, read_request_body

IGNORED_META_KEYS = frozenset(
    {"proxy", "cookiejar", "dont_merge_cookies", "dont_redirect", "dont_retry", "max_retry_times", "download_timeout", "download_slot"}
    | {"download_maxsize", "bindaddress", "dont_obey_robotstxt", "dont_cache", "playwright"}
)
MAX_BODY_BYTES = 64 * 1024  # chosen: a search needs less, and every row of the frontier may have one
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
RESERVED_HEADERS = {
    "user-agent": "politeness.user_agent in the crawl's YAML says it",
    "accept-encoding": "pages are archived as received, in gzip",
    "if-none-match": "the frontier sets it for pages that it knows",
    "if-modified-since": "the frontier sets it for pages that it knows",
    "range": "pages are archived whole",
    "host": "it follows from the URL",
    "connection": "the downloader sets it",
    "content-length": "it follows from the body",
    "transfer-encoding": "a body is sent whole",
}


def request_text(request: scrapy.Request, spider: scrapy.Spider) -> str:
    """All of a request but its URL, as JSON. Raises SpiderError, which names what cannot be stored."""
    _check_method(request)
    stored = {
        "callback": _method_name(request, spider, "callback"),
        "errback": _method_name(request, spider, "errback"),
        "cb_kwargs": _serializable(request, "cb_kwargs", request.cb_kwargs),
        "meta": _serializable(request, "meta", request.meta),
        "headers": _headers(request),
        **_method_and_body(request),
    }
    return json.dumps({name: value for name, value in stored.items() if value}, sort_keys=True)


def request_from_text(text: str | None, url: str, spider: scrapy.Spider) -> scrapy.Request:
    """The request of a URL as its spider made it (None: a seed or a link). Raises SpiderError if its callback no longer exists."""
    stored: dict[str, Any] = json.loads(text or "{}")  # Any: JSON
    methods = {name: _bound_method(spider, stored[name], url) for name in ("callback", "errback") if name in stored}
    method_and_body = read_request_body(text)
    request = scrapy.Request(url, cb_kwargs=stored.get("cb_kwargs"), meta=stored.get("meta"), headers=stored.get("headers"), **methods)
    return request if method_and_body is None else request.replace(method=method_and_body.method, body=method_and_body.body)


def request_headers(text: str | None) -> dict[str, list[str]]:
    """The headers that the spider gave a stored request."""
    headers: dict[str, list[str]] = json.loads(text).get("headers", {}) if text else {}
    return headers


def _check_method(request: scrapy.Request) -> None:
    if request.method not in {"GET", "POST"}:
        raise SpiderError(
            f"{_request_name(request)} is a {request.method} request: a crawl only reads, by GET, or by POST if a search needs it."
        )
    if request.method == "GET" and request.body:
        raise SpiderError(
            f"{_request_name(request)} is a GET request with a body, which sites and archives ignore (RFC 9110). Send a POST."
        )
    if request.cookies:
        raise SpiderError(
            f"{_request_name(request)} has cookies: they are not stored in the database. Name a secret in the YAML's 'credentials'."
        )


def _method_and_body(request: scrapy.Request) -> dict[str, str]:
    """The method and the body of a POST. Raises SpiderError for a body that is too large, or for which the archive has no key."""
    if request.method == "GET":
        return {}
    if len(request.body) > MAX_BODY_BYTES:
        raise SpiderError(
            f"{_request_name(request)} has a body of {len(request.body):,} bytes: at most {MAX_BODY_BYTES:,} are stored in the database. "
            "Ask for less at once."
        )
    kind = (request.headers.get("Content-Type") or b"").decode("latin-1").strip()
    if kind.lower().startswith(UNKEYED):
        raise SpiderError(
            f"{_request_name(request)} has a body of type {kind}: uploads are not for a crawl. Use FormRequest or JsonRequest."
        )
    return body_fields(request.method, request.body)


def _headers(request: scrapy.Request) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, values in request.headers.items():
        text = name.decode("latin-1")
        if text.lower() in SECRET_HEADERS:
            raise SpiderError(
                f"{_request_name(request)} has a header {text}: it is not stored in the database. Name a secret in 'credentials'."
            )
        if text.lower() in RESERVED_HEADERS:
            raise SpiderError(f"{_request_name(request)} has a header {text}, which a spider cannot set: {RESERVED_HEADERS[text.lower()]}.")
        headers[text] = [value.decode("utf-8", "replace") for value in values]
    return headers


def _method_name(request: scrapy.Request, spider: scrapy.Spider, role: str) -> str | None:
    """The name of the spider's method that a request names as callback or errback."""
    method = getattr(request, role)
    if method is None:
        return None
    name = method if isinstance(method, str) else getattr(method, "__name__", "")
    own_method = getattr(spider, name, None) if name else None
    if own_method is None or not (isinstance(method, str) or method == own_method):
        attribute = next((key for key, member in inspect.getmembers(spider, inspect.ismethod) if member == method), None)
        if attribute is not None:  # made by a function, as scrapy-poet's `callback_for` does
            return attribute
        shown = name or repr(method)
        raise SpiderError(
            f"{_request_name(request)} has the {role} {shown}, which is not a method of {type(spider).__name__}: it is stored by its name. "
            "Make it a method, and give what it needs in cb_kwargs."
        )
    return name


def _bound_method(spider: scrapy.Spider, name: str, url: str) -> Any:  # Any: a callback of whatever kind
    method = getattr(spider, name, None)
    if not callable(method):
        raise SpiderError(f"The callback of {url} is {type(spider).__name__}.{name}, but there is no such method any more.")
    return method


def _serializable(request: scrapy.Request, role: str, values: dict[str, Any]) -> dict[str, Any]:
    """The mapping itself, if JSON can hold it without a change. Raises SpiderError."""
    for key, value in values.items():
        problem = _unserializable(value, f"{role}[{key!r}]") if isinstance(key, str) else f"the key {key!r} of {role}, which is not text"
        if problem:
            raise SpiderError(
                f"{_request_name(request)} cannot be kept because of {problem}. Requests outlive the process: give texts, numbers, "
                "booleans, None, and lists and dicts of them."
            )
    return values


def _unserializable(value: object, where: str) -> str | None:
    """The part of a value that JSON cannot hold, as the end of a sentence, or None."""
    if value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return None
    if isinstance(value, list):
        return next((problem for index, element in enumerate(value) if (problem := _unserializable(element, f"{where}[{index}]"))), None)
    if isinstance(value, dict):
        for key, element in value.items():
            problem = (
                _unserializable(element, f"{where}[{key!r}]") if isinstance(key, str) else f"the key {key!r} of {where}, which is not text"
            )
            if problem:
                return problem
        return None
    return f"{where}, which is a {type(value).__name__}"


def _request_name(request: scrapy.Request) -> str:
    return f"The request for {request.url}"
