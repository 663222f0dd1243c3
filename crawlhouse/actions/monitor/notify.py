"""What `crawlhouse notify` does, and how commands tell a crawl's channels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from crawlhouse.output.console import say, show, table, write_json
from crawlhouse.output.row_formats import LinesFormat
from schemas.config.crawl_file import find_crawl
from schemas.config.notify import Notify
from schemas.config.settings import Settings
from schemas.errors import ConfigError, CrawlhouseError, GateError, NotFoundError, ThresholdError, UnavailableError
from schemas.numbers import plural
from schemas.yaml_files.values import SECRET_NAME

if TYPE_CHECKING:
    from crawlhouse.monitor.watch import Told

BY_STATE = (ThresholdError, GateError)  # the state of the run says these


def show_alarms(settings: Settings, crawl: str | None, form: LinesFormat) -> None:
    """Print what is wrong with a crawl, or with all. Raises NotFoundError for an unknown crawl."""
    from crawlhouse.monitor.health import read_health
    from storage.database.engine import open_database

    database = open_database(settings.database_url("frontier"))
    try:
        found = read_health(database, settings, crawl)
    finally:
        database.close()
    if crawl is not None and not (found[crawl].crawl or found[crawl].broken or found[crawl].runs):
        raise NotFoundError(f"There is no crawl {crawl!r}: it has neither a file in {settings.crawls} nor a run.")
    rows: list[dict[str, Any]] = [  # Any: texts, or None
        {"crawl": name, "alarm": str(kind), **asdict(condition)}
        for name, health in found.items()
        for kind, condition in health.wrong.items()
    ]
    if form is LinesFormat.JSON:
        write_json(rows)
    elif form is LinesFormat.JSONL:
        for row in rows:
            write_json(row)
    elif not rows:
        say("Nothing is wrong.")
    else:
        show(table("", ("crawl", "alarm", "what"), [(row["crawl"], row["alarm"], row["sentence"]) for row in rows]))


def watch_once(settings: Settings) -> None:
    """Tell what changed, and print it. Raises UnavailableError if a channel did not take a message."""
    from crawlhouse.monitor.watch import watch_crawls

    told = watch_crawls(settings)
    for one in told:
        say(f"{one.channel}: {one.title}" + (f": {one.problem}" if one.problem else ""))
    if not told:
        say("There is nothing to tell.")
    if problems := [one for one in told if one.problem]:
        raise UnavailableError(f"{len(problems)} of {plural(len(told), 'message')} not taken. The next watch tries again.")


def send_test(channel: str) -> None:
    """Send a test message. Raises ConfigError without an address, UnavailableError if the message is not taken."""
    from crawlhouse.monitor.channels import send
    from crawlhouse.monitor.messages import trial_message

    if not re.fullmatch(SECRET_NAME, channel):
        raise ConfigError(f"{channel!r} names no channel: a name is lower-case letters, digits and _, like 'ops'.")
    send(Notify(channel=channel), trial_message(channel))
    say(f"The channel {channel} took the message.")


@contextmanager
def telling(crawl: str, stage: str, settings: Settings) -> Iterator[None]:
    """Around the work of a stage: note its failure or its success, and tell the crawl's channels, if it has any."""
    if not _channels(crawl, settings):
        yield
        return
    from crawlhouse.monitor.watch import failure, success, watch_crawl

    try:
        yield
    except BY_STATE:
        _quietly(lambda: watch_crawl(crawl, settings))
        raise
    except CrawlhouseError as error:
        sentence = str(error)
        _quietly(lambda: watch_crawl(crawl, settings, events=failure(crawl, stage, sentence, settings)))
        raise
    _quietly(lambda: watch_crawl(crawl, settings, events=success(crawl, stage, "", settings)))


def _channels(crawl: str, settings: Settings) -> tuple[Notify, ...]:
    try:
        return find_crawl(crawl, settings.crawls).notify
    except CrawlhouseError:
        return ()


def _quietly(tell: Callable[[], list[Told]]) -> None:
    """Tell, and say what was not taken: that is no failure of the crawl."""
    try:
        problems = [one for one in tell() if one.problem]
    except CrawlhouseError as error:
        say(f"Nobody was told: {error}")
        return
    for one in problems:
        say(f"{one.channel} was not told that {one.title}: {one.problem}")
