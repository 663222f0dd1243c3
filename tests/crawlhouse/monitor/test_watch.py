"""Who is told of what: each change once, by real web hooks and a real mail server."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from crawlhouse.monitor.channels import send
from crawlhouse.monitor.messages import trial_message
from crawlhouse.monitor.watch import failure, success, watch_crawl, watch_crawls
from schemas.config.crawl_file import read_crawl
from schemas.config.notify import Notify
from schemas.config.settings import Settings
from schemas.errors import ConfigError, UnavailableError
from schemas.keys import report_key
from schemas.manifest import FetchCounts
from schemas.runs import ProcessRun, config_hash
from spiders.run import plan
from storage.database.engine import open_database
from storage.database.ledger_tables import CRAWL_RUNS
from storage.ledger.alarms import Condition, claim_alarm, end_claim, list_alarms, set_alarms
from storage.ledger.held import Held, discard_held, hold_rows
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from tests.crawlhouse.conftest import Run
from tests.crawlhouse.monitor.pastruns import store_runs
from tests.crawlhouse.monitor.sinks import WebHook, mail_server, web_hook

CRAWL = """
seeds: [https://a.example/]
thresholds: {min_pages: 5}
notify: [hook]
"""
GOOD, BAD = FetchCounts(due=9, fetched=9), FetchCounts(due=9, fetched=2, failed=7)


class Connection:
    """An Airflow connection, as much as is read of one."""

    def __init__(self, conn_type: str, **values: object) -> None:
        self.conn_type = conn_type
        self.host: str | None = None
        self.port: int | None = None
        self.login: str | None = None
        self.password: str | None = None
        self.schema: str | None = None
        self.extra_dejson: dict[str, object] = {}
        self.__dict__.update(values)


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebHook]:
    with web_hook() as sink:
        monkeypatch.setenv("CRAWLHOUSE_NOTIFY_HOOK", f"json://127.0.0.1:{sink.port}/crawls")
        yield sink


def crawl_file(settings: Settings, text: str = CRAWL, name: str = "news") -> Path:
    settings.crawls.mkdir(exist_ok=True)
    path = settings.crawls / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_missed_threshold_is_told_once_and_its_end_once(settings: Settings, hook: WebHook) -> None:
    crawl = read_crawl(crawl_file(settings))
    store_runs(settings, crawl, [GOOD, BAD])
    (told,) = watch_crawls(settings)
    assert (told.crawl, told.channel, told.problem) == ("news", "hook", None)
    (message,) = hook.received
    assert message["title"] == "news missed a threshold"
    assert "fetched 2 pages, fewer than thresholds.min_pages = 5" in message["message"]
    assert "What to do: crawlhouse runs news" in message["message"]
    store_runs(settings, crawl, [BAD], hours=0)
    assert watch_crawls(settings) == []  # it is still so
    store_runs(settings, crawl, [GOOD], hours=0)
    assert [one.title for one in watch_crawls(settings)] == ["news: recovered (threshold)"]
    assert hook.received[1]["type"] == "success"
    assert watch_crawls(settings) == []


def test_a_channel_that_takes_no_message_is_told_by_the_next_watch(sqlite_settings: Settings, hook: WebHook) -> None:
    store_runs(sqlite_settings, read_crawl(crawl_file(sqlite_settings)), [BAD])
    hook.status = 503
    (told,) = watch_crawls(sqlite_settings)
    assert told.problem is not None
    assert "did not take the message" in told.problem
    hook.status = 200
    assert [one.problem for one in watch_crawls(sqlite_settings)] == [None]
    assert len(hook.received) == 1


def test_a_channel_is_told_of_what_it_wants(sqlite_settings: Settings, hook: WebHook) -> None:
    crawl = read_crawl(crawl_file(sqlite_settings, CRAWL.replace("[hook]", "[{channel: hook, about: [gate]}]")))
    (run,) = store_runs(sqlite_settings, crawl, [BAD])
    assert watch_crawls(sqlite_settings) == []
    ledger = open_ledger(sqlite_settings)
    reason = "expect_column_values_to_be_between(price): 3 rows, first from https://a.example/p/1"
    hold_rows(ledger.database, "p-1", [Held(run, "products", "news", reason, process_run="p-1")])
    assert [one.title for one in watch_crawls(sqlite_settings)] == ["news has rows that are held back"]
    assert "For example: https://a.example/p/1" in hook.received[0]["message"]
    discard_held(ledger.database, run, None, "ada", "a test")
    ledger.close()
    assert watch_crawls(sqlite_settings) == []  # without `recovered` in `about`


def test_a_failure_lasts_until_another_run_succeeds(sqlite_settings: Settings, hook: WebHook) -> None:
    crawl = read_crawl(crawl_file(sqlite_settings))
    (run,) = store_runs(sqlite_settings, crawl, [GOOD])
    watch_crawl("news", sqlite_settings, events=failure("news", "crawl", "The store does not answer.", sqlite_settings))
    watch_crawl("news", sqlite_settings, events=success("news", "crawl", run, sqlite_settings))  # the close of the same run
    assert [one["title"] for one in hook.received] == ["news failed"]
    watch_crawl("news", sqlite_settings, events=success("news", "process", run, sqlite_settings))  # another stage
    assert len(hook.received) == 1
    watch_crawl("news", sqlite_settings, events=success("news", "crawl", "another run", sqlite_settings))
    assert [one["title"] for one in hook.received] == ["news failed", "news: recovered (failed)"]


def test_a_failure_that_another_alarm_says_is_told_once(sqlite_settings: Settings, hook: WebHook) -> None:
    store_runs(sqlite_settings, read_crawl(crawl_file(sqlite_settings)), [BAD])
    watch_crawls(sqlite_settings)
    sentence = hook.received[0]["message"].splitlines()[0]
    assert failure("news", "crawl", sentence, sqlite_settings) == {}


def test_a_changed_layout_is_told_from_the_report(sqlite_settings: Settings, hook: WebHook) -> None:
    crawl = read_crawl(crawl_file(sqlite_settings))
    (run,) = store_runs(sqlite_settings, crawl, [GOOD])
    ledger = open_ledger(sqlite_settings)
    process_run = ProcessRun("p-1", crawl, (run,), "0.1.0", "0", 0, None)
    ledger.add_process_run(process_run)
    ledger.mark_published(process_run.process_run)
    ledger.close()
    report = {"records": 9, "published": 9, "layouts": ["a.example: the articles are shorter"]}
    open_store(sqlite_settings).put_bytes(report_key("p-1", "report.json"), json.dumps(report).encode())
    assert [one.title for one in watch_crawls(sqlite_settings)] == ["news has a host whose pages look different"]
    assert hook.received[0]["message"].startswith("a.example: the articles are shorter.")


def test_one_of_two_processes_tells(sqlite_settings: Settings) -> None:
    database = open_database(sqlite_settings.database_url("frontier"))
    assert set_alarms(database, "news", {"late": Condition("It is late."), "gate": None}) == ["late"]
    assert set_alarms(database, "news", {"late": Condition("It is later.")}) == []
    (alarm,) = list_alarms(database)
    assert alarm.condition.sentence == "It is late."
    assert claim_alarm(database, alarm)
    assert not claim_alarm(database, alarm)
    end_claim(database, alarm, ["hook"])
    assert list_alarms(database)[0].told == {"hook"}
    set_alarms(database, "news", {"late": None})
    assert not claim_alarm(database, alarm)  # its state changed meanwhile
    assert list_alarms(database)[0].told == set()
    database.close()


def test_mail_arrives_by_a_connection_of_airflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    channel = Notify(channel="ops", to=("ada@example.com", "eve@example.com"))
    extra = "disable_ssl=true&disable_tls=true&from_email=crawls%40example.com"
    with mail_server() as box:
        monkeypatch.setenv("AIRFLOW_CONN_OPS", f"smtp://127.0.0.1:{box.port}/?{extra}")
        send(channel, trial_message("ops"), lambda _: Connection("smtp"))
    ((receivers, message),) = box.messages
    assert receivers == ["ada@example.com", "eve@example.com"]
    assert message["Subject"] == "crawlhouse: a test"
    assert "Messages about crawls reach the channel ops." in message.get_body().get_content()
    with pytest.raises(UnavailableError, match="did not take the message"):  # the server has ended
        send(channel, trial_message("ops"), lambda _: Connection("smtp"))
    with pytest.raises(ConfigError, match="say `to:`"):
        send(Notify(channel="ops"), trial_message("ops"), lambda _: Connection("smtp"))


def test_mail_arrives_by_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    with mail_server() as box:
        monkeypatch.setenv(
            "CRAWLHOUSE_NOTIFY_OPS", f"mailto://127.0.0.1:{box.port}?from=crawls@example.com&to=ada@example.com&mode=insecure"
        )
        send(Notify(channel="ops"), trial_message("ops"))
    ((receivers, message),) = box.messages
    assert receivers == ["ada@example.com"]
    assert message["Subject"] == "crawlhouse: a test"


@pytest.mark.parametrize("kind", ["http", "apprise", "list"])
def test_a_web_hook_is_called_by_a_connection_of_airflow(kind: str) -> None:
    with web_hook() as sink:
        path = {"path": f"json://127.0.0.1:{sink.port}/crawls"}
        connections = {
            "http": Connection("http", host="http://127.0.0.1", port=sink.port),
            "apprise": Connection("apprise", extra_dejson={"config": path}),
            "list": Connection("apprise", extra_dejson={"config": [path]}),
        }
        send(Notify(channel="ops"), trial_message("ops"), lambda _: connections[kind])
        assert [one["title"] for one in sink.received] == ["crawlhouse: a test"]


def test_a_channel_without_an_address_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match="set CRAWLHOUSE_NOTIFY_OPS to a URL of Apprise"):
        send(Notify(channel="ops"), trial_message("ops"))
    with pytest.raises(ConfigError, match="type ssh"):
        send(Notify(channel="ops"), trial_message("ops"), lambda _: Connection("ssh"))
    with pytest.raises(ConfigError, match="needs extra"):
        send(Notify(channel="ops"), trial_message("ops"), lambda _: Connection("apprise"))


def test_an_address_that_is_none_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRAWLHOUSE_NOTIFY_OPS", "nothing://user:hidden@host")
    with pytest.raises(ConfigError) as raised:
        send(Notify(channel="ops"), trial_message("ops"))
    assert "hidden" not in str(raised.value)


def test_who_is_told_decides_no_row(sqlite_settings: Settings) -> None:
    told = read_crawl(crawl_file(sqlite_settings))
    assert config_hash(told) == config_hash(told.model_copy(update={"notify": ()}))


def test_the_command_tells_and_tests(crawlhouse: Run, tmp_path: Path, hook: WebHook, sqlite_settings: Settings) -> None:
    store_runs(sqlite_settings, read_crawl(crawl_file(sqlite_settings)), [BAD])
    address = f"json://127.0.0.1:{hook.port}/crawls"
    where = {"home": str(sqlite_settings.home), "crawls": str(sqlite_settings.crawls), "notify_hook": address}
    tested = crawlhouse("notify", "test", "hook", **where)
    assert (tested.code, hook.received[0]["title"]) == (0, "crawlhouse: a test")
    listed = crawlhouse("notify", "list", "--format", "json", **where)
    assert '"alarm": "threshold"' in listed.out
    assert len(hook.received) == 1
    watched = crawlhouse("notify", "watch", **where)
    assert "hook: news missed a threshold" in watched.err
    assert (watched.code, len(hook.received)) == (0, 2)
    refused = crawlhouse("notify", "test", "nobody", **where)
    assert refused.code == 2
    assert "CRAWLHOUSE_NOTIFY_NOBODY" in refused.err


def test_a_missed_deadline_is_told_as_soon_as_the_run_is_late(
    sqlite_settings: Settings, hook: WebHook, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dags import telling

    crawl = read_crawl(crawl_file(sqlite_settings, CRAWL + "schedule: '*/2 * * * *'\n"))
    plan(crawl, key="1", settings=sqlite_settings)  # just now, because Airflow tried it again
    waits: list[float] = []

    async def pass_minutes(seconds: float) -> None:
        waits.append(seconds)
        assert hook.received == []
        database = open_database(sqlite_settings.database_url("frontier"))
        with database.write() as connection:
            connection.execute(update(CRAWL_RUNS).values(planned_at=time.time() - 480))
        database.close()

    monkeypatch.setattr(telling, "load_settings", lambda: sqlite_settings)
    monkeypatch.setattr("asyncio.sleep", pass_minutes)
    asyncio.run(telling.tell_overdue("news"))
    assert waits == [60]
    assert [message["title"] for message in hook.received] == ["news is late"]
