"""A crawl's YAML: what is accepted, and errors that name the line, the key and what is allowed."""

import pytest

from schemas.crawlfile import parse_crawl
from schemas.errors import ConfigError


def test_a_plain_crawl() -> None:
    crawl = parse_crawl("seeds: [http://Example.com:8080/x]\nschedule: '0 */6 * * *'\n", "news")
    assert crawl.name == "news"
    assert crawl.hosts() == ("example.com:8080",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeds: [https://a.example/]\npolitness: {}\n", "line 2: unknown key 'politness': did you mean 'politeness'?"),
        ("seeds: [https://a.example/]\npoliteness:\n  dealy: 3\n", "line 3: unknown key 'politeness.dealy': did you mean 'delay'?"),
        ("seeds:\n  - https://a.example/\n  - ftp://b.example/\n", "line 3: seeds.1.url: 'ftp://b.example/' is not an absolute http"),
        ("seeds: [https://a.example/]\nschedule: 61 * * * *\n", "line 2: schedule: '61 * * * *' is not a cron expression"),
        ("seeds: [https://a.example/\n", "is not YAML"),
        ("- https://a.example/\n", "must be a mapping"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_crawl(text, "news", "news.yaml")
    assert message in str(caught.value)
