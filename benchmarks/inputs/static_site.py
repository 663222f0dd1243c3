"""A fast static site on loopback for crawl benchmarks: nginx serves pages of 45 kB with 50 links each, compressed beforehand."""

from __future__ import annotations

import contextlib
import gzip
import os
import random
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

PAGES = 5_000
PAGE_BYTES = 45_000
LINKS = 50

CONFIG = """
{user}worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; gzip_static on; keepalive_requests 100000; types {{ }} default_type {kind};
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{
    listen 127.0.0.1:{port}; root {folder}/site;
    location = /robots.txt {{ default_type text/plain; }}
    location ~ \\.xml$ {{ default_type application/xml; }}
  }}
}}
"""


def make_site(folder: Path, pages: int, seed: int = 7) -> None:
    """Write `pages` pages that are all reachable from /p/0.html, and robots.txt."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcdefghijklmnopqrstuvwxyz", k=chance.randint(2, 10))) for _ in range(4000)]
    site = folder / "site"
    (site / "p").mkdir(parents=True)
    (site / "robots.txt").write_text("User-agent: *\nDisallow: /private/\n")
    for number in range(pages):
        html = _page(chance, words, number, pages).encode()
        (site / "p" / f"{number}.html").write_bytes(html)
        (site / "p" / f"{number}.html.gz").write_bytes(gzip.compress(html, 6, mtime=0))


def write_sitemap(folder: Path, pages: int, origin: str) -> None:
    """A sitemap that lists every page, for the list mode."""
    entries = "".join(f"<url><loc>{origin}/p/{number}.html</loc></url>" for number in range(pages))
    head = '<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    (folder / "site" / "all.xml").write_text(f"{head}{entries}</urlset>")


def _page(chance: random.Random, words: list[str], number: int, pages: int) -> str:
    """The next ten pages are always linked, so that every page can be reached; the other links are random."""
    targets = [(number * 10 + step) % pages for step in range(1, 11)] + [chance.randrange(pages) for _ in range(LINKS - 10)]
    links = "".join(f'<li><a href="/p/{target}.html">{" ".join(chance.choices(words, k=5))}</a></li>' for target in targets)
    paragraphs = []
    size = len(links) + 200
    while size < PAGE_BYTES:
        paragraph = f'<p class="c{chance.randint(1, 9)}">{" ".join(chance.choices(words, k=80))}</p>\n'
        paragraphs.append(paragraph)
        size += len(paragraph)
    middle = len(paragraphs) // 2
    body = f"{''.join(paragraphs[:middle])}<ul>{links}</ul>{''.join(paragraphs[middle:])}"
    return f"<!doctype html><html><head><title>Page {number}</title></head><body>\n{body}</body></html>"


@contextlib.contextmanager
def serve(folder: Path, charset: str | None = None) -> Iterator[str]:
    """Serve the folder's site with nginx on a free loopback port; yields its origin."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        raise SystemExit("The crawl benchmark needs nginx on the PATH (Debian: apt-get install nginx-light).")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kind = "text/html" if charset is None else f'"text/html; charset={charset}"'
    user = "user root;\n" if os.geteuid() == 0 else ""  # otherwise its worker may not read the folder
    (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, port=port, kind=kind, user=user))
    server = subprocess.Popen([nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
    origin = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{origin}/robots.txt")
        yield origin
    finally:
        server.terminate()
        server.wait(10)


def _wait(url: str) -> None:
    for _ in range(100):
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.05)
    raise SystemExit(f"nginx does not answer at {url}.")
