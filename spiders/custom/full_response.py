"""Make the response for a user's callback from a capture: of the class that fits its content, with the decoded body."""

from __future__ import annotations

import scrapy
from scrapy.http import Headers, Response

from schemas.capture import Capture


def full_response(capture: Capture, body: bytes, request: scrapy.Request) -> Response:
    """The response to a request with its decoded body. It has the flag `partial` if the body was cut off."""
    from scrapy.responsetypes import responsetypes  # its import reads the media types of the system

    headers = Headers()
    for name, value in capture.response_headers:
        if name.lower() != b"content-encoding":
            headers.appendlist(name, value)
    response_class = responsetypes.from_args(headers=headers, url=capture.url, body=body)
    return response_class(
        capture.url,
        status=capture.status,
        headers=headers,
        body=body,
        flags=["partial"] if capture.truncated else [],
        request=request,
        protocol=capture.protocol,
    )


def is_status_handled(response: Response, spider: scrapy.Spider) -> bool:
    """Whether the callback handles a response of this status, by Scrapy's own rules."""
    if 200 <= response.status < 300 or response.meta.get("handle_httpstatus_all"):
        return True
    return response.status in response.meta.get("handle_httpstatus_list", getattr(spider, "handle_httpstatus_list", ()))
