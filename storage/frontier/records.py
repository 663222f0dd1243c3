"""The values that go into the frontier and come out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from schemas.capture import UrlKind
from schemas.outcomes import FetchOutcome, Reason
from schemas.page import Hints
from storage.frontier.hint_trust import HintTrust


@dataclass(frozen=True, slots=True)
class Discovery:
    """A URL that was found: canonical and in scope. `redirects` counts the redirects that led to it; a lower `priority` is fetched first.

    `request` is the request of a user's spider, as text (None: an ordinary GET).
    `modified_at`, in seconds since the epoch, is when the page was last changed, as `hints.source` says.
    """

    url: str
    kind: UrlKind = UrlKind.PAGE
    via: str | None = None
    depth: int = 0
    redirects: int = 0
    priority: int = 50
    hints: Hints = field(default_factory=Hints)
    request: str | None = None
    modified_at: float | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to fetch from one host. `token` is the fencing token; `wait` is how many seconds to leave the host alone first.

    `busy` and `failures` are the responses in a row, until now and in the same run, by which the host said that it is busy, and the
    requests in a row that had no response.
    """

    host_id: int
    host: str
    token: int
    wait: float = 0.0
    busy: int = 0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class HostShare:
    """How many more hosts a worker may lease, and how many it has beyond its share and should return because others have too few."""

    room: int
    excess: int


@dataclass(frozen=True, slots=True)
class EarlierCapture:
    """The registered capture of a URL to which a revisit record may refer. `fetched_at` in seconds since the epoch."""

    warc_filename: str
    offset: int
    content_digest: str
    fetched_at: float


@dataclass(frozen=True, slots=True)
class DueUrl:
    """A URL to fetch now, with what is known from earlier fetches. Times in seconds since the epoch; `revisit` is the policy's state.

    `held` is `paused` or `dropped` if a person did that: then it must not be fetched. `request` as in `Discovery`.
    `other_primary_sources` are the states of the host's other primary sources (feeds and sitemaps), empty for articles. `hinted_by`
    is the kind of source that said the URL was modified, if that is why it is due. `hint_trust` says by kind of source how far the host's
    sources are trusted when they say that; not given for new pages.
    """

    url_id: int
    host_id: int
    url: str
    kind: UrlKind
    via: str | None
    depth: int
    redirects: int
    priority: int
    first_seen: float
    revisit: str | None
    fails: int
    etag: str | None
    last_modified: str | None
    earlier: EarlierCapture | None
    hints: Hints
    held: str | None = None
    request: str | None = None
    other_primary_sources: tuple[str, ...] = ()
    hinted_by: str | None = None
    hint_trust: Mapping[str, HintTrust] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What became of a URL in this run, and when it is due again (`due_at` None: never). Times in seconds since the epoch.

    `is_primary_source` is decided by the revisit policy; `changed`: whether a response had other content than the one before
    (None: there was no such response). `chain` are the digests (hexadecimal) of the URLs whose redirects led to it, if they lead nowhere:
    then they have its outcome too.
    """

    url_id: int
    host_id: int
    outcome: FetchOutcome
    reason: Reason | None = None
    status: int | None = None
    fetched_at: float = 0.0
    kind: UrlKind = UrlKind.PAGE
    due_at: float | None = None
    revisit: str | None = None
    fails: int = 0
    etag: str | None = None
    last_modified: str | None = None
    earlier: EarlierCapture | None = None
    is_primary_source: bool = False
    changed: bool | None = None
    hinted_by: str | None = None
    received: int = 0
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostProgress:
    """How far a run is with a host: URLs done, bytes of their responses as received, and the start (seconds since the epoch)."""

    done: int
    received: int
    begun_at: float


@dataclass(slots=True)
class HostOutcomes:
    """One host in a run: URLs due, URLs left over, why the run stopped there (if it did), and counts by `outcome` or `outcome:reason`."""

    due: int
    left_over: int
    stopped: str | None
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PageGrant:
    """How many more pages of the budget a worker may fetch, and how many the whole run has registered."""

    granted: int
    pages: int


class RunPhase(StrEnum):
    """The phase of a crawl run, as a worker sees it."""

    WORKING = "working"  # some host has URLs to fetch and may be leased, now or soon
    DRAINED = "drained"  # no URL waits and no host is leased
    STOPPING = "stopping"  # its workers should end
    CLOSED = "closed"


MAX_COUNTED_HOSTS = 1_000  # workers ask often; above it the exact number does not matter


@dataclass(frozen=True, slots=True)
class RunState:
    """A crawl run's phase, the reason of a stop, what is registered so far, and how many hosts are open (up to a limit) or leased.

    `responses`, `received` (bytes) and `errors` are its workers' own counts, at most a second old, with what is not registered yet.
    """

    phase: RunPhase
    stopping: str | None
    pages: int
    bytes: int
    open_hosts: int
    leased_hosts: int
    responses: int = 0
    received: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class BudgetShortfall:
    """Due URLs that a run's budget does not cover: new pages; sources (feeds, sitemaps, hubs); known articles, visited to find edits."""

    new: int
    sources: int
    revisits: int
