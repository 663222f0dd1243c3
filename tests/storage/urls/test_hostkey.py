"""One spelling of a URL's host: in the frontier, the capture index, the rows, the takedown list and the configuration."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from processing.clean.identity import identity_url
from processing.extract.page_tasks import rules_for
from schemas.config.crawl import SiteRules
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.errors import ConfigError
from schemas.runs import CrawlRun
from spiders.download.credentials import read_credentials
from spiders.seed_file import with_hosts
from spiders.urls.canonical import canonicalize
from spiders.urls.scope import CrawlScope
from storage.frontier.admin.changes import open_frontier_admin
from storage.frontier.admin.selection import Selection
from storage.frontier.frontier import open_frontier
from storage.frontier.records import Discovery
from storage.lake.takedown import parse_takedowns
from storage.urls.host_key import canonical_host, canonical_origin, configured_host, host_key, host_name, origin, parse_host
from storage.urls.surt import split_url

SPELLED = {
    "http://example.com/": "example.com",
    "https://Example.COM.:443/a?b": "example.com",
    "http://example.com:443/": "example.com:443",
    "https://example.com:80?x": "example.com:80",
    "http://user:p@ss@example.com:8080/": "example.com:8080",
    "HTTP://under_score.example/": "under_score.example",
    "http://bücher.example:81/": "xn--bcher-kva.example:81",
    "http://BÜCHER。example。/": "xn--bcher-kva.example",
    "http://192.0.2.1:80/": "192.0.2.1",
    "http://[2001:DB8:0:0::1]/": "[2001:db8::1]",
    "http://[2001:db8::1]:8080/a": "[2001:db8::1]:8080",
    "https://u@[2001:db8::1]:443/a": "[2001:db8::1]",
    "http://[::FFFF:192.0.2.1]/": "[::ffff:c000:201]",
}
NO_HOST = [
    "nonsense",
    "",
    "mailto:a@b.example",
    "http://",
    "http:///path",
    "http://[bad/",
    "http://[::1/",
    "http://a:99999/",
    "http://a:x/",
]


@pytest.mark.parametrize(("url", "host"), SPELLED.items())
def test_every_place_spells_a_host_alike(url: str, host: str) -> None:
    canonical = canonicalize(url)
    assert canonical is not None
    assert (canonical_host(canonical), host_key(canonical), host_key(url)) == (host, host, host)
    scheme = url.partition(":")[0].lower()
    assert origin(url) == canonical_origin(canonical) == f"{scheme}://{host}"
    assert split_url(url).host == host_name(url) == host_name(f"{scheme}://{host}/")
    assert configured_host(url.split("/")[2].rpartition("@")[2]) in {host, host_name(url)}
    assert parse_takedowns([host]).covers(url)
    assert parse_takedowns([url]).covers(canonical)
    assert canonicalize(canonical) == canonical


@pytest.mark.parametrize("url", NO_HOST)
def test_a_url_without_a_host_has_an_empty_one(url: str) -> None:
    assert (host_key(url), host_name(url), origin(url), split_url(url).host) == ("", "", "", "")
    assert not parse_takedowns(["a.example"]).covers(url)


@pytest.mark.parametrize("text", ["::1", "a:b:c", "[::1", "[zz]", "-\udcff"])
def test_a_text_that_is_no_host(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_host(text)
    with pytest.raises(ConfigError):
        parse_takedowns([text])


def test_the_identity_of_a_page_on_an_address_is_a_url() -> None:
    assert identity_url("http://[2001:DB8::1]:8080/a#b", None) == "http://[2001:db8::1]:8080/a"
    assert identity_url("http://[2001:db8::1]/a", "http://[2001:DB8:0::1]/a?x") == "https://[2001:db8::1]/a?x"
    assert identity_url("http://xn--bcher-kva.example/a", "http://bücher.example./b") == "https://xn--bcher-kva.example/b"


def test_takedowns_of_addresses_and_of_names_in_unicode() -> None:
    listed = parse_takedowns(["[2001:DB8::1]", "[2001:db8::2]:8080", "*.bücher.example", "http://[2001:db8::3]/a*"])
    for url in (
        "http://[2001:db8::1]:81/x",
        "https://[2001:db8::2]:8080/",
        "http://www.xn--bcher-kva.example/",
        "https://[2001:db8::3]/ab",
    ):
        assert listed.covers(url), url
    for url in ("http://[2001:db8::2]/", "http://[2001:db8::11]/", "http://[2001:db8::3]/b"):
        assert not listed.covers(url), url
    assert listed.host_names() == {"[2001:db8::1]", "[2001:db8::2]", "xn--bcher-kva.example", "bücher.example", "[2001:db8::3]"}


def test_scope_rules_and_credentials_know_every_spelling_of_a_host() -> None:
    crawl = parse_crawl(
        "seeds: ['http://[2001:DB8::1]:8080/']\nscope: {hosts: ['[2001:DB8:0::1]:8080', 'Bücher.example.', 'a.example:443']}\n"
        "articles: {rules: {'[2001:DB8::1]:8080': {title: h1}, bücher.example: {title: h2}}}\n"
        "credentials: [{origin: 'https://bücher.example', secret: one}]\n",
        "hosts",
    )
    scope = CrawlScope(crawl)
    assert all(map(scope.covers_host, ("[2001:db8::1]:8080", "xn--bcher-kva.example", "a.example")))
    assert not scope.covers_host("[2001:db8::1]")
    rules = crawl.articles.rules
    assert rules_for("[2001:db8::1]:8080", rules) == SiteRules(title="h1")
    assert rules_for("www.xn--bcher-kva.example", rules) == SiteRules(title="h2")
    secrets = read_credentials(crawl, {"CRAWLHOUSE_SECRET_ONE": '{"headers": {"X-Key": "k"}}'})
    assert secrets.headers("https://xn--bcher-kva.example/a") == {"X-Key": "k"}
    assert secrets.headers("https://xn--bcher-kva.example:8443/a") == {}
    bare = parse_crawl("seeds: [https://a.example/]\n", "bare")
    assert with_hosts(bare, ["http://u@[2001:DB8::1]:80/x"]).hosts() == ("a.example", "[2001:db8::1]")


def test_the_frontier_is_asked_for_a_host_in_any_spelling(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", crawls=tmp_path)
    crawl = parse_crawl("seeds: ['http://[2001:db8::1]:8080/']\n", "news")
    urls = [canonicalize(url) for url in ("http://[2001:DB8::1]:8080/a", "https://bücher.example/b")]
    run = CrawlRun("news-1", crawl, "k", datetime.now(UTC), "1", "hash")
    open_frontier(settings).plan(run, [Discovery(url) for url in urls if url])
    steering = open_frontier_admin(settings)
    for host in ("[2001:DB8:0::1]:8080", "Bücher.example.", "xn--bcher-kva.example:443"):
        assert sum(steering.counts(Selection(host=host)).values()) == 1, host
    with pytest.raises(ConfigError, match="not a host"):
        steering.counts(Selection(host="a:b"))
