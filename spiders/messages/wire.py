"""The messages between a worker and its response readers: questions with a body, and replies, which are data only (MessagePack)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from schemas.capture import UrlKind
from schemas.outcomes import Reason

NUMBER_BYTES = 8
LENGTH_BYTES = 4
MAX_REPLY_BYTES = 256 * 1024 * 1024


class ReaderTask(StrEnum):
    """What to do with a body."""

    READ = "read"  # its kind, what it links to, what it reserves
    DECODE = "decode"  # remove its content coding
    ROBOTS = "robots"  # check the question's URL by this robots.txt; without a URL, read its delay and sitemaps


class Question(msgspec.Struct, array_like=True, frozen=True):
    """`url_id` is the URL in the frontier, 0 for none. `coding` and `content_type` are headers; `may_follow`: links are wanted.

    `redirects` is how many led to the URL, `refresh` and `link` are the headers of these names. `hosts` are those to which redirects of
    seeds led: they are in the crawl's scope too.
    """

    task: ReaderTask
    url_id: int = 0
    url: str = ""
    kind: UrlKind = UrlKind.PAGE
    depth: int = 0
    content_type: str = ""
    coding: str | None = None
    may_follow: bool = True
    redirects: int = 0
    refresh: str | None = None
    hosts: tuple[str, ...] = ()
    link: str | None = None


class FoundUrl(msgspec.Struct, array_like=True, frozen=True):
    """A URL that was found: canonical, in scope. `title`, `published_at` and `source` are hints.

    `modified_at` is in seconds since the epoch, `redirects` is how many led to it.
    """

    url: str
    kind: UrlKind
    depth: int
    priority: int
    modified_at: float | None = None
    title: str | None = None
    published_at: datetime | None = None
    source: str | None = None
    redirects: int = 0


class PageOptOuts(msgspec.Struct, array_like=True, frozen=True):
    """What the page itself reserves: robots directives and TDM reservation."""

    words: list[str]
    unavailable_after: datetime | None
    tdm: bool | None


class BodyReading(msgspec.Struct, array_like=True, frozen=True):
    """What a reader found in a body: its kind, the URLs, and the page's opt-outs.

    `redirect_to` is where an immediate refresh leads, `dead_end` why it leads nowhere.
    """

    kind: UrlKind
    found: list[FoundUrl] = []
    opt_outs: PageOptOuts | None = None
    redirect_to: str | None = None
    dead_end: Reason | None = None


class RobotsReply(msgspec.Struct, array_like=True, frozen=True):
    """Whether the URL may be fetched, the seconds between requests, the sitemaps as written, and the rules about the use of content."""

    allowed: bool = True
    delay: float = 0.0
    sitemaps: list[str] = []
    ai_rules: list[tuple[str, str, str]] = []


class ReaderReply(msgspec.Struct, array_like=True, frozen=True):
    """The reply to the question of that number: what its task asks for, or `failure` (a reason) and a line of detail."""

    number: int
    failure: str | None = None
    detail: str = ""
    reading: BodyReading | None = None
    body: bytes | None = None
    robots: RobotsReply | None = None


QUESTIONS = msgspec.msgpack.Decoder(Question)
REPLIES = msgspec.msgpack.Decoder(ReaderReply)
ENCODER = msgspec.msgpack.Encoder()


def question_head(number: int, question: Question) -> bytes:
    """The part of a question's frame before its body, without the frame's own header."""
    packed = ENCODER.encode(question)
    return number.to_bytes(NUMBER_BYTES, "big") + len(packed).to_bytes(LENGTH_BYTES, "big") + packed


def split_question(frame: bytes) -> tuple[int, Question, bytes]:
    """The number, the question and the body in a frame."""
    begin = NUMBER_BYTES + LENGTH_BYTES
    end = begin + int.from_bytes(frame[NUMBER_BYTES:begin], "big")
    return int.from_bytes(frame[:NUMBER_BYTES], "big"), QUESTIONS.decode(memoryview(frame)[begin:end]), frame[end:]
