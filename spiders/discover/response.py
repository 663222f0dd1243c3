"""What an answer says: its kind, the URLs in it, and what its owner reserves. Its body is read elsewhere (`spiders.reading.readers`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from schemas.capture import Capture, UrlKind
from schemas.directives import Directives
from schemas.outcomes import Reason
from schemas.page import Hints
from spiders.discover.kinds import sniff_kind
from spiders.discover.priorities import LIST_PRIORITY
from spiders.messages.rules import ReadingRules
from spiders.messages.wire import Found, PageOptOuts, Question, Reading, Task
from spiders.permission.opt_outs import NO_OPT_OUTS, OptOuts, header_opt_outs
from spiders.urls.canonical import resolve
from spiders.urls.scope import CrawlScope
from storage.frontier.records import Discovery

REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_REDIRECTS = 8


@dataclass(frozen=True, slots=True)
class ParsedResponse:
    """A read answer.

    `new_items` of the discoveries were not known; `too_many_redirects`: the redirect is not followed; `opt_outs` are what its headers
    and its page reserve; `unread_reason` is why its body could not be read.
    """

    kind: UrlKind
    discoveries: tuple[Discovery, ...] = ()
    new_items: int = 0
    too_many_redirects: bool = False
    opt_outs: OptOuts = NO_OPT_OUTS
    unread_reason: Reason | None = None


def read_head(capture: Capture, redirects: int, rules: ReadingRules) -> ParsedResponse:
    """What the head of an answer says, which was reached over so many redirects. Only the body of a 200 says more."""
    said = header_opt_outs(capture.response_headers, rules.product)
    if capture.status in REDIRECTS:
        return _redirect(capture, redirects, rules.scope, said)
    kind = sniff_kind(b"", capture.kind) if capture.status == 200 else capture.kind
    return ParsedResponse(kind, opt_outs=said)


def has_body_to_read(capture: Capture) -> bool:
    """Whether only the body tells what an answer is."""
    return capture.status == 200 and bool(capture.body)


def reading_question(capture: Capture, head: ParsedResponse, rules: ReadingRules, url_id: int) -> Question:
    """What to ask a reader about an answer's body."""
    may_follow = not (rules.obeys_nofollow and head.opt_outs.directives.forbids_following())
    content_type, coding = capture.header("content-type") or "", capture.header("content-encoding")
    return Question(Task.READ, url_id, capture.url, capture.kind, capture.depth, content_type, coding, may_follow)


def with_reading(capture: Capture, head: ParsedResponse, reading: Reading) -> ParsedResponse:
    """The answer with what its body says."""
    found = tuple(_discovery(one, capture.url) for one in reading.found)
    return ParsedResponse(reading.kind, found, opt_outs=head.opt_outs.combined_with(_opt_outs(reading.opt_outs)))


def _discovery(found: Found, via: str) -> Discovery:
    if found.source is None:
        return Discovery(found.url, found.kind, via, found.depth, priority=found.priority)
    hints = Hints(found.title, found.published_at, found.source)
    return Discovery(found.url, found.kind, via, found.depth, priority=found.priority, hints=hints, modified_at=found.modified_at)


def _opt_outs(said: PageOptOuts | None) -> OptOuts:
    return NO_OPT_OUTS if said is None else OptOuts(Directives(frozenset(said.words), said.unavailable_after), said.tdm)


def sitemap_discovery(url: str | None, via: str, depth: int = 0) -> Discovery | None:
    """A sitemap that robots.txt names."""
    return Discovery(url, UrlKind.SITEMAP, via, depth, priority=LIST_PRIORITY) if url else None


def redirect_location(capture: Capture) -> str:
    """The target of a redirect as written; its bytes are UTF-8 where they can be, as every browser reads them."""
    text = capture.header("location") or ""
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return text


def _redirect(capture: Capture, redirects: int, scope: CrawlScope, said: OptOuts) -> ParsedResponse:
    target = resolve(capture.url, redirect_location(capture))
    if target is None or (target == capture.url and capture.method == "GET"):  # a POST may lead to the same URL, to be read
        return ParsedResponse(capture.kind, opt_outs=said)
    if redirects >= MAX_REDIRECTS:
        return ParsedResponse(capture.kind, too_many_redirects=True, opt_outs=said)
    found = Discovery(target, capture.kind, capture.url, capture.depth, redirects + 1, LIST_PRIORITY, capture.hints)
    return ParsedResponse(capture.kind, _in_scope([found], scope), opt_outs=said)


def _in_scope(found: Iterable[Discovery], scope: CrawlScope) -> tuple[Discovery, ...]:
    return tuple(one for one in found if scope.covers(one.url, one.kind, one.depth))


def with_kind(capture: Capture, kind: UrlKind) -> Capture:
    """The capture under the kind that it turned out to be."""
    return capture if capture.kind is kind else replace(capture, kind=kind)
