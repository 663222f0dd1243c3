"""A whole answer read in this process, as a worker and its reader do it together."""

from __future__ import annotations

from schemas.capture import Capture
from schemas.config.crawl import Crawl
from spiders.discover.body import read_body
from spiders.discover.link_memory import LinkMemory
from spiders.discover.response import ParsedResponse, has_body_to_read, read_head, reading_question, with_reading
from spiders.messages.rules import reading_rules
from spiders.messages.wire import ENCODER, REPLIES, ReaderReply
from spiders.urls.scope import CrawlScope


def read_answer(capture: Capture, redirects: int, crawl: Crawl, scope: CrawlScope, memory: LinkMemory | None = None) -> ParsedResponse:
    """What an answer says, over the wire between the two."""
    rules = reading_rules(crawl, scope)
    head = read_head(capture, redirects, rules)
    if not has_body_to_read(capture):
        return head
    reading = read_body(reading_question(capture, head, rules, 1, redirects), capture.body, rules, memory or LinkMemory())
    sent = REPLIES.decode(ENCODER.encode(ReaderReply(1, reading=reading))).reading
    assert sent is not None
    return with_reading(capture, head, sent)
