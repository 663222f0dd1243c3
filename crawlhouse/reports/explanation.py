"""Which rules of a crawl apply to a URL. The rules are those of a worker, in its order; nothing is fetched."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from runtime.patterns import url_patterns
from schemas.capture import UrlKind
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.numbers import plural
from schemas.outcomes import Reason
from spiders.permission.robots import RobotsRules
from spiders.urls.canonical import canonicalize
from spiders.urls.scope import CrawlScope
from spiders.urls.traps import trap_by_shape
from storage.frontier.admin.history import UrlHistory
from storage.frontier.frontier import open_frontier
from storage.lake.takedown import read_takedowns
from storage.objects.open import open_store
from storage.urls.host_key import host_key


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its answer (`allows`, `refuses`, `unknown`), and why."""

    rule: str
    says: str
    why: str


def rules(crawl: Crawl, url: str, history: UrlHistory | None, settings: Settings) -> list[Rule]:
    """The rules in the order in which a worker applies them. Raises UnavailableError, StorageError."""
    kind = UrlKind(history.notes["kind"]) if history else UrlKind.PAGE
    depth = int(history.notes["depth"]) if history else 1
    return [
        _manual_change(history),
        *_scope(crawl, url, kind, depth, settings),
        _takedown(url, settings),
        _trap(url),
        _robots(crawl, url, settings),
        _opt_out(crawl, history),
        _budget(crawl, history),
    ]


def _rule_result(rule: str, refusal: str | None, otherwise: str) -> Rule:
    """A rule that refuses for the reason `refusal`, or allows."""
    return Rule(rule, "refuses", refusal) if refusal else Rule(rule, "allows", otherwise)


def _manual_change(history: UrlHistory | None) -> Rule:
    held = history.notes["held"] if history else None
    return _rule_result("by hand", held and f"it was {held}", "neither paused nor dropped")


def _seed_hosts(crawl: Crawl, settings: Settings) -> list[str]:
    """The hosts to which redirects of the crawl's seeds have led."""
    if crawl.scope.hosts:
        return []
    frontier = open_frontier(settings)
    try:
        return frontier.seed_hosts(crawl.name)
    finally:
        frontier.close()


def _scope(crawl: Crawl, url: str, kind: UrlKind, depth: int, settings: Settings) -> list[Rule]:
    if url in {canonicalize(seed.url) for seed in crawl.seeds}:
        return [Rule("scope", "allows", "it is a seed")]
    host, hosts, deepest = host_key(url), ", ".join(crawl.hosts()), crawl.scope.max_depth
    inside = CrawlScope(crawl).covers_host(host) or host in _seed_hosts(crawl, settings)
    excluded = _first_match(crawl.scope.exclude, url, otherwise=True)
    far = f"{plural(depth, 'link')} from a seed, of {deepest:,} at most"
    results = [
        _rule_result("scope.hosts", None if inside else f"{host} is not among {hosts}", f"{host} is among {hosts}"),
        _rule_result("scope.max_depth", far if depth > deepest else None, far),
        _rule_result("scope.exclude", excluded and f"{excluded!r} matches", "no pattern matches"),
    ]
    if crawl.scope.include and kind is UrlKind.PAGE:
        included = _first_match(crawl.scope.include, url, otherwise=False)
        results.append(_rule_result("scope.include", None if included else "no pattern matches", f"{included!r} matches"))
    return results


def _first_match(patterns: tuple[str, ...], url: str, *, otherwise: bool) -> str | None:
    """The first pattern that is found in a URL. `otherwise` is the answer for a pattern whose search takes too long."""
    return next((one.pattern for one in url_patterns(patterns) if one.search_or(url, otherwise)), None)


def _takedown(url: str, settings: Settings) -> Rule:
    covered = read_takedowns(open_store(settings)).covers(url)
    return _rule_result("takedown", "the takedown list names it" if covered else None, "not on the list")


def _trap(url: str) -> Rule:
    shape = trap_by_shape(url, datetime.now(UTC).date())
    return _rule_result("trap", shape, "it does not look like one; a run also counts how many URLs look alike")


def _robots(crawl: Crawl, url: str, settings: Settings) -> Rule:
    from storage.urls.host_key import canonical_origin

    if crawl.politeness.robots == "ignore":
        return Rule("robots", "allows", "politeness.robots is ignore")
    origin = canonical_origin(url)
    frontier = open_frontier(settings)
    try:
        cached = frontier.robots(origin)
    finally:
        frontier.close()
    if cached is None:
        return Rule("robots", "unknown", f"{origin}/robots.txt is not cached; it is read before the next fetch")
    name = crawl.politeness.product()
    rules = RobotsRules(cached.status, cached.body, name)
    if rules.is_rate_limited:
        return Rule("robots", "unknown", f"{origin}/robots.txt answered {cached.status}: too busy; it is read again before the next fetch")
    refused = rules.refusal(url) is not None
    status = f"answered {cached.status}" if cached.status else "did not answer"
    why = f"{origin}/robots.txt {status}; for '{name}', read again {_time_until(cached.expires_at - time.time())}"
    return _rule_result("robots", why if refused else None, why)


def _time_until(seconds: float) -> str:
    """A time from now, to the hour or the minute."""
    if seconds < 60:
        return "before the next fetch"
    hours, minutes = round(seconds / 3600), round(seconds / 60)
    return f"in {plural(hours, 'hour')}" if hours > 1 else f"in {plural(minutes, 'minute')}"


def _opt_out(crawl: Crawl, history: UrlHistory | None) -> Rule:
    if crawl.politeness.opt_outs == "record":
        return Rule("opt-outs", "allows", "politeness.opt_outs is record")
    last = history.visits[-1] if history and history.visits else None
    reserved = last is not None and last.reason == Reason.OPTED_OUT.value
    if last is None or (last.status is None and not reserved):
        return Rule("opt-outs", "unknown", "a response says it, and there was none yet")
    return _rule_result("opt-outs", f"the site reserved it in {last.crawl_run}" if reserved else None, "not reserved at the last visit")


def _budget(crawl: Crawl, history: UrlHistory | None) -> Rule:
    if history and history.stopped:
        return Rule("budgets", "refuses", f"its host is left alone in {history.waits_in}: {history.stopped}")
    budgets = crawl.budgets
    names = ("max_pages", "max_pages_per_host", "max_bytes_per_host", "max_minutes_per_host")
    return Rule("budgets", "allows", ", ".join(f"{name} {getattr(budgets, name):,}" for name in names))
