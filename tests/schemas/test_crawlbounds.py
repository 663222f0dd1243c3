"""Crawl files from anyone: whatever is in one, it is a crawl that all later readers can use, or a ConfigError, and soon."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from schemas.config.crawl import Crawl
from schemas.config.crawl_file import line_of, parse_crawl, read_crawls
from schemas.errors import ConfigError
from schemas.yaml_files.bounds import PINNED

SEED = "seeds: [https://a.example/]\n"
CPU_SECONDS = 10.0
OUT_OF_BOUNDS = {
    "tags": f"tags: [{'x' * 101}]",
    "many tags": f"tags: [{', '.join(f't{number}' for number in range(101))}]",
    "a tag of two lines": 'tags: ["a\\nb"]',
    "tags of odd types": "tags: [[a], {b: c}, 2026-01-01, null]",
    "infinite": "budgets: {max_minutes: .inf}",
    "minus infinite": "revisit: {feeds_max: -.inf}",
    "not a number": "politeness: {delay: .nan}",
    "a number without end elsewhere": "articles: {near_duplicate_similarity: .nan}",
    "minutes": "budgets: {max_minutes: 1.0e+300}",
    "minutes in digits": f"budgets: {{max_minutes: {'9' * 90}}}",
    "hours": "revisit: {articles_max: 1.0e+9}",
    "seconds": "politeness: {timeout: 1.0e+6}",
    "price": "revisit: {price: 1.0e+80}",
    "pages": f"budgets: {{max_pages: 1{'0' * 30}}}",
    "bytes": f"budgets: {{max_bytes: 0x{'f' * 30}}}",
    "body": f"budgets: {{max_body_bytes: {2**62}}}",
    "retries": "budgets: {max_retries: 1000000}",
    "depth": "scope: {max_depth: 40000}",
    "length": f"articles: {{max_length: {10**30}}}",
    "a date that never comes": "schedule: 0 0 30 2 *",
    "dates that are over": "schedule: 0 0 1 1 * 0 2020",
    "dates by chance": "schedule: R R * * *",
    "a long schedule": f"schedule: '{'0,' * 300}0 * * * *'",
    "a schedule of two lines": 'schedule: "0 0\\n* * *"',
    "a huge number in a schedule": f"schedule: '0 0 1-{'9' * 200} * *'",
    "description": f"description: {'x' * 20_001}",
    "a null character": 'description: "a\\0b"',
    "an escape": 'description: "\\e[31mred"',
    "half a character": 'description: "\\ud800"',
    "a header in a name": 'politeness: {user_agent: "a\\r\\nX: y"}',
    "other direction": 'tags: ["\\u202egpj"]',
    "a huge number for a text": f"description: 0x{'f' * 90}",
    "a number too long for Python": f"description: {'9' * 5000}",
    "a number to the base of 60": f"description: 1{':1' * 3000}.5",
    "a nested pattern": f"scope: {{include: ['{'(' * 3000}{')' * 3000}']}}",
    "a long pattern": f"scope: {{include: ['{'a' * 10_001}']}}",
    "many patterns": f"scope: {{include: [{', '.join(f'a{number}' for number in range(1001))}]}}",
    "repeated too often": f"scope: {{include: ['a{{{'9' * 30}}}']}}",
    "a long URL": f"network: {{proxy: 'http://a.example/{'x' * 9000}'}}",
    "a list for a key": "? [a, b]\n: c",
    "a key that is no text": "true: 1\n2026-01-01: 2\n~: 3",
    "a key twice in a line": "scope: {max_depth: 1, max_depth: 2}",
    "an impossible date": "description: 2026-13-45",
    "a start date": "start_date: 2026-01-01",
    "a time zone": "timezone: Mars/Olympus",
    "a mistake in each of very many keys": "\n".join(f"key{number}: 1" for number in range(50_000)),
    "a key of a megabyte": f"? {'k' * 1_000_000}\n: 1",
    "wide ranges in each pattern": "scope:\n  include:\n" + "".join(f"  - '(?i)[{n}\\x00-\\U0010ffff]('\n" for n in range(500)),
}
ANYTHING = {
    "nested lists": "a: " + "[" * 100_000,
    "nested lists with an end": "a: " + "[" * 1200 + "]" * 1200,
    "nested maps": "{a: " * 1200,
    "nested by dashes": "- " * 5000 + "a",
    "laughs": "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)),
    "laughs in a merge": "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40)),
    "laughs in a key": "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 15)) + "? *a14\n: 1",
    "nested by aliases": "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} {'[' * 30}*a{n - 1}{']' * 30}\n" for n in range(1, 60)),
    "an alias to itself": "seeds: &a [*a]",
    "many nodes": "seeds:\n" + "- a\n" * 1_000_000,
    "many directives": "".join(f"%TAG !a{number}! x\n" for number in range(100_000)) + "---\na: 1\n",
    "too long": "# " + "x" * 5 * 1024 * 1024,
    "a python object": "seeds: !!python/object/apply:os.system [exit]",
    "two documents": "--- {seeds: []}\n--- {}\n",
    "null characters": "seeds: \0",
}


@pytest.mark.parametrize("what", OUT_OF_BOUNDS)
def test_a_value_beyond_its_bounds_is_named_with_its_line(what: str) -> None:
    started = time.process_time()
    with pytest.raises(ConfigError) as caught:
        parse_crawl(SEED + OUT_OF_BOUNDS[what] + "\n", "news", "news.yaml")
    message = str(caught.value)
    assert message.startswith("news.yaml")
    assert (
        what in {"half a character", "an impossible date", "a key that is no text", "a number too long for Python"} or ": line " in message
    )
    assert len(message) < 40_000
    assert all(line.isprintable() for line in message.splitlines())
    assert time.process_time() - started < CPU_SECONDS


@pytest.mark.parametrize("what", ANYTHING)
def test_a_text_of_any_shape_is_a_crawl_or_a_mistake(what: str) -> None:
    started = time.process_time()
    with pytest.raises(ConfigError, match=r"^news\.yaml"):
        parse_crawl(ANYTHING[what], "news", "news.yaml")
    assert time.process_time() - started < CPU_SECONDS


def test_what_is_not_too_much_is_read() -> None:
    seeds = "".join(f"- https://a.example/{number}\n" for number in range(20_000))
    text = f"seeds:\n{seeds}tags: [{'x' * 100}]\nbudgets: {{max_minutes: 9999999}}\nscope: {{exclude: ['(?i)[a-z]+(?!b)', '(x)\\1']}}\n"
    crawl = parse_crawl(text + "description: |\n  two\n  lines\nschedule: '*/20 6-22 * * MON-FRI'\n", "news")
    assert len(crawl.seeds) == 20_000
    assert crawl.max_run_time().days > 5000


def test_what_was_pinned_before_there_were_bounds_is_read() -> None:
    crawl = parse_crawl(SEED, "news")
    pinned = crawl.model_dump_json().replace('"tags":[]', f'"tags":["{"x" * 101}"]').replace('"schedule":null', '"schedule":"0 0 30 2 *"')
    assert Crawl.model_validate_json(pinned, context=PINNED).tags == ("x" * 101,)
    with pytest.raises(ValueError, match="at most 100"):
        Crawl.model_validate_json(pinned)


def test_files_that_are_none_stand_beside_good_ones(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(SEED)
    (tmp_path / "folder.yaml").mkdir()
    (tmp_path / "nowhere.yaml").symlink_to(tmp_path / "none")
    (tmp_path / "endless.yaml").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "many.yaml").write_text(ANYTHING["many nodes"])
    (tmp_path / os.fsdecode(b"\xff\x1b[31m.yaml")).write_text(SEED)
    (tmp_path / "both.yaml").write_text("seeds: {\n")
    (tmp_path / "both.yml").write_text(SEED)
    crawls, broken = read_crawls(tmp_path)
    assert set(crawls) == {"good"}
    assert set(broken) == {"folder", "nowhere", "endless", "pipe", "many", "both", os.fsdecode(b"\xff\x1b[31m")}
    assert "is not YAML" in str(broken["both"])
    "\n".join(map(str, broken.values())).encode()
    assert line_of(tmp_path / "endless.yaml", "seeds") is None
