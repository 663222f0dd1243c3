"""The rules of a robots.txt about the use of content."""

from __future__ import annotations

import pytest

from schemas.web.ai_preferences import AiPreferences
from spiders.permission.ai_rules import preferences_of, read_ai_rules
from spiders.permission.robots import RobotsRules
from tests.cpu import growth

DRAFT = """\
User-Agent: *
Allow: /
Disallow: /never/
Content-Usage: train-ai=n
Content-Usage: /ai-ok/ train-ai=y

User-Agent: ExampleBot
Allow: /
Content-Usage: train-ai=y
"""


def stated(text: str, path: str = "/a", product: str = "crawlhouse") -> AiPreferences:
    return preferences_of(read_ai_rules(text, product), f"https://a.example{path}")


def test_the_example_of_the_draft() -> None:
    assert [stated(DRAFT, path).usage for path in ("/test", "/ai-ok/x", "/ai-okay")] == ["train-ai=n", "train-ai=y", "train-ai=n"]
    assert stated(DRAFT, "/test", "ExampleBot").usage == "train-ai=y"


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("User-agent: *\nContent-signal: search=yes, ai-train=no\nAllow: /", "/a", AiPreferences(None, "search=yes, ai-train=no")),
        ("content-usage : train-ai=n # all of it", "/a", AiPreferences("train-ai=n")),
        ("User-agent: *\r\n \tContent-Usage\t:\t/a\ttrain-ai=n\r\n", "/a/b", AiPreferences("train-ai=n")),
        ("User-agent: crawlhouse/2.0 (b)\nContent-Usage: x=n\nUser-agent: *\nContent-Usage: train-ai=n", "/a", AiPreferences("x=n")),
        ("User-agent: crawlhouse\nDisallow: /x\nUser-agent: *\nContent-Usage: train-ai=n", "/a", AiPreferences()),
        ("User-agent: a\nUser-agent: *\n\nSitemap: /s.xml\nContent-Usage: train-ai=n", "/a", AiPreferences("train-ai=n")),
        ("User-agent: a\nAllow: /\nUser-agent: *\nAllow: /\nUser-agent: b\nContent-Usage: train-ai=n", "/a", AiPreferences()),
        ("User-agent: *\nContent-Usage: /*.pdf$ train-ai=n\nContent-Usage: search=y", "/x.pdf", AiPreferences("train-ai=n")),
        ("User-agent: *\nContent-Usage: /*.pdf$ train-ai=n\nContent-Usage: search=y", "/x.pdf?a", AiPreferences("search=y")),
        ("User-agent: *\nContent-Usage: /a x=y\nContent-Usage: /a x=n, search=y", "/a", AiPreferences("x=n, search=y")),
        ("User-agent: *\nContent-Usage: /caf%c3%a9 train-ai=n", "/café", AiPreferences("train-ai=n")),
        ("User-agent: *\nContent-Usage: /q?a=1 train-ai=n", "/q?a=1&b", AiPreferences("train-ai=n")),
        ("User-agent: *\nContent-Usage: /a\nContent-Usage:\nContent-Usage", "/a", AiPreferences()),
        ("User-agent: *\n# Content-Usage: train-ai=n", "/a", AiPreferences()),
        ("", "/a", AiPreferences()),
    ],
)  # fmt: skip
def test_rules(text: str, path: str, expected: AiPreferences) -> None:
    assert stated(text, path) == expected


def test_a_file_without_answer_states_nothing() -> None:
    for status in (None, 404, 503):
        assert RobotsRules(status, b"User-agent: *\nContent-Usage: train-ai=n", "x").preferences("https://a.example/") == AiPreferences()


@pytest.mark.parametrize(
    "line", ["Content-Usage: /{} train-ai=n", "User-agent: x{}", "Content-Usage: /" + "*a" * 200 + " search=n", "x{}:"]
)
def test_a_huge_file_is_read_in_linear_time(line: str) -> None:
    def work(size: int) -> None:
        text = "User-agent: *\nContent-Signal: ai-train=no\n" + "\n".join(line.format(number) for number in range(size // len(line)))
        found = preferences_of(read_ai_rules(text[:size], "crawlhouse"), "https://a.example/" + "a" * 2_000)
        assert found.signal == "ai-train=no"

    assert growth(work, 100_000) < 8
