"""What Content-Usage and Content-Signal say, in headers and combined, and which uses they forbid."""

from __future__ import annotations

import pytest

from schemas.config.crawl import Politeness
from schemas.web.ai_preferences import AiPreferences, header_preferences, read_signal, read_usage
from tests.cpu import growth

ALL = ("train-ai", "search", "ai-input")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train-ai=n", {"train-ai": False}),
        ("train-ai=y, search=n", {"train-ai": True, "search": False}),
        ('train-ai=n;exceptions=(a b), search=y ; why="a, b"', {}),  # a blank before a parameter is no structured field
        ('train-ai=n;until="2030, or so";x, search=y', {"train-ai": False, "search": True}),
        ("train-ai=n,search=y", {"train-ai": False, "search": True}),
        ("train-ai=y, train-ai=n", {"train-ai": False}),
        ('train-ai=y, train-ai, search=n, search="n"', {}),  # the draft's own example
        ("Train-AI=n", {}),
        ("train-ai=N, search=n", {"search": False}),
        ("train-ai=n,", {}),
        ("train-ai n", {}),
        ("none of this is a dictionary", {}),
        ("x.y-z=n, *=y", {"x.y-z": False, "*": True}),
        ("", {}),
    ],
)
def test_content_usage(text: str, expected: dict[str, bool]) -> None:
    assert read_usage(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("search=yes, ai-train=no", {"search": True, "ai-train": False}),
        ("Search=Yes,AI-Train=NO;ai-input=no", {"search": True, "ai-train": False, "ai-input": False}),
        ("ai-train = no , nonsense, x=maybe", {"ai-train": False}),
        ("search=yes ai-train:'no'", {"search": True, "ai-train": False}),
        ("ai_train=false, search=1", {"ai-train": False, "search": True}),
        ("ai-train=no, ai-train=yes", {"ai-train": False}),
        ("", {}),
    ],
)
def test_content_signal(text: str, expected: dict[str, bool]) -> None:
    assert read_signal(text) == expected


@pytest.mark.parametrize(
    ("usage", "signal", "forbidden"),
    [
        ("train-ai=n", None, {"train-ai"}),
        (None, "ai-train=no, search=yes", {"train-ai"}),
        ("train-ai=y, search=n", "ai-input=no", {"search", "ai-input"}),
        ("train-ai=y", "ai-train=no", {"train-ai"}),
        ("bots=n, search=y", None, {"train-ai", "ai-input"}),
        ("genai=n", None, {"train-ai", "ai-input"}),
        ("ai=n, train-ai=y", None, {"ai-input"}),
        ("train-ai=n, broken broken", None, set()),
        ("something-new=n", "something=no", set()),
        (None, None, set()),
    ],
)
def test_uses_that_are_forbidden(usage: str | None, signal: str | None, forbidden: set[str]) -> None:
    preferences = AiPreferences(usage, signal)
    assert {use for use in ALL if preferences.forbidden([use])} == forbidden
    assert preferences.forbidden(()) is None


def test_the_statement_that_forbids_is_named() -> None:
    preferences = AiPreferences("search=n", "ai-train=no")
    assert preferences.forbidden(["train-ai", "search"]) == "Content-Signal: ai-train=no"
    assert preferences.forbidden(["search"]) == "Content-Usage: search=n"


def test_headers_of_one_name_are_one_list() -> None:
    headers = ((b"content-USAGE", b" train-ai=n"), (b"X", b"1"), (b"Content-Usage", b"search=y "), (b"Content-Signal", b"ai-train=no"))
    assert header_preferences(headers) == AiPreferences("train-ai=n, search=y", "ai-train=no")
    assert header_preferences(((b"Content-Usage", b""), (b"Content-Length", b"5"))) == AiPreferences()
    assert header_preferences(((b"Content-Signal", b"ai-train=no\x00\xff"),)).forbidden(["train-ai"])


def test_a_use_that_one_statement_forbids_is_forbidden() -> None:
    header, robots = AiPreferences("train-ai=y, search=y", None), AiPreferences("train-ai=n", "ai-train=no")
    both = header.combined(robots)
    assert (read_usage(both.usage or ""), both.signal) == ({"train-ai": False, "search": True}, "ai-train=no")
    assert robots.combined(AiPreferences()) == robots == AiPreferences().combined(robots) == robots.combined(robots)


@pytest.mark.parametrize("unit", ["a=y, ", "a=(", 'a="', "\\", "a;", "1"])
def test_a_huge_statement_takes_linear_time(unit: str) -> None:
    def work(size: int) -> None:
        text = "a=" + unit * size
        stated = header_preferences(((b"Content-Usage", text.encode()), (b"Content-Signal", text.encode())))
        stated.forbidden(ALL)
        assert len(stated.usage or "") <= 1_000

    assert growth(work, 50_000) < 8


def test_a_crawl_that_obeys_says_what_for() -> None:
    with pytest.raises(ValueError, match="needs 'uses'"):
        Politeness(ai_preferences="obey")
    assert Politeness(ai_preferences="obey", uses=("search",)).forbidden_uses() == ("search",)
    assert Politeness(uses=("search",)).forbidden_uses() == ()
