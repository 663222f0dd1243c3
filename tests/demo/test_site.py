"""The demo site over HTTP: what a crawler meets."""

from __future__ import annotations

import gzip
import http.client
import re
import subprocess
import sys
import urllib.request
from urllib.parse import urlsplit

from tests.demosite import PROJECT, DemoSite


def _get(url: str, headers: dict[str, str] | None = None, method: str = "GET") -> tuple[int, http.client.HTTPMessage, bytes]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def test_every_article_is_served_with_its_text(demo_site: DemoSite) -> None:
    for truth in demo_site.truth():
        status, headers, body = _get(truth.url)
        assert status == 200
        assert headers["Content-Type"] == f"text/html; charset={truth.charset}"
        html = re.sub(r"&#?\w+;", "", body.decode(truth.charset))
        assert truth.url.removeprefix("http://") in html
        plain = [line for line in truth.paragraphs if not re.search(r"[&<>'\"\t]", line)]
        assert all(line in html for line in plain)


def test_conditional_head_and_gzip_requests(demo_site: DemoSite) -> None:
    url = demo_site.truth()[0].url
    _, headers, body = _get(url)
    assert _get(url, {"If-None-Match": headers["ETag"]})[0] == 304
    assert _get(url, {"If-Modified-Since": headers["Last-Modified"]})[0] == 304
    status, head, nothing = _get(url, method="HEAD")
    assert (status, head["Content-Length"], nothing) == (200, str(len(body)), b"")
    _, packed, compressed = _get(url, {"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(compressed) == body


def test_sitemaps_lead_to_every_article(demo_site: DemoSite) -> None:
    found: set[str] = set()
    for base in demo_site.bases:
        index = _get(f"{base}/sitemap.xml")[2].decode()
        assert f"{base}/sitemap-articles.xml.gz" in index
        found |= set(re.findall(r"<loc>(.*?)</loc>", gzip.decompress(_get(f"{base}/sitemap-articles.xml.gz")[2]).decode()))
    assert found == {truth.url for truth in demo_site.truth()}


def test_the_clock_publishes_edits_and_withdraws(demo_site: DemoSite) -> None:
    before = {truth.url: truth for truth in demo_site.truth()}
    bodies = {url: _get(url)[2] for url in list(before)[:60]}
    demo_site.tick()
    after = {truth.url: truth for truth in demo_site.truth()}
    edited = [url for url in after if url in before and after[url].version > before[url].version]
    assert len(after.keys() - before.keys()) >= 2
    assert len(edited) == 4
    assert all(after[url].modified_at > before[url].modified_at for url in edited)
    (gone,) = demo_site.withdrawn()
    assert _get(gone)[0] == 410
    still = [url for url in bodies if url in after and url not in edited]
    same = [url for url in still if _get(url)[2] == bodies[url]]
    assert 0 < len(still) - len(same) < len(still) / 2, "only the pages with a most-read box change"


def test_pages_are_the_same_bytes_in_another_process(demo_site: DemoSite) -> None:
    with urllib.request.urlopen(f"{demo_site.bases[0]}/__truth__/articles.json", timeout=10) as answer:
        served = answer.read()
    from demo.news import truth

    assert served == truth.articles_json(0, demo_site.bases)


def test_a_taken_port_is_said_in_one_line(demo_site: DemoSite) -> None:
    taken = demo_site.bases[0].rpartition(":")[2]
    command = [sys.executable, "-m", "demo.site", "--port", taken, "--second-port", "0"]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert "--second-port" in ended.stderr
