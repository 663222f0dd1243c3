"""Secrets of crawls: sent to their origin, and kept nowhere."""

from __future__ import annotations

import pytest

from schemas.config.settings import Settings
from schemas.errors import ConfigError
from tests.spiders.crawling import crawl_urls
from tests.spiders.owncrawls import archive
from tests.spiders.smallserver import Headers, small_server

SECRET = '{"headers": {"X-Api-Key": "key-7f31a9"}, "cookies": {"session": "cookie-c0ffee", "theme": "dark"}}'


def test_secrets_go_to_their_origin_and_nowhere_else(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CRAWLHOUSE_SECRET_MEMBERS", SECRET)
    with small_server(lambda path, times: (404, {}, b"") if "." in path else (200, {}, b"<p>Open.")) as other:

        def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
            if path == "/away":
                return 302, {"Location": f"{other.base}/landed"}, b""
            return (404, {}, b"") if "." in path else (200, {"Set-Cookie": "session=renewed-5eed"}, b"<p>Members.")

        with small_server(respond) as members:
            extra = f"credentials: [{{origin: '{members.base}', secret: members}}]"
            done = crawl_urls(sqlite_settings, [f"{members.base}/", f"{members.base}/away", f"{other.base}/"], extra)
    sent = {one.path: one.headers for one in members.asked}
    assert sent["/"]["X-Api-Key"] == "key-7f31a9"
    assert sent["/"]["Cookie"] == "session=cookie-c0ffee; theme=dark"
    assert "X-Api-Key" not in sent["/robots.txt"]
    assert "/landed" in other.paths()
    assert not [one for one in other.asked if "X-Api-Key" in one.headers or "Cookie" in one.headers]
    everything = archive(sqlite_settings) + b"".join(path.read_bytes() for path in sqlite_settings.home.rglob("*") if path.is_file())
    everything += "".join(capfd.readouterr()).encode() + done.manifest.model_dump_json().encode()
    assert b"Members." in everything
    for secret in (b"key-7f31a9", b"cookie-c0ffee", b"renewed-5eed"):
        assert secret not in everything


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "The secret 'members' is missing. Set CRAWLHOUSE_SECRET_MEMBERS"),
        ("key-7f31a9", "CRAWLHOUSE_SECRET_MEMBERS is not .* look at the text"),
        ('{"headers": {"X": 5}}', r"look at headers\.X"),
        ('{"headers": {"Cookie": "a"}}', "the header 'Cookie' cannot be sent"),
        ('{"headers": {"X": "a\\nb"}}', "the header 'X' cannot be sent"),
        ('{"cookies": {"a": "b;c"}}', "the cookie 'a' has characters"),
    ],
)
def test_a_secret_that_is_none(value: str | None, message: str, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    if value is not None:
        monkeypatch.setenv("CRAWLHOUSE_SECRET_MEMBERS", value)
    with pytest.raises(ConfigError, match=message) as caught:
        crawl_urls(sqlite_settings, ["http://127.0.0.1:9/"], "credentials: [{origin: 'http://127.0.0.1:9', secret: members}]")
    assert "key-7f31a9" not in str(caught.value)
