"""The text of a message about a crawl."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.config.notify import Alarm
from storage.ledger.alarms import AlarmState

TITLES = {
    Alarm.FAILED: "failed",
    Alarm.THRESHOLD: "missed a threshold",
    Alarm.GATE: "has rows that are held back",
    Alarm.SILENT: "is silent",
    Alarm.LATE: "is late",
    Alarm.QUARANTINE: "sends more rows to quarantine than usual",
    Alarm.LAYOUT: "has a host whose pages look different",
}
NEXT_STEPS = {
    Alarm.FAILED: "crawlhouse runs {crawl}; the task's log in Airflow has the whole error",
    Alarm.THRESHOLD: "crawlhouse runs {crawl}; crawlhouse explain URL",
    Alarm.GATE: "crawlhouse gate list --crawl {crawl}, then gate accept or gate discard",
    Alarm.SILENT: "crawlhouse frontier list {crawl}; crawlhouse explain URL",
    Alarm.LATE: "crawlhouse status",
    Alarm.QUARANTINE: "crawlhouse quarantine list --crawl {crawl}",
    Alarm.LAYOUT: "crawlhouse check {crawl}; crawlhouse show URL",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What a channel is sent: a line, and a text of a few lines. `is_good` tells an end from a beginning."""

    title: str
    body: str
    is_good: bool = False


def alarm_of(kind: str) -> Alarm:
    """The alarm as people name it: stages of a crawl fail apart."""
    return Alarm(kind.partition("_")[0])


def message_of(alarm: AlarmState, owner: str = "") -> Message:
    """The message about an alarm that was raised, or is over. `owner` is who looks after the crawl."""
    kind, condition = alarm_of(alarm.kind), alarm.condition
    lines = [condition.sentence]
    if condition.url:
        lines.append(f"For example: {condition.url}")
    if condition.run:
        lines.append(f"Run: {condition.run}")
    if owner:
        lines.append(f"Owner: {owner}")
    if not alarm.raised:
        return Message(f"{alarm.crawl}: recovered ({kind})", "\n".join(["This is over:", *lines]), is_good=True)
    lines.append(f"What to do: {NEXT_STEPS[kind].format(crawl=alarm.crawl)}")
    return Message(f"{alarm.crawl} {TITLES[kind]}", "\n".join(lines))


def trial_message(channel: str) -> Message:
    """What `crawlhouse notify test` sends."""
    return Message("crawlhouse: a test", f"Messages about crawls reach the channel {channel}.", is_good=True)
