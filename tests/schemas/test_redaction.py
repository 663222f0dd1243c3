"""The last protection before text is printed: passwords in it are hidden, and nothing else is."""

from __future__ import annotations

import pytest

from schemas.credentials.redaction import redacted, redacted_url

ENVIRONMENT = {
    "CRAWLHOUSE_DATABASE": "postgresql://crawler:tr0ub4dor%26@db/lake?sslpassword=keypass9",
    "HTTPS_PROXY": "http://me:pr0xyword@proxy:3128",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG",
    "CRAWLHOUSE_SECRET_SHOP": '{"headers": {"X-Key": "k3y-of-the-shop"}, "cookies": {"a": "c00kie-jar"}}',
    "CRAWLHOUSE_SECRET_ODD": "n0t-json",
    "PGPASSWORD": "lake",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no route to postgresql://u:pa@ss/w@db/x now", "no route to postgresql://u:***@db/x now"),
        ("redis://:word@valkey:6379/0", "redis://:***@valkey:6379/0"),
        ("connect(host=db password=word user=u)", "connect(host=db password=*** user=u)"),
        ("PGPASSWORD=word", "PGPASSWORD=***"),
        ("auth failed for tr0ub4dor& (tr0ub4dor%26), keypass9", "auth failed for *** (***), ***"),
        ("via pr0xyword with wJalrXUtnFEMI/K7MDENG or wJalrXUtnFEMI%2FK7MDENG", "via *** with *** or ***"),
        ("sent k3y-of-the-shop, c00kie-jar, n0t-json", "sent ***, ***, ***"),
        ("the lake of crawler: http://host:8080/@name/story", "the lake of crawler: http://host:8080/@name/story"),
        ("a database is postgresql://USER:PASSWORD@HOST/NAME", "a database is postgresql://USER:PASSWORD@HOST/NAME"),
    ],
)
def test_passwords_are_hidden(text: str, shown: str) -> None:
    assert redacted(text) == shown


def test_what_a_caller_knows_is_hidden_too() -> None:
    assert redacted("value abc is wrong, ab is not", ["abc", "ab"]) == "value *** is wrong, ab is not"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://me:word@proxy:3128", "http://me:***@proxy:3128"),
        ("https://proxy/?token=abc&x", "https://proxy/?token=***&x=***"),
        ("http://proxy:3128", "http://proxy:3128"),
    ],
)
def test_a_url_for_people(url: str, shown: str) -> None:
    assert redacted_url(url) == shown
