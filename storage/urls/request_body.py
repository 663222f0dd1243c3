"""The method and the body of a user's spider's request, in the JSON that the frontier stores next to its URL.

Only requests that are not GET have them. A URL without a stored request is a plain GET, and most URLs with one are too.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

METHOD, TEXT, BYTES = "method", "body", "body_base64"
SHOWN_CHARACTERS = 200  # of a body, to people


@dataclass(frozen=True, slots=True)
class RequestBody:
    """A method other than GET, and the bytes of the body."""

    method: str
    body: bytes


def body_fields(method: str, body: bytes) -> dict[str, str]:
    """Method and body as fields of a stored request: the body as text, or in base64 if it is not UTF-8."""
    try:
        return {METHOD: method, TEXT: body.decode()}
    except UnicodeDecodeError:
        return {METHOD: method, BYTES: base64.b64encode(body).decode()}


def read_request_body(request: str | None) -> RequestBody | None:
    """The method and body of a stored request; None for a GET."""
    if request is None or f'"{METHOD}"' not in request:
        return None
    stored = json.loads(request)
    if METHOD not in stored:
        return None
    body = base64.b64decode(stored[BYTES]) if BYTES in stored else stored.get(TEXT, "").encode()
    return RequestBody(stored[METHOD], body)


def as_get(request: str) -> str:
    """The stored request without method and body, and without the header Content-Type."""
    kept = {name: value for name, value in json.loads(request).items() if name not in {METHOD, TEXT, BYTES}}
    kept["headers"] = {name: value for name, value in kept.get("headers", {}).items() if name.lower() != "content-type"}
    return json.dumps({name: value for name, value in kept.items() if value}, sort_keys=True)


def describe_request(request: str | None) -> str:
    """A stored request for people: `GET`, or the method and the beginning of the body."""
    sent = read_request_body(request)
    if sent is None:
        return "GET"
    shown = " ".join(sent.body.decode("utf-8", "backslashreplace").split())
    return f"{sent.method} {shown[:SHOWN_CHARACTERS]}{'…' if len(shown) > SHOWN_CHARACTERS else ''}".rstrip()
