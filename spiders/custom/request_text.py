"""A Scrapy request as the frontier keeps it: a line of JSON beside its URL, and back.

Scrapy's own queues pickle what `Request.to_dict` gives; a frontier that several machines share and that outlives every version of a spider
takes only what JSON can say, and tells which key it cannot.
"""

from __future__ import annotations

import inspect
import json
import math
from typing import Any

import scrapy

from schemas.errors import SpiderError
from storage.urls.post_query import UNKEYED
from storage.urls.request_body import body_fields, read_body

IGNORED_META_KEYS = frozenset(
    {"proxy", "cookiejar", "dont_merge_cookies", "dont_redirect", "dont_retry", "max_retry_times", "download_timeout", "download_slot"}
    | {"download_maxsize", "bindaddress", "dont_obey_robotstxt", "dont_cache", "playwright"}
)
MAX_BODY_BYTES = 64 * 1024
SECRET_HEADERS = frozenset({"authorization", "cookie", "proxy-authorization"})
RESERVED_HEADERS = {
    "user-agent": "politeness.user_agent in the crawl's YAML says it",
    "accept-encoding": "pages are archived as they come, in gzip",
    "if-none-match": "the frontier asks for what has changed",
    "if-modified-since": "the frontier asks for what has changed",
    "range": "pages are archived whole",
    "host": "it follows from the URL",
    "connection": "it is the downloader's",
    "content-length": "it is the body's",
    "transfer-encoding": "a body is sent whole",
}


def request_text(request: scrapy.Request, spider: scrapy.Spider) -> str:
    """What the frontier keeps of a request besides its URL. Raises SpiderError, which names what cannot be kept."""
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
    """The request of a URL as its spider made it (None: a seed or a link led to it). Raises SpiderError for a lost callback."""
    stored: dict[str, Any] = json.loads(text or "{}")  # Any: JSON
    methods = {name: _bound_method(spider, stored[name], url) for name in ("callback", "errback") if name in stored}
    method_and_body = read_body(text)
    request = scrapy.Request(url, cb_kwargs=stored.get("cb_kwargs"), meta=stored.get("meta"), headers=stored.get("headers"), **methods)
    return request if method_and_body is None else request.replace(method=method_and_body.method, body=method_and_body.body)


def request_headers(text: str | None) -> dict[str, list[str]]:
    """The headers that a kept request has of its own."""
    headers: dict[str, list[str]] = json.loads(text).get("headers", {}) if text else {}
    return headers


def _check_method(request: scrapy.Request) -> None:
    if request.method not in {"GET", "POST"}:
        raise SpiderError(
            f"{_request_name(request)} is a {request.method} request: a crawl reads, by GET, or by POST where a site is searched so."
        )
    if request.method == "GET" and request.body:
        raise SpiderError(
            f"{_request_name(request)} is a GET request with a body, which sites and archives pass over (RFC 9110). Send a POST."
        )
    if request.cookies:
        raise SpiderError(
            f"{_request_name(request)} has cookies: they are not kept in the database. Name a secret in the YAML's 'credentials'."
        )


def _method_and_body(request: scrapy.Request) -> dict[str, str]:
    """The method and the body of a POST. Raises SpiderError for a body that is too large, or for which the archive has no key."""
    if request.method == "GET":
        return {}
    if len(request.body) > MAX_BODY_BYTES:
        raise SpiderError(
            f"{_request_name(request)} has a body of {len(request.body):,} bytes: at most {MAX_BODY_BYTES:,} are kept in the database. "
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
                f"{_request_name(request)} has a header {text}: it is not kept in the database. Name a secret in the YAML's 'credentials'."
            )
        if text.lower() in RESERVED_HEADERS:
            raise SpiderError(f"{_request_name(request)} has a header {text}, which a spider cannot set: {RESERVED_HEADERS[text.lower()]}.")
        headers[text] = [value.decode("utf-8", "replace") for value in values]
    return headers


def _method_name(request: scrapy.Request, spider: scrapy.Spider, role: str) -> str | None:
    """The name of the spider's method that a request is to come back to."""
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
            f"{_request_name(request)} has the {role} {shown}, which is no method of {type(spider).__name__}: it is kept by its name. "
            "Make it a method, and give what it needs in cb_kwargs."
        )
    return name


def _bound_method(spider: scrapy.Spider, name: str, url: str) -> Any:  # Any: a callback of whatever kind
    method = getattr(spider, name, None)
    if not callable(method):
        raise SpiderError(f"{url} is to come back to {type(spider).__name__}.{name}, but there is no such method any more.")
    return method


def _serializable(request: scrapy.Request, role: str, values: dict[str, Any]) -> dict[str, Any]:
    """The mapping itself, if JSON gives it back as it is."""
    for key, value in values.items():
        problem = _unserializable(value, f"{role}[{key!r}]") if isinstance(key, str) else f"the key {key!r} of {role}, which is no text"
        if problem:
            raise SpiderError(
                f"{_request_name(request)} cannot be kept because of {problem}. Requests outlive the process: give texts, numbers, "
                "booleans, None, and lists and dicts of them."
            )
    return values


def _unserializable(value: object, where: str) -> str | None:
    """What of a value JSON cannot say, in a few words, or None."""
    if value is None or isinstance(value, (str, bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return None
    if isinstance(value, list):
        return next((problem for index, element in enumerate(value) if (problem := _unserializable(element, f"{where}[{index}]"))), None)
    if isinstance(value, dict):
        for key, element in value.items():
            problem = (
                _unserializable(element, f"{where}[{key!r}]") if isinstance(key, str) else f"the key {key!r} of {where}, which is no text"
            )
            if problem:
                return problem
        return None
    return f"{where}, which is a {type(value).__name__}"


def _request_name(request: scrapy.Request) -> str:
    return f"The request for {request.url}"
