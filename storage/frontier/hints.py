"""Hints of sources that a known page was modified: which are followed, and what their outcomes are. Inside the caller's transaction.

Rows of `hint_trust` are locked after hosts and before urls and run_hosts, in the order of their keys.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import reduce

from sqlalchemy import Connection, RowMapping, exists, select, tuple_, update

from storage.database.frontier_tables import FETCHES, HINTS, URLS
from storage.database.ledger_tables import CRAWL_RUNS
from storage.database.upsert import upsert
from storage.frontier.due_plan import HINTED_REVISIT_PRIORITY
from storage.frontier.enqueue import LOOKUP_ROWS
from storage.frontier.hint_trust import HintTrust, allowance, is_plausible, with_followed, with_outcome
from storage.frontier.records import Discovery, FetchResult
from storage.urls.host_key import url_digest

MAX_HINT_AGE_SECONDS = 60 * 24 * 3600.0  # older modifications were seen by ordinary revisits
TRUST_COLUMNS = ("confirmed", "refuted", "pending", "followed_at")
SourceKey = tuple[int, str]  # host id, kind of source


def follow_hints(
    connection: Connection, crawl: str, run_no: int, discoveries: Sequence[Discovery], now: float, after: float
) -> Counter[int]:
    """Move known pages into the run that a trusted source says were modified since their last fetch.

    At most as many as the trust in the source allows, the newest pages first. Not those that were fetched in this run or less than `after`
    seconds ago. Returns the number by host id.
    """
    claims = {
        url_digest(crawl, found.url): (found.modified_at, found.hints.source)
        for found in discoveries
        if found.modified_at is not None and found.hints.source and found.modified_at > now - MAX_HINT_AGE_SECONDS
    }
    hinted: dict[SourceKey, list[RowMapping]] = defaultdict(list)
    for row in _hinted_rows(connection, run_no, sorted(claims), now - after):
        modified_at, source = claims[row["digest"]]
        if is_plausible(modified_at, row["last_fetch"], now):
            hinted[row["host_id"], source].append(row)
    taken = Counter[int]()
    for key, trust in read_trust(connection, crawl, hinted).items():
        chosen = sorted(hinted[key], key=lambda row: (-row["first_seen"], row["url_id"]))[: allowance(trust, now)]
        if chosen:
            count = _move_into_run(connection, run_no, [row["url_id"] for row in chosen], key[1], now)
            _write_trust(connection, crawl, key, with_followed(trust, count, now))
            taken[key[0]] += count
    return taken


def count_hint_outcomes(connection: Connection, run_no: int, results: Sequence[FetchResult]) -> None:
    """Count the outcomes of the hints that made the URLs of these results due."""
    outcomes: dict[SourceKey, list[bool | None]] = defaultdict(list)
    for result in results:
        if result.hinted_by is not None:
            outcomes[result.host_id, result.hinted_by].append(result.changed)
    if not outcomes:
        return
    crawl = connection.execute(select(CRAWL_RUNS.c.crawl).where(CRAWL_RUNS.c.run_no == run_no)).scalar_one()
    for key, trust in read_trust(connection, crawl, outcomes).items():
        _write_trust(connection, crawl, key, reduce(with_outcome, outcomes[key], trust))


def read_trust(connection: Connection, crawl: str, keys: Iterable[SourceKey]) -> dict[SourceKey, HintTrust]:
    """The trust in each source, in the order of their keys. Rows are locked if the database can do that."""
    found: dict[SourceKey, HintTrust] = {key: HintTrust() for key in sorted(keys)}
    if found:
        query = select(HINTS).where(HINTS.c.crawl == crawl, tuple_(HINTS.c.host_id, HINTS.c.source).in_(list(found)))
        for row in connection.execute(query.order_by(HINTS.c.host_id, HINTS.c.source).with_for_update()).mappings():
            found[row["host_id"], row["source"]] = HintTrust(*(row[name] for name in TRUST_COLUMNS))
    return found


def host_trust(connection: Connection, crawl: str, host_id: int) -> dict[str, HintTrust]:
    """The trust in the sources of a host, by their kind."""
    query = select(HINTS).where(HINTS.c.crawl == crawl, HINTS.c.host_id == host_id).order_by(HINTS.c.source)
    return {row["source"]: HintTrust(*(row[name] for name in TRUST_COLUMNS)) for row in connection.execute(query).mappings()}


def _hinted_rows(connection: Connection, run_no: int, digests: Sequence[bytes], before: float) -> list[RowMapping]:
    """The known URLs among these digests that wait in no run, have no pending hint, and were fetched before a time and not in this run."""
    fetched_here = exists().where(FETCHES.c.run_no == run_no, FETCHES.c.url_id == URLS.c.url_id)
    rests = (URLS.c.run_no.is_(None), URLS.c.held.is_(None), URLS.c.due_at.is_not(None), URLS.c.hinted_by.is_(None))
    columns = (URLS.c.url_id, URLS.c.digest, URLS.c.host_id, URLS.c.last_fetch, URLS.c.first_seen)
    rows: list[RowMapping] = []
    for start in range(0, len(digests), LOOKUP_ROWS):
        query = select(*columns).where(URLS.c.digest.in_(digests[start : start + LOOKUP_ROWS]), *rests)
        query = query.where(URLS.c.last_fetch <= before, ~fetched_here)
        rows += connection.execute(query).mappings()
    return rows


def _move_into_run(connection: Connection, run_no: int, url_ids: Sequence[int], source: str, now: float) -> int:
    """Move URLs that wait in no run into this one, after all new URLs; returns how many. Those left over are due in the next run.

    Rows are locked in the order of their ids, as in all other writers.
    """
    values = {"run_no": run_no, "hinted_by": source, "due_at": now, "priority": HINTED_REVISIT_PRIORITY}
    resting = select(URLS.c.url_id).where(URLS.c.url_id.in_(url_ids), URLS.c.run_no.is_(None)).order_by(URLS.c.url_id).with_for_update()
    return connection.execute(update(URLS).where(URLS.c.url_id.in_(resting)).values(values)).rowcount


def _write_trust(connection: Connection, crawl: str, key: SourceKey, trust: HintTrust) -> None:
    values: Mapping[str, object] = asdict(trust)
    statement = upsert(connection, HINTS).values(crawl=crawl, host_id=key[0], source=key[1], **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["crawl", "host_id", "source"], set_=dict(values)))
