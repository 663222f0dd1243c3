"""Notes what changed in the state of a crawl, and tells its channels: each change once, also after a crash."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crawlhouse.monitor.channels import FindConnection, no_connections, send
from crawlhouse.monitor.health import CrawlHealth, read_health
from crawlhouse.monitor.messages import alarm_of, message_of
from schemas.config.notify import Alarm, Notify
from schemas.config.settings import Settings
from schemas.errors import CrawlhouseError
from storage.database.engine import Database, open_database
from storage.ledger.alarms import AlarmState, Condition, claim_alarm, end_claim, list_alarms, set_alarms

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of: the crawl, the alarm, and the channel; `problem` says why the channel did not take it."""

    crawl: str
    title: str
    channel: str
    problem: str | None = None


def watch_crawl(
    name: str,
    settings: Settings,
    find: FindConnection = no_connections,
    events: Mapping[str, Condition | None] | None = None,
) -> list[Told]:
    """Note what is wrong with a crawl now, and tell its channels of what changed.

    `events` are alarms that the caller decides, such as a failed task. A channel that takes no message is tried again by the next call.
    Raises UnavailableError, StorageError.
    """
    return watch_crawls(settings, find, {name: events or {}}, only=name)


def watch_crawls(
    settings: Settings,
    find: FindConnection = no_connections,
    events: Mapping[str, Mapping[str, Condition | None]] | None = None,
    only: str | None = None,
) -> list[Told]:
    """The same for all crawls."""
    database = open_database(settings.database_url("frontier"))
    try:
        told: list[Told] = []
        for health in read_health(database, settings, only).values():
            _note(database, health, (events or {}).get(health.name, {}))
            told += _tell(database, health, find)
        return told
    finally:
        database.close()


def is_decided(crawl: str, settings: Settings) -> bool:
    """Whether a crawl's newest run is closed, or late: no other look is needed to know. Raises UnavailableError, StorageError."""
    database = open_database(settings.database_url("frontier"))
    try:
        health = read_health(database, settings, crawl)[crawl]
    finally:
        database.close()
    return Alarm.LATE in health.wrong or not health.is_fetching


def failure(crawl: str, stage: str, sentence: str, settings: Settings) -> dict[str, Condition | None]:
    """The alarm of a failed stage, `crawl` or `process`. None if the sentence is one that another alarm says: a missed threshold."""
    database = open_database(settings.database_url("frontier"))
    try:
        health = read_health(database, settings, crawl)[crawl]
    finally:
        database.close()
    said = {condition.sentence for condition in health.wrong.values()}
    if sentence in said:
        return {}
    return {f"failed_{stage}": Condition(sentence, run=health.runs[0].crawl_run if health.runs else None)}


def success(crawl: str, stage: str, crawl_run: str, settings: Settings) -> dict[str, Condition | None]:
    """What the success of a stage ends. A run in which a worker failed is closed all the same: its own close ends nothing."""
    database = open_database(settings.database_url("frontier"))
    try:
        raised = [one for one in list_alarms(database, crawl) if one.raised and one.kind == f"failed_{stage}"]
    finally:
        database.close()
    return {one.kind: None for one in raised if stage == "process" or one.condition.run != crawl_run}


def _note(database: Database, health: CrawlHealth, events: Mapping[str, Condition | None]) -> None:
    found: dict[str, Condition | None] = {kind: health.wrong.get(kind) for kind in _decided_by_state()}
    set_alarms(database, health.name, found | dict(events))


def _decided_by_state() -> Iterable[str]:
    return (str(kind) for kind in Alarm if kind not in {Alarm.FAILED, Alarm.RECOVERED})


def _tell(database: Database, health: CrawlHealth, find: FindConnection) -> list[Told]:
    channels = health.crawl.notify if health.crawl else ()
    told: list[Told] = []
    for alarm in list_alarms(database, health.name) if channels else ():
        waiting = [channel for channel in channels if _wants(channel, alarm) and channel.channel not in alarm.told]
        if waiting and claim_alarm(database, alarm):
            done = [_told(channel, alarm, health, find) for channel in waiting]
            end_claim(database, alarm, [one.channel for one in done if one.problem is None])
            told += done
    return told


def _wants(channel: Notify, alarm: AlarmState) -> bool:
    return alarm_of(alarm.kind) in channel.about and (alarm.raised or Alarm.RECOVERED in channel.about)


def _told(channel: Notify, alarm: AlarmState, health: CrawlHealth, find: FindConnection) -> Told:
    message = message_of(alarm, health.crawl.owner if health.crawl else "")
    try:
        send(channel, message, find)
    except CrawlhouseError as error:  # the crawl goes on; the next watch tries again
        LOG.warning("%s was not told that %s: %s", channel.channel, message.title, error)
        return Told(alarm.crawl, message.title, channel.channel, str(error))
    LOG.info("%s was told: %s", channel.channel, message.title)
    return Told(alarm.crawl, message.title, channel.channel)
