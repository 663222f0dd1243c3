"""The possible outcomes of a URL in a crawl run, and of a record in a process run. Every URL and every record gets exactly one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The one outcome of each response or revisit record: `captures.outcome`."""

    PUBLISHED = "published"
    KNOWN = "known"
    DUPLICATE = "duplicate"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


class FetchOutcome(StrEnum):
    """The one outcome of each URL that was due in a crawl run: due = the sum of these."""

    FETCHED = "fetched"
    DENIED = "denied"
    FAILED = "failed"
    FILTERED = "filtered"
    LEFT_OVER = "left_over"


class Reason(StrEnum):
    """Why something was denied, failed, filtered, rejected or quarantined."""

    # a URL that was not fetched
    ROBOTS = "robots"
    ROBOTS_UNREACHABLE = "robots_unreachable"
    PRIVATE_ADDRESS = "private_address"
    OPTED_OUT = "opted_out"
    TAKEDOWN = "takedown"
    OUT_OF_SCOPE = "out_of_scope"
    TRAP = "trap"
    BUDGET = "budget"
    DNS = "dns"
    CONNECTION = "connection"
    TLS = "tls"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    MALFORMED_RESPONSE = "malformed_response"
    UNSUPPORTED_TYPE = "unsupported_type"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    REDIRECT_LOOP = "redirect_loop"
    TOO_MANY_RETRIES = "too_many_retries"
    STOPPED = "stopped"
    PAUSED = "paused"
    DROPPED = "dropped"
    CALLBACK_ERROR = "callback_error"
    RENDER_ERROR = "render_error"
    # a record that is no article
    ROBOTS_FILE = "robots_file"
    FEED = "feed"
    SITEMAP = "sitemap"
    RENDERED = "rendered"
    REDIRECT = "redirect"
    HTTP_ERROR = "http_error"
    NOT_HTML = "not_html"
    EMPTY_BODY = "empty_body"
    UNDECODABLE = "undecodable"
    TRUNCATED = "truncated"
    DAMAGED_RECORD = "damaged_record"
    HUB = "hub"
    PRODUCT = "product"
    FORUM = "forum"
    DOCUMENTATION = "documentation"
    SERVICE = "service"
    GALLERY = "gallery"
    SOFT_404 = "soft_404"
    WALL = "wall"
    OTHER_PAGE = "other_page"
    NO_ARTICLE = "no_article"
    NOINDEX = "noindex"
    PAGE_TIMEOUT = "page_timeout"
    PAGE_MEMORY = "page_memory"
    PAGE_CRASH = "page_crash"
    # an article row that was quarantined
    NO_TITLE = "no_title"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LANGUAGE = "language"
    DATE_IMPLAUSIBLE = "date_implausible"
    REPETITIVE = "repetitive"
    LOW_QUALITY = "low_quality"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that is no article: where it is, at which stage it was rejected, and why.

    `stage` is one of `record`, `decode`, `page_type`, `extract`, `dataset`; `detail` is one line for people.
    """

    url: str
    warc_filename: str
    warc_record_offset: int
    stage: str
    reason: Reason
    detail: str = ""
