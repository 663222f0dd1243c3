"""The compose files' services with workers on two machines, disturbed one thing at a time: each time the lake equals an undisturbed one.

All runs are of one crawl, one after the other, against a site that changes between them. The undisturbed lake is that of a home on SQLite
that crawls and processes the same site without Airflow. `pytest -s` prints the table: how long after the disturbance a task was seen to
have failed, and when it ran again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from schemas.config.crawl_file import read_crawl
from tests.chaos.stack import CRAWL, DELAY, RUN_SECONDS, Stack, running_stack

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(2400)]
AWAY_SECONDS = 15.0
FROZEN_SECONDS = 75.0  # longer than a lease
CLOCK_SECONDS = 0.05  # a request takes so long at most from the worker to the server's clock
BEFORE = "before the run"
HEADINGS = ("disturbance", "in", "noticed after", "runs again after", "seconds of the step", "smallest gap of a host", "lake")
Disturb = Callable[[Stack, str], None]  # with the machine on which the task runs


@pytest.fixture(scope="module")
def stack(postgres_server: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_stack(postgres_server, tmp_path_factory.mktemp("composed")) as stack:
        yield stack
        print("\n| " + " | ".join(HEADINGS) + " |\n" + "|---" * len(HEADINGS) + "|")
        print("\n".join(stack.table))


def nothing(stack: Stack, machine: str) -> None:
    """The run that the others are compared with."""


def kill_machine(stack: Stack, machine: str) -> None:
    """All processes of a machine's workers die at once, and its containers start again a little later."""
    names = [f"{machine}-{service}" for service in ("fetcher", "worker")]
    for name in names:
        stack.services[name].kill()
    time.sleep(AWAY_SECONDS)
    for name in names:
        stack.start(name)


def kill_scheduler(stack: Stack, machine: str) -> None:
    stack.services["first-scheduler"].kill()
    time.sleep(AWAY_SECONDS)
    stack.start("first-scheduler")


def kill_broker(stack: Stack, machine: str) -> None:
    stack.broker.kill()
    time.sleep(AWAY_SECONDS)
    stack.broker.start()


def kill_store(stack: Stack, machine: str) -> None:
    stack.store.kill()
    time.sleep(AWAY_SECONDS)
    stack.store.start()


def kill_database(stack: Stack, machine: str) -> None:
    stack.database.kill()
    time.sleep(AWAY_SECONDS)
    stack.database.start()


def restart_database(stack: Stack, machine: str) -> None:
    stack.database.stop()
    time.sleep(AWAY_SECONDS)
    stack.database.start()


def freeze(stack: Stack, machine: str) -> None:
    """A machine sleeps for longer than its leases last, then goes on as if nothing had been."""
    frozen = stack.services[f"{machine}-fetcher"].suspend()
    time.sleep(FROZEN_SECONDS)
    for process in frozen:
        if process.is_running():
            process.resume()


def set_clock_ahead(stack: Stack, machine: str) -> None:
    """The second machine's clock is 90 s ahead. A spider that starts refuses to work with it; one that is at work goes on."""
    if not stack.clock.environment:
        pytest.skip("there is no C compiler (cc): a wrong clock of one machine is not tested")
    stack.clock.set(90)


# Of each run: what happens while it fetches, or before; then in which task of the processing something happens, and what.
SCENARIOS: list[tuple[tuple[str, str, Disturb], tuple[str, str, Disturb]]] = [
    (("nothing", "fetch", nothing), ("nothing", "extract", nothing)),
    (("kill -9 of the broker, 15 s away", "fetch", kill_broker), ("kill -9 of a machine", "extract", kill_machine)),
    (("kill -9 of the store, 15 s away", "fetch", kill_store), ("kill -9 of a machine", "resolve", kill_machine)),
    (("kill -9 of the database, 15 s away", "fetch", kill_database), ("kill -9 of a machine", "publish", kill_machine)),
    (("clock of a machine 90 s ahead", "fetch", set_clock_ahead), ("database shut down, 15 s away", "resolve", restart_database)),
    (("clock of a machine 90 s ahead", BEFORE, set_clock_ahead), ("kill -9 of the store, 15 s away", "extract", kill_store)),
    (("kill -9 of the scheduler, 15 s away", "fetch", kill_scheduler), ("kill -9 of the broker, 15 s away", "gate", kill_broker)),
    (("kill -9 of a machine", "fetch", kill_machine), ("kill -9 of the scheduler, 15 s away", "extract", kill_scheduler)),
    (("machine frozen for 75 s", "fetch", freeze), ("kill -9 of the store, 15 s away", "publish", kill_store)),
]


@pytest.mark.parametrize("disturbances", SCENARIOS, ids=[f"{one[0]} in {one[1]}, {two[0]} in {two[1]}" for one, two in SCENARIOS])
def test_the_lake_equals_an_undisturbed_one(stack: Stack, disturbances: tuple[tuple[str, str, Disturb], tuple[str, str, Disturb]]) -> None:
    (what, when, disturb), (then_what, task, then_disturb) = disturbances
    stack.site.edition += 1
    urls = [seed.url for seed in read_crawl(stack.cluster.settings.crawls / f"{CRAWL}.yaml").seeds]
    known, first, begun = {run.run_id for run in stack.process_runs()}, len(stack.web.asked), time.monotonic()
    with ThreadPoolExecutor(1) as beside:
        twin = beside.submit(stack.crawl_twin)
        if when == BEFORE:
            disturb(stack, "second")
        run, since = stack.api.trigger(f"crawl_{CRAWL}", {"urls": urls}), time.time()
        if when == "fetch":
            stack.wait_for(lambda: len(stack.web.asked) - first >= len(urls) / 6, RUN_SECONDS)
            since = time.time()
            disturb(stack, "second")
        stack.wait_for(lambda: _machine(stack, known, task) != "", RUN_SECONDS)
        fetched, then = time.monotonic() - begun, time.time()
        then_disturb(stack, _machine(stack, known, task))
        stack.wait_for(lambda: stack.state(run) in {"success", "failed"}, RUN_SECONDS)
        stack.wait_for(stack.is_published, RUN_SECONDS)
        seconds = time.monotonic() - begun
        twin.result()
    stack.clock.set(0)
    processed = [one for one in stack.process_runs() if one.run_id not in known]
    noticed, again = stack.tries([run], since)
    then_noticed, then_again = stack.tries(processed, then)
    ours, theirs = stack.rows()
    gap, equal = stack.smallest_gap(first), "equal" if ours == theirs else "DIFFERENT"
    stack.table += [
        f"| {what} | {when} | {noticed} | {again} | {fetched:.0f} s | {gap:.2f} s | {equal} |",
        f"| {then_what} | {task} | {then_noticed} | {then_again} | {seconds - fetched:.0f} s | | {equal} |",
    ]
    print("\n".join(stack.table[-2:]), flush=True)
    assert stack.state(run) == "success", stack.why_failed(run)
    assert ours == theirs
    assert gap >= DELAY - CLOCK_SECONDS
    if when == BEFORE:
        assert any("s ahead of the database server's" in stack.log(run, number) for number in range(2))
    if then_disturb is kill_machine:
        assert then_again != "-"  # else the kill came too late


def _machine(stack: Stack, known: set[str], task: str) -> str:
    return stack.machine_of(f"process_{CRAWL}", stack.new_process_run(known) or "none", task)
