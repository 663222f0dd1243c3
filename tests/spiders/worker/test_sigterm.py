"""SIGTERM while an answer is awaited: the worker ends soon, and the URL is left over."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from spiders.run import close, plan
from tests.spiders.crawling import LOOPBACK
from tests.spiders.smallserver import Headers, small_server


def test_sigterm_does_not_wait_for_a_slow_page(sqlite_settings: Settings, tmp_path: Path) -> None:
    begun = threading.Event()

    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        if path == "/slow":
            begun.set()
            time.sleep(25)
        return 404, {}, b""

    with small_server(respond) as server:
        run = plan(parse_crawl(f"seeds: ['{server.base}/slow']\n{LOOPBACK}", "test"), "key", sqlite_settings).crawl_run
        command = [sys.executable, "-m", "spiders.worker", "--run", run, "--worker", "w1", "--statistics", str(tmp_path / "w1")]
        worker = subprocess.Popen(command, env={**os.environ, "CRAWLHOUSE_HOME": str(sqlite_settings.home)})
        try:
            assert begun.wait(20)
            worker.terminate()
            assert worker.wait(10) == 0
        finally:
            worker.kill()
            worker.wait()
    assert close(run, sqlite_settings).counts.left_over == 1
