"""The labelled real pages: their sets, the two halves of their hosts, and the score of one page.

`CRAWLHOUSE_BENCH_DIR` (default `../shared/bench`) is the folder with the sets and their scorer. The halves are made by registered domain:
rules are made on the `tuning` half only. The `unseen` half tells what they are worth on other sites; each look at it wears it out, so it
is scored five times at most.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import random
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from processing.article.tree.characters import without_invisible
from processing.extract.decode import Decoded, decode
from storage.urls.surt import registered_domain

SETS = ("aeb", "fundeval", "wcxb_dev", "mixed", "publishers")
WITH_METADATA = ("wcxb_dev", "mixed", "publishers")
MAIN_METRIC = {"aeb": "f1", "fundeval": "f1", "wcxb_dev": "word_f1", "mixed": "snippet_f1", "publishers": "f1"}  # of one page
RESAMPLES = 2_000

Row = dict[str, Any]  # Any: a label's fields differ by set


def folder() -> Path:
    """The folder of the sets."""
    return Path(os.environ.get("CRAWLHOUSE_BENCH_DIR", Path(__file__).parents[3] / "shared" / "bench"))


def half_of(host: str) -> str:
    """`tuning` or `unseen`: the parity of the first byte of SHA-256 of the host's registered domain."""
    domain = registered_domain(host) or host
    return "unseen" if hashlib.sha256(domain.encode()).digest()[0] % 2 else "tuning"


def pages(name: str) -> Iterator[tuple[Row, str]]:
    """Each page of a set: its labels and its HTML."""
    with zipfile.ZipFile(folder() / f"{name}.zip") as archive:
        for line in (folder() / f"{name}.jsonl").read_text(encoding="utf-8").strip("\n").split("\n"):
            row = json.loads(line)
            yield {key: _as_seen(value) for key, value in row.items()}, html_of(archive.read(row["member"]))


def html_of(body: bytes) -> str:
    """A stored page as text: UTF-8 where it is that, whatever it declares; otherwise as processing decodes it."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        decoded = decode(body)
        return decoded.html if isinstance(decoded, Decoded) else body.decode("utf-8", "replace")


def _as_seen(label: Any) -> Any:  # Any: a label's fields differ by set
    """A label without the characters that nobody sees, such as soft hyphens. The texts are compared without them, too."""
    if isinstance(label, list):
        return [_as_seen(item) for item in label]
    return without_invisible(label) if isinstance(label, str) else label


@cache
def scorer() -> ModuleType:
    """The sets' own scorer."""
    spec = importlib.util.spec_from_file_location("score", folder() / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["score"] = module
    spec.loader.exec_module(module)
    return module


def page_f1(name: str, row: Row, text: str) -> float:
    """The set's main metric of one page."""
    if MAIN_METRIC[name] == "snippet_f1":
        found: Row = scorer().snippet_metrics([row], {row["id"]: {"text": text}})
    else:
        found = scorer().score_page(row, {"text": text}, rouge=False)
    return float(found[MAIN_METRIC[name]])


def interval(hosts: list[list[float]]) -> tuple[float, float]:
    """The 95 % interval of the mean of all values, by resampling the hosts that they belong to."""
    generator = random.Random(1)
    means = []
    for _ in range(RESAMPLES):
        chosen = generator.choices(hosts, k=len(hosts))
        means.append(sum(map(sum, chosen)) / sum(map(len, chosen)))
    means.sort()
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES)]
