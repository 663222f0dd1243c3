"""What is wrong with a crawl, one row for each kind. A change of state is told once to each channel, also if processes crash meanwhile."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, RowMapping, or_, select, update

from storage.database.clock import current_time
from storage.database.engine import Database
from storage.database.ledger_tables import ALARMS
from storage.database.upsert import upsert

CLAIM_SECONDS = 300.0  # chosen: telling takes seconds; after a crash another process tells


@dataclass(frozen=True, slots=True)
class Condition:
    """What is wrong, as a sentence, with the URL of an example and the run in which it was seen."""

    sentence: str
    url: str | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class AlarmState:
    """An alarm of a crawl: it is `raised`, or it is over since `changed_at`. `told` are the channels that know."""

    crawl: str
    kind: str
    raised: bool
    changed_at: datetime
    condition: Condition
    told: frozenset[str]


def set_alarms(database: Database, crawl: str, found: Mapping[str, Condition | None]) -> list[str]:
    """Note what is wrong with a crawl now: for each kind a condition, or None where all is well. Returns the kinds whose state changed.

    An alarm that is raised already stays as it is, with the sentence with which it was raised.
    """
    changed = []
    with database.write() as connection:
        now = round(current_time(connection), 3)  # a time of this precision is the same when it is read again
        mine = select(ALARMS.c.kind, ALARMS.c.raised).where(ALARMS.c.crawl == crawl)
        before = {row.kind: row.raised for row in connection.execute(mine)}
        for kind, condition in found.items():
            if (condition is not None) == before.get(kind, False):
                continue
            changed.append(kind)
            state: dict[str, object] = {"raised": condition is not None, "changed_at": now, "told": "[]", "claimed_at": None}
            if condition is None:  # the sentence stays: it says what is over
                connection.execute(update(ALARMS).where(_is(crawl, kind)).values(**state))
                continue
            state |= {"sentence": condition.sentence, "url": condition.url, "run": condition.run}
            insert = upsert(connection, ALARMS).values(crawl=crawl, kind=kind, **state)
            connection.execute(insert.on_conflict_do_update(index_elements=["crawl", "kind"], set_=state))
    return changed


def list_alarms(database: Database, crawl: str | None = None) -> list[AlarmState]:
    """The alarms of a crawl, or of all, by crawl and kind: those that are raised, and those that are over."""
    query = select(ALARMS).order_by(ALARMS.c.crawl, ALARMS.c.kind)
    with database.read() as connection:
        rows = connection.execute(query if crawl is None else query.where(ALARMS.c.crawl == crawl)).mappings()
        return [_state(row) for row in rows]


def claim_alarm(database: Database, alarm: AlarmState) -> bool:
    """Take the telling of a change, for CLAIM_SECONDS. False if another process has it, or if the state has changed again."""
    with database.write() as connection:
        now = current_time(connection)
        free = or_(ALARMS.c.claimed_at.is_(None), ALARMS.c.claimed_at < now - CLAIM_SECONDS)
        return connection.execute(update(ALARMS).where(_same(alarm), free).values(claimed_at=now)).rowcount > 0


def end_claim(database: Database, alarm: AlarmState, told: Collection[str]) -> None:
    """Note which channels know of a change, and give the telling back."""
    with database.write() as connection:
        names = json.dumps(sorted({*alarm.told, *told}))
        connection.execute(update(ALARMS).where(_same(alarm)).values(told=names, claimed_at=None))


def _is(crawl: str, kind: str) -> ColumnElement[bool]:
    return (ALARMS.c.crawl == crawl) & (ALARMS.c.kind == kind)


def _same(alarm: AlarmState) -> ColumnElement[bool]:
    """The row of an alarm, if its state did not change since it was read."""
    return _is(alarm.crawl, alarm.kind) & (ALARMS.c.changed_at == alarm.changed_at.timestamp()) & (ALARMS.c.raised == alarm.raised)


def _state(row: RowMapping) -> AlarmState:
    return AlarmState(
        crawl=row["crawl"],
        kind=row["kind"],
        raised=row["raised"],
        changed_at=datetime.fromtimestamp(row["changed_at"], UTC),
        condition=Condition(row["sentence"], row["url"], row["run"]),
        told=frozenset(json.loads(row["told"])),
    )
