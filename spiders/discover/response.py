"""Turns a response into discoveries and opt-outs: its head here, its body in a reader's process.

Before: `spiders.download.handler` downloads a `Capture`. After: `spiders.session.exchange` archives it and gives the discoveries to the
frontier. `spiders.reading.readers` has the body read by `spiders.discover.body`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from schemas.capture import Capture, UrlKind
from schemas.outcomes import Reason
from schemas.page import Hints
from schemas.web.directives import Directives
from spiders.discover.kinds import sniff_kind
from spiders.discover.priorities import LIST_PRIORITY, MAX_REDIRECTS
from spiders.discover.refresh import read_refresh
from spiders.messages.rules import ReadingRules
from spiders.messages.wire import BodyReading, FoundUrl, PageOptOuts, Question, ReaderTask
from spiders.permission.opt_outs import NO_OPT_OUTS, OptOuts, header_opt_outs
from spiders.urls.canonical import resolve_link
from spiders.urls.scope import CrawlScope, is_same_site
from storage.frontier.records import Discovery

REDIRECTS = frozenset({301, 302, 303, 307, 308})
WITH_LINKS = frozenset({*range(200, 300), 300}) - {204, 205}  # what browsers show as a page, and lists of choices
CHOICES = 300  # with a Location it is a redirect to the preferred one (RFC 9110, 15.4.1)
PERMANENT = frozenset({301, 308})  # the site has moved; others may lead to a wall that asks for a login or a consent


@dataclass(frozen=True, slots=True)
class ParsedResponse:
    """A response that was read.

    `new_items` is the number of discoveries that the frontier did not know. With `too_many_redirects` the redirect is not followed.
    `redirect_to` is the target of a redirect; `dead_end` says why it leads nowhere.
    `opt_outs` are those of its headers and of its page. `unread_reason` says why its body could not be read.
    """

    kind: UrlKind
    discoveries: tuple[Discovery, ...] = ()
    new_items: int = 0
    too_many_redirects: bool = False
    redirect_to: str | None = None
    dead_end: Reason | None = None
    opt_outs: OptOuts = NO_OPT_OUTS
    unread_reason: Reason | None = None


def read_head(capture: Capture, redirects: int, rules: ReadingRules) -> ParsedResponse:
    """Read the head of a response, which was reached by this number of redirects. The body of a page says more."""
    opt_outs = header_opt_outs(capture.response_headers, rules.product)
    if capture.status in REDIRECTS or (capture.status == CHOICES and capture.header("location")):
        return _redirect(capture, redirects, rules.scope, opt_outs)
    kind = sniff_kind(b"", capture.kind) if capture.status == 200 else capture.kind
    return ParsedResponse(kind, opt_outs=opt_outs)


def has_body_to_read(capture: Capture) -> bool:
    """Whether the body must be read too. An empty one may come with links in headers."""
    return capture.status in WITH_LINKS and (bool(capture.body) or any(capture.header(name) for name in ("refresh", "link")))


def reading_question(capture: Capture, head: ParsedResponse, rules: ReadingRules, url_id: int, redirects: int = 0) -> Question:
    """What to ask a reader about the body of a response."""
    may_follow = not (rules.obeys_nofollow and head.opt_outs.directives.forbids_following())
    content_type, coding = capture.joined_header("content-type") or "", capture.joined_header("content-encoding")
    told = (content_type, coding, may_follow, redirects, capture.header("refresh"))
    link = capture.joined_header("link")
    return Question(ReaderTask.READ, url_id, capture.url, capture.kind, capture.depth, *told, hosts=rules.scope.added, link=link)


def with_reading(capture: Capture, head: ParsedResponse, reading: BodyReading) -> ParsedResponse:
    """The response with what its body says."""
    discoveries = tuple(_discovery(found, capture.url) for found in reading.found)
    too_many = reading.dead_end is Reason.TOO_MANY_REDIRECTS
    return ParsedResponse(
        reading.kind,
        discoveries,
        too_many_redirects=too_many,
        redirect_to=reading.redirect_to,
        dead_end=None if too_many else reading.dead_end,
        opt_outs=head.opt_outs.combined(_opt_outs(reading.opt_outs)),
    )


def _discovery(found: FoundUrl, via: str) -> Discovery:
    if found.source is None:
        return Discovery(found.url, found.kind, via, found.depth, found.redirects, found.priority)
    hints = Hints(found.title, found.published_at, found.source)
    return Discovery(found.url, found.kind, via, found.depth, priority=found.priority, hints=hints, modified_at=found.modified_at)


def _opt_outs(sent: PageOptOuts | None) -> OptOuts:
    return NO_OPT_OUTS if sent is None else OptOuts(Directives(frozenset(sent.words), sent.unavailable_after), sent.tdm)


def sitemap_discovery(url: str | None, via: str, depth: int = 0) -> Discovery | None:
    """The discovery of a sitemap that robots.txt names; None for None."""
    return Discovery(url, UrlKind.SITEMAP, via, depth, priority=LIST_PRIORITY) if url else None


def redirect_location(capture: Capture) -> str:
    """The target of a redirect as written, without a Location that in a refresh.

    Its bytes are UTF-8 if that is possible, and otherwise sent back as they came, as browsers do.
    """
    refresh = read_refresh(capture.header("refresh"))
    text = capture.header("location") or (refresh.reference if refresh else "")
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return "".join(one if one.isascii() else f"%{ord(one):02X}" for one in text)


def _redirect(capture: Capture, redirects: int, scope: CrawlScope, opt_outs: OptOuts) -> ParsedResponse:
    target = resolve_link(capture.url, redirect_location(capture), strip_parameters=False)  # the server needs them: it wrote them now
    if target is None:
        return ParsedResponse(capture.kind, dead_end=Reason.MALFORMED_RESPONSE, opt_outs=opt_outs)
    if target == capture.url and capture.method == "GET":  # a POST may lead to a GET of the same URL
        return ParsedResponse(capture.kind, redirect_to=target, dead_end=Reason.REDIRECT_LOOP, opt_outs=opt_outs)
    if redirects >= MAX_REDIRECTS:
        return ParsedResponse(capture.kind, too_many_redirects=True, opt_outs=opt_outs)
    found = Discovery(target, capture.kind, capture.url, capture.depth, redirects + 1, LIST_PRIORITY, capture.hints)
    may_leave = capture.status in PERMANENT or is_same_site(capture.url, target)
    of_seed = scope.covers_redirect(target, found.kind, found.depth, found.redirects, may_leave=may_leave)
    follows = of_seed or scope.covers(target, found.kind, found.depth)
    in_scope = (found,) if follows else ()
    return ParsedResponse(capture.kind, in_scope, redirect_to=target, dead_end=None if in_scope else Reason.OUT_OF_SCOPE, opt_outs=opt_outs)


def with_kind(capture: Capture, kind: UrlKind) -> Capture:
    """The capture with the kind that its body has."""
    return capture if capture.kind is kind else replace(capture, kind=kind)
