"""What a crawl's own past makes likely, and when a run is overdue."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from crawlhouse.monitor.past import duration, quarantine_growth, silence
from crawlhouse.monitor.schedule import lateness, next_run, unprocessed
from schemas.config.crawl import Crawl
from schemas.config.schedule import longest_processing, longest_run
from tests.crawlhouse.monitor.pastruns import NOW, past

HOURLY = Crawl.model_validate({"name": "news", "seeds": ["https://a.example/"], "schedule": "0 * * * *"})


def test_a_crawl_is_silent_after_a_gap_that_its_past_makes_unlikely() -> None:
    busy = [past(hours, 3) for hours in range(20, 40)]
    quiet = [past(hours, 0) for hours in range(20)]
    found = silence(quiet + busy, NOW)
    assert found is not None
    assert found.sentence == "No new row for 20 h, in 20 runs. Before, it was 1 h at most, and 1 h on average."
    assert silence(quiet[17:] + busy, NOW - timedelta(hours=17)) is None  # three hours may be chance
    assert silence(busy, NOW) is None  # its newest run had rows: it is late, not silent


def test_a_gap_that_was_there_before_is_not_silence() -> None:
    weekday = [past(hours, 3) for hours in (*range(100, 120), *range(180, 190))]  # 60 hours without rows: a weekend
    quiet = [past(hours, 0) for hours in range(50, 100)]
    assert silence(quiet + weekday, NOW - timedelta(hours=50)) is None
    assert silence([past(hours, 0) for hours in range(100)] + weekday, NOW) is not None


def test_nothing_is_said_of_a_crawl_without_a_past() -> None:
    assert silence([past(hours, 0) for hours in range(50)] + [past(51 + hours, 3) for hours in range(5)], NOW) is None
    assert quarantine_growth([past(0, 1, 100), past(1, 100, 0)]) is None


def test_quarantine_grows_when_far_more_rows_than_usual_break_a_rule() -> None:
    before = [past(hours, 98, 2) for hours in range(1, 12)]
    found = quarantine_growth([past(0, 80, 20), *before])
    assert found is not None
    assert found.sentence == "20 of 100 records went to quarantine, 20%; in the 11 runs before it 2.0%."
    assert quarantine_growth([past(0, 96, 4), *before]) is None
    assert quarantine_growth([past(0, 0, 9), *before]) is None  # too few


def test_a_run_is_late_when_its_time_passed_and_urls_were_due() -> None:
    at = NOW + timedelta(minutes=40)
    three, hours_ago = [past(3, 1)], NOW - timedelta(hours=3)
    found = lateness(HOURLY, three, hours_ago, at)
    assert found is not None
    assert "the run of 2026-03-02 12:00 UTC is 40 min late" in found.sentence
    assert lateness(HOURLY, [past(-0.01, 1)], hours_ago, at) is None  # it ran
    assert lateness(HOURLY, three, NOW + timedelta(minutes=1), at) is None  # nothing was due: the run was skipped
    assert lateness(HOURLY, [past(0.9, 1)], hours_ago, NOW + timedelta(minutes=10)) is None  # it may begin half an hour late
    assert lateness(HOURLY, [], hours_ago, at) is None
    assert lateness(HOURLY.model_copy(update={"paused": True}), three, hours_ago, at) is None


def test_a_run_is_late_when_the_next_one_waits_for_it() -> None:
    running = replace(past(2, 1), state="open", summary=None)
    found = lateness(HOURLY, [running, past(3, 1)], None, NOW)
    assert found is not None
    assert found.sentence.startswith("The run of 2026-03-02 10:00 UTC is not finished after 2 h; the next one waits for it.")
    assert found.run == running.crawl_run
    assert lateness(HOURLY, [running], None, NOW - timedelta(minutes=31)) is None
    assert lateness(HOURLY.model_copy(update={"schedule": None}), [running], None, NOW) is None


def test_rows_are_late_when_a_closed_run_is_not_processed() -> None:
    summary = past(3, 1).summary
    assert summary is not None
    waiting = replace(past(3, 1), summary=replace(summary, published_at=None))
    found = unprocessed(HOURLY, [past(1, 1), waiting, past(4, 1)], NOW)
    assert found is not None
    assert "was fetched 3 h ago, and its rows are not published" in found.sentence
    assert unprocessed(HOURLY, [waiting], NOW - timedelta(minutes=91)) is None
    assert unprocessed(HOURLY, [past(3, 1)], NOW) is None
    assert unprocessed(HOURLY.model_copy(update={"schedule": "@once"}), [waiting], NOW) is None


@pytest.mark.parametrize(
    ("schedule", "minutes"),
    [("*/2 * * * *", 7), ("@hourly", 90), ("0 8 * * 1-5", 30 * 60), ("0 6,7 * * *", 90), ("@once", None), (None, None)],
)
def test_a_run_may_take_until_the_next_one_is_late(schedule: str | None, minutes: int | None) -> None:
    assert longest_run(schedule) == (None if minutes is None else timedelta(minutes=minutes))
    assert longest_processing(schedule) == (None if minutes is None else timedelta(minutes=max(minutes, 60)))


def test_the_next_run_is_in_the_crawls_time_zone() -> None:
    berlin = HOURLY.model_copy(update={"schedule": "30 7 * * *", "timezone": "Europe/Berlin"})
    assert str(next_run(berlin, NOW)) == "2026-03-03 06:30:00+00:00"
    assert next_run(HOURLY.model_copy(update={"schedule": None}), NOW) is None


def test_time_spans_have_two_units() -> None:
    assert [duration(seconds) for seconds in (0, 59, 61, 7_200, 90_000, 86_400 * 3 + 60)] == [
        "0 s",
        "59 s",
        "1 min 1 s",
        "2 h",
        "1 d 1 h",
        "3 d",
    ]
