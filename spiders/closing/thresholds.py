"""A crawl's own thresholds: when a run counts as failed, and which host made it so."""

from __future__ import annotations

from schemas.config.crawl import Crawl
from schemas.errors import ThresholdError
from schemas.manifest import HostCounts, Manifest
from schemas.numbers import plural
from schemas.outcomes import FetchOutcome, Reason

MAX_REASONS = 3
HINTS = {"quota": ": the archive is at CRAWLHOUSE_QUOTA_BYTES, or a disk has less than CRAWLHOUSE_MIN_FREE_BYTES free. Free some space"}
# A host that is down is denied by its unreachable robots.txt: that counts as an error too.
ROBOTS_UNREACHABLE_OUTCOME = f"{FetchOutcome.DENIED}:{Reason.ROBOTS_UNREACHABLE}"
NOT_FETCHED = (FetchOutcome.DENIED.value, FetchOutcome.FAILED.value, FetchOutcome.FILTERED.value)
BY_HAND = frozenset({Reason.PAUSED.value, Reason.DROPPED.value, Reason.TAKEDOWN.value})  # of URLs that the user keeps from being fetched


def check_thresholds(crawl: Crawl, manifest: Manifest) -> None:
    """Raises ThresholdError if a closed run fetched too little or failed too often; its text names the worst host and why.

    A run in which nothing was due misses nothing, if it was not ended by a limit.
    """
    counts, thresholds = manifest.counts, crawl.thresholds
    if not counts.due and manifest.finish_reason not in HINTS:
        return
    if counts.fetched < thresholds.min_pages:
        raise ThresholdError(
            f"{manifest.crawl_run} fetched {plural(counts.fetched, 'page')}, fewer than thresholds.min_pages = {thresholds.min_pages}. "
            f"{_worst_host(manifest, *NOT_FETCHED)}"
        )
    failed = counts.failed + manifest.reasons.get(ROBOTS_UNREACHABLE_OUTCOME, 0)
    tried = counts.fetched + failed
    if tried and failed / tried > thresholds.max_error_rate:
        fetches = f"{failed} of {tried} {'fetch' if tried == 1 else 'fetches'}"
        raise ThresholdError(
            f"{manifest.crawl_run}: {fetches} failed, more than thresholds.max_error_rate = "
            f"{thresholds.max_error_rate}. {_worst_host(manifest, FetchOutcome.FAILED.value, ROBOTS_UNREACHABLE_OUTCOME)}"
        )


def check_fetched(manifest: Manifest) -> None:
    """Raises ThresholdError if a closed run tried URLs and fetched none, as where its only seed leads out of the crawl.

    URLs that were paused, dropped or taken down by hand are not missed.
    """
    by_hand = sum(count for reason, count in manifest.reasons.items() if reason.partition(":")[2] in BY_HAND)
    counts = manifest.counts
    if not counts.fetched and counts.denied + counts.failed + counts.filtered > by_hand:
        raise ThresholdError(
            f"{manifest.crawl_run} fetched nothing. {_worst_host(manifest, *NOT_FETCHED)} "
            f"`crawlhouse check {manifest.crawl}` shows what came back."
        )


def _worst_host(manifest: Manifest, *outcomes: str) -> str:
    """The host that lost most URLs to these outcomes, with what became of them."""
    ended = f"The run ended as '{manifest.finish_reason}'{HINTS.get(manifest.finish_reason, '')}."
    hosts = manifest.statistics.hosts
    if not hosts:
        return ended
    name, host = max(hosts.items(), key=lambda item: (item[1].count_of(*outcomes), item[1].left_over))
    lost = host.count_of(*outcomes)
    if not lost and not host.left_over:
        return ended
    return f"Worst was {name}: {_main_reasons(host, outcomes)} of its {plural(host.due, 'URL')}{_left_over(host)}. {ended}"


def _main_reasons(host: HostCounts, outcomes: tuple[str, ...]) -> str:
    reasons = [item for item in host.reasons.items() if {item[0], item[0].partition(":")[0]} & set(outcomes)]
    most = sorted(reasons, key=lambda item: (-item[1], item[0]))[:MAX_REASONS]
    return ", ".join(f"{reason.replace(':', ' by ')} ({count})" for reason, count in most) or "none lost"


def _left_over(host: HostCounts) -> str:
    if not host.left_over:
        return ""
    return f", {host.left_over} left over" + (f" because of {host.stopped}" if host.stopped else "")
