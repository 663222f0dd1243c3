"""What the kept request of a user's spider sends besides its URL: its method and its body, in the JSON beside the URL.

Only what is no GET has them; a URL without a kept request, and nearly all with one, are plain GETs.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

METHOD, TEXT, BYTES = "method", "body", "body_base64"
SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class RequestBody:
    """A method other than GET, and the bytes of the body."""

    method: str
    body: bytes


def body_fields(method: str, body: bytes) -> dict[str, str]:
    """Method and body as a kept request has them: the body as text, in base64 where it is not UTF-8."""
    try:
        return {METHOD: method, TEXT: body.decode()}
    except UnicodeDecodeError:
        return {METHOD: method, BYTES: base64.b64encode(body).decode()}


def read_body(request: str | None) -> RequestBody | None:
    """What a kept request sends; None for a GET."""
    if request is None or f'"{METHOD}"' not in request:
        return None
    kept = json.loads(request)
    if METHOD not in kept:
        return None
    body = base64.b64decode(kept[BYTES]) if BYTES in kept else kept.get(TEXT, "").encode()
    return RequestBody(kept[METHOD], body)


def as_get(request: str) -> str:
    """The kept request without what it sends, and without the header that says what that is."""
    kept = {name: value for name, value in json.loads(request).items() if name not in {METHOD, TEXT, BYTES}}
    kept["headers"] = {name: value for name, value in kept.get("headers", {}).items() if name.lower() != "content-type"}
    return json.dumps({name: value for name, value in kept.items() if value}, sort_keys=True)


def describe_request(request: str | None) -> str:
    """A kept request for people: `GET`, or the method and the beginning of the body."""
    sent = read_body(request)
    if sent is None:
        return "GET"
    shown = " ".join(sent.body.decode("utf-8", "backslashreplace").split())
    return f"{sent.method} {shown[:SHOWN_CHARACTERS]}{'…' if len(shown) > SHOWN_CHARACTERS else ''}".rstrip()
