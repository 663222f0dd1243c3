"""Pages in a real browser: a server of files on this machine, with the headers of the real one."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from crawlhouse.pages.site import HEADERS, STATIC, asset

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
QUIET = ("background-networking", "component-update", "sync")


class PageServer:
    """Serves `pages`, by path, and the static files."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.url = ""


@pytest.fixture(scope="package")
def page_server() -> Iterator[PageServer]:
    served = PageServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            if "/static/" in self.path:
                body, kind = asset(name), STATIC[name]
            else:
                body, kind = served.pages[self.path], "text/html; charset=utf-8"
            self.send_response(200)
            for header, value in (HEADERS | {"Content-Type": kind}).items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Nothing is written."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield served
        server.shutdown()
        thread.join()


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    if not (CHROMIUM and DRIVER):
        pytest.skip("Chromium is not installed: apt-get install chromium chromium-driver, or the pages are not looked at")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"):
        options.add_argument(flag)
    for name in QUIET:
        options.add_argument(f"--disable-{name}")
    driver = webdriver.Chrome(service=Service(DRIVER), options=options)
    yield driver
    driver.quit()
