"""The possible outcomes of a URL in a crawl run, and of a record in a process run. Every URL and every record gets exactly one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


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
    """Why something was denied, failed, filtered, rejected or quarantined.

    `meaning` is a sentence for users. `docs/reasons.md` is made from these sentences by `python -m tests.schemas.reasons_page`.
    """

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> Self:  # the default is for type checkers, which read `Reason("hub")` as this call
        """A member from its stored value and its meaning."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    # a URL that was not fetched
    ROBOTS = "robots", "The robots.txt of the site forbids the URL."
    ROBOTS_UNREACHABLE = (
        "robots_unreachable",
        "The robots.txt of the site could not be read, so nothing on the host may be fetched for ten minutes.",
    )
    PRIVATE_ADDRESS = "private_address", "The host has a private or local address, which the crawl does not allow."
    OPTED_OUT = "opted_out", "The site reserves its content: by a robots directive, or by the TDM Reservation Protocol."
    TAKEDOWN = "takedown", "The URL is on the takedown list, or redirects to one that is."
    OUT_OF_SCOPE = "out_of_scope", "The URL is outside of the crawl's scope."
    TRAP = "trap", "The URL looks like one of endlessly many, such as pages of a calendar."
    BUDGET = "budget", "Not given by this release: a URL that the budgets do not cover is left over, without a reason."
    DNS = "dns", "The host's name could not be resolved."
    CONNECTION = "connection", "The connection failed, or was refused or closed."
    TLS = "tls", "The encrypted connection failed, for example because of the certificate."
    TIMEOUT = "timeout", "The response took too long."
    TOO_LARGE = "too_large", "Not given by this release: a response that is too large is cut off, see `truncated`."
    MALFORMED_RESPONSE = "malformed_response", "The server's response is not valid HTTP, broke off, or is a redirect without a target."
    UNSUPPORTED_TYPE = "unsupported_type", "The response has a media type that the crawl does not keep, such as an image."
    TOO_MANY_REDIRECTS = "too_many_redirects", "The URL is at the end of too many redirects."
    REDIRECT_LOOP = "redirect_loop", "The URL redirects to itself, or to a URL of its own chain of redirects."
    TOO_MANY_RETRIES = "too_many_retries", "Not given by this release: a URL that failed has the reason of its last failure."
    STOPPED = "stopped", "Not given by this release: a URL that a stopped run did not fetch is left over, without a reason."
    PAUSED = "paused", "The URL was paused by hand."
    DROPPED = "dropped", "Dropped by hand: the URL (`crawlhouse frontier drop`), or the row in quarantine (`crawlhouse quarantine drop`)."
    CALLBACK_ERROR = "callback_error", "The user's spider raised an error for this response."
    RENDER_ERROR = "render_error", "The browser could not render the page."
    # a record that is not an article
    ROBOTS_FILE = "robots_file", "The record is a robots.txt or another file that says what may be fetched or used."
    FEED = "feed", "The record is a feed (RSS or Atom)."
    SITEMAP = "sitemap", "The record is a sitemap."
    RENDERED = "rendered", "The page was rendered in a browser. Its rendered document is a record of its own."
    REDIRECT = "redirect", "The response is a redirect to another URL."
    HTTP_ERROR = "http_error", "The HTTP status is an error, such as 404 or 500."
    NOT_HTML = "not_html", "The response is not an HTML page."
    EMPTY_BODY = "empty_body", "The response has no body, or says that the page has not changed (304)."
    UNDECODABLE = "undecodable", "The body cannot be decoded to text."
    TRUNCATED = "truncated", "The body is incomplete: it was cut off, or is only a part of the page."
    DAMAGED_RECORD = "damaged_record", "The record in the WARC file is damaged."
    ERASED = "erased", "The record was erased (`crawlhouse erase`): its URL, its bytes and its rows are gone."
    HUB = "hub", "The page is mostly a list of links to other pages, such as a home page or a section."
    PRODUCT = "product", "The page is about a product or an offer."
    FORUM = "forum", "The page is a discussion in a forum."
    DOCUMENTATION = "documentation", "The page is documentation, such as a manual or a reference."
    SERVICE = "service", "The page describes a service or an organisation."
    GALLERY = "gallery", "The page is mostly pictures or a video."
    SOFT_404 = "soft_404", "The page says that the content was not found, but its HTTP status is 200."
    WALL = "wall", "The page asks for a login, a consent or a proof that the reader is human, instead of showing its content."
    OTHER_PAGE = "other_page", "The page is not an article, and of no other known type."
    NO_ARTICLE = "no_article", "No article text was found on the page."
    NOINDEX = "noindex", "The page asks not to be indexed, so it is not published."
    AI_PREFERENCE = (
        "ai_preference",
        "The site asks, by Content-Usage or Content-Signal in a header or in robots.txt, not to be used as the crawl declares.",
    )
    NO_ROWS = "no_rows", "The page has no rows of the dataset."
    DATASET_ERROR = (
        "dataset_error",
        "The rows of the page cannot be read for the dataset: its function or the spider failed, or there are too many.",
    )
    HELD = (
        "held",
        "The rows of this crawl run broke a critical expectation or a step. They are held back until somebody decides (`crawlhouse gate`).",
    )
    PAGE_TIMEOUT = "page_timeout", "Reading the response or the page took too much time."
    PAGE_MEMORY = "page_memory", "Reading the response or the page took too much memory."
    PAGE_CRASH = "page_crash", "The process that read the response or the page crashed."
    # an article row that was quarantined
    NO_TITLE = "no_title", "The article has no title."
    TOO_SHORT = "too_short", "The article's text is shorter than `articles.min_length`."
    TOO_LONG = "too_long", "The article's text is longer than `articles.max_length`."
    LANGUAGE = "language", "The article's language is not one of `articles.languages`."
    DATE_IMPLAUSIBLE = "date_implausible", "The date of publication is before 1990, or more than two days after the fetch."
    REPETITIVE = "repetitive", "Too many words of the text are repeated."
    LOW_QUALITY = "low_quality", "The text has too many symbols or too many links."
    POLICY = "policy", "Not given by this release: each rule of the policy has its own reason."


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that is not an article: where it is, at which stage it was rejected, and why.

    `stage` is one of `record`, `decode`, `page_type`, `extract`, `dataset`; `detail` is one line for people.
    """

    url: str
    warc_filename: str
    warc_record_offset: int
    stage: str
    reason: Reason
    detail: str = ""
