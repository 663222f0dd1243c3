"""Where the redirects of a seed lead belongs to the crawl, with the host's other pages, in later runs too; other redirects out do not."""

from __future__ import annotations

import pytest

from schemas.config.settings import Settings
from storage.frontier.admin.changes import open_frontier_admin
from storage.frontier.frontier import open_frontier
from tests.spiders.crawling import crawl_urls
from tests.spiders.smallserver import Headers, SmallServer, small_server


def page(*links: str) -> tuple[int, Headers, bytes]:
    return 200, {}, b"<!doctype html><title>A page</title>" + "".join(f"<a href={link}>x</a>" for link in links).encode()


def host_of(server: SmallServer) -> str:
    return server.base.partition("//")[2]


def test_the_target_of_a_seeds_redirects_belongs_to_the_crawl(sqlite_settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    def new_site(path: str, times: int) -> tuple[int, Headers, bytes]:
        links = ("/a", "/elsewhere") if times < 1 else ("/a", "/later")
        answers = {"/front": page(*links), "/a": page(), "/later": page(), "/elsewhere": (302, {"Location": third.base + "/"}, b"")}
        return answers.get(path, (404, {}, b""))

    def old_site(path: str, times: int) -> tuple[int, Headers, bytes]:
        return (301, {"Location": {"/": "/moved", "/moved": new.base + "/front"}[path]}, b"") if path in {"/", "/moved"} else (404, {}, b"")

    with small_server(lambda *_: page()) as third, small_server(new_site) as new, small_server(old_site) as old:
        expected = {old.base + "/": "fetched", old.base + "/moved": "fetched", new.base + "/front": "fetched", new.base + "/a": "fetched"}
        expected[new.base + "/elsewhere"] = "filtered:out_of_scope"
        again = "revisit: {articles_min: 0, articles_max: 0, hubs_min: 0, hubs_max: 0}"
        assert crawl_urls(sqlite_settings, [old.base + "/"], again).outcomes == expected
        assert not third.asked
        assert f"so the host {host_of(new)} belongs to the crawl" in capfd.readouterr().err
        frontier = open_frontier(sqlite_settings)
        assert frontier.seed_hosts("test") == [host_of(new)]
        again = crawl_urls(sqlite_settings, [old.base + "/"], again)  # the next run has the host from its start
        assert again.outcomes[new.base + "/later"] == "fetched"
        admin = open_frontier_admin(sqlite_settings)
        admin.rename_crawl("test", "other")
        assert (frontier.seed_hosts("test"), frontier.seed_hosts("other")) == ([], [host_of(new)])
        admin.delete_crawl("other")
        assert frontier.seed_hosts("other") == []
        frontier.close()


def test_a_crawl_that_names_its_hosts_has_no_others(sqlite_settings: Settings) -> None:
    with small_server(lambda *_: page()) as new, small_server(lambda path, _: (301, {"Location": new.base + path}, b"")) as old:
        crawled = crawl_urls(sqlite_settings, [old.base + "/"], f"scope: {{hosts: ['{host_of(old)}']}}")
        assert crawled.outcomes == {old.base + "/": "filtered:out_of_scope"}


def test_a_temporary_redirect_to_another_site_is_no_move(sqlite_settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    """It may be a wall that asks for a login or a consent."""
    with small_server(lambda *_: page()) as wall, small_server(lambda path, _: (302, {"Location": wall.base + path}, b"")) as site:
        assert crawl_urls(sqlite_settings, [site.base + "/"]).outcomes == {site.base + "/": "filtered:out_of_scope"}
        assert f"leads out of the crawl, to {wall.base}/. If it is meant, make it the seed" in capfd.readouterr().err


def test_a_seeds_redirect_may_leave_the_patterns_of_the_scope(sqlite_settings: Settings) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        return {"/": (302, {"Location": "/en/"}, b""), "/en/": page("/news/1", "/other")}.get(path, page())

    with small_server(respond) as server:
        crawled = crawl_urls(sqlite_settings, [server.base + "/"], "scope: {include: ['/news/']}")
        found = {url.removeprefix(server.base): outcome for url, outcome in crawled.outcomes.items()}
        assert found == {"/": "fetched", "/en/": "fetched", "/news/1": "fetched"}
        excluded = crawl_urls(sqlite_settings, [server.base + "/?x"], "scope: {exclude: ['/en/']}")
        assert excluded.outcomes[server.base + "/?x"] == "fetched"
