"""Notice that a host has another layout: its articles break with those of the crawl's earlier runs in confidence, length or structure."""

from __future__ import annotations

import json
import logging
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TypedDict

import pyarrow as pa
import pyarrow.compute as pc

from schemas.article import PageType
from schemas.numbers import plural
from schemas.outcomes import Reason
from schemas.runs import ProcessRun
from storage.lake.lake import Lake

LOG = logging.getLogger(__name__)
MIN_PAGES = 5  # of a host in a run: fewer say nothing about its layout
MIN_RUNS = 2  # before numbers are compared: the articles of one run may be long or short by chance
MAX_RUNS = 4  # earlier runs of a host that are kept
MAX_HOSTS = 200  # of which measures are kept: those with the most pages
SAME_CONTAINER = 0.8  # of a host's articles in one element: then it is the layout's element for articles
LESS_CONFIDENCE = 0.15
LOST_SHARE = 0.5  # of the lowest share of pages with an article in earlier runs
LONGER = 2.0  # times the longest median length, or less than the shortest divided by it
OTHER_BLOCKS = 3.0  # the same of the characters in a block
LAYOUTS = "layouts"  # the key in `runs.statistics`
_COLUMNS = ["crawl_run", "host", "reason", "confidence", "text_length", "container"]
_READ_AS_PAGES = frozenset((str(Reason.NO_ARTICLE), *map(str, PageType)))


class HostLayout(TypedDict):
    """What a run measured of a host: pages that were read, articles, their medians, and the element that holds most of them."""

    pages: int
    articles: int
    confidence: float
    characters: float
    block: float  # characters in a block
    container: str | None
    in_container: float  # share of the articles


class LayoutChange(TypedDict):
    """A host with another layout, and the signs of it in words."""

    host: str
    pages: int
    signs: list[str]


class Layouts(TypedDict):
    """The measures of each host in the runs of a crawl, the newest first, and the hosts whose newest measures break with the others."""

    hosts: dict[str, list[HostLayout]]
    changed: list[LayoutChange]


@dataclass(slots=True)
class _Pages:
    """The pages of a host in a run."""

    pages: int = 0
    confidence: array[float] = field(default_factory=lambda: array("f"))
    characters: array[float] = field(default_factory=lambda: array("f"))
    blocks: array[float] = field(default_factory=lambda: array("f"))
    containers: Counter[str | None] = field(default_factory=Counter)

    def layout(self) -> HostLayout:
        """Their measures."""
        articles = len(self.confidence)
        ((container, count),) = self.containers.most_common(1) or [(None, 0)]
        return {
            "pages": self.pages,
            "articles": articles,
            "confidence": round(median(self.confidence), 3) if articles else 0.0,
            "characters": round(median(self.characters)) if articles else 0,
            "block": round(median(self.blocks), 1) if articles else 0.0,
            "container": container,
            "in_container": round(count / articles, 3) if articles else 0.0,
        }


PagesByHost = dict[str, _Pages]


def add_pages(rows: pa.Table, found: dict[str, PagesByHost]) -> None:
    """Add a run's cleaned rows to the pages by crawl run."""
    columns = [*rows.select(_COLUMNS).to_pydict().values(), pc.list_value_length(rows["blocks"]).to_pylist()]
    for crawl_run, host, reason, confidence, characters, container, blocks in zip(*columns, strict=True):
        if not blocks and reason not in _READ_AS_PAGES:
            continue
        pages = found.setdefault(crawl_run, {}).setdefault(host, _Pages())
        pages.pages += 1
        if blocks:
            pages.confidence.append(confidence)
            pages.characters.append(characters)
            pages.blocks.append(characters / blocks)
            pages.containers[container] += 1


def compare_layouts(run: ProcessRun, found: Mapping[str, PagesByHost], lake: Lake) -> dict[str, Layouts]:
    """The layouts of the hosts in each crawl run of a process run, compared with those of the crawl's runs before. Changes are logged.

    A run that replaces rows has none, because its pages were measured before.
    """
    measured = {
        crawl_run: {host: pages.layout() for host, pages in found.get(crawl_run, {}).items() if pages.pages >= MIN_PAGES}
        for crawl_run in run.crawl_runs
    }
    if run.replacement is not None or not any(measured.values()):
        return {}
    past = _latest(run, lake)
    layouts: dict[str, Layouts] = {}
    for crawl_run, hosts in measured.items():
        changed = [change for host in sorted(hosts) if (change := change_of(host, hosts[host], past.get(host, ())))]
        for change in changed:
            LOG.warning("%s: layout changed: %s", crawl_run, change_sentence(change))
        past = _with_newest(hosts, past)
        layouts[crawl_run] = {"hosts": past, "changed": changed}
    return layouts


def change_of(host: str, now: HostLayout, past: Sequence[HostLayout]) -> LayoutChange | None:
    """The break of a host with its past; None if there is none, or not enough past."""
    signs = list(_signs(now, past))
    return {"host": host, "pages": now["pages"], "signs": signs} if signs else None


def change_sentence(change: LayoutChange) -> str:
    """What is different on a host, for people."""
    pages = plural(change["pages"], "page")
    return f"{change['host']} ({pages}): {'; '.join(change['signs'])}. `crawlhouse check` shows how its pages are read."


def _signs(now: HostLayout, past: Sequence[HostLayout]) -> Iterator[str]:
    before = [one for one in past if one["articles"]]
    if len(before) >= MIN_RUNS:
        lowest = min(one["articles"] / one["pages"] for one in before)
        if now["articles"] < LOST_SHARE * lowest * now["pages"]:
            yield f"{now['articles']} of {now['pages']} pages have an article, before at least {lowest:.0%}"
    if not now["articles"]:
        return
    used = {one["container"] for one in before if one["in_container"] >= SAME_CONTAINER}
    if len(used) == 1 and all(one["in_container"] >= SAME_CONTAINER for one in before) and now["in_container"] >= SAME_CONTAINER:
        (container,) = used
        if container is not None and now["container"] is not None and container != now["container"]:
            yield f"the articles are in {now['container']}, before in {container}"
    if len(before) >= MIN_RUNS:
        yield from _other_numbers(now, before)


def _other_numbers(now: HostLayout, before: Sequence[HostLayout]) -> Iterator[str]:
    sure = min(one["confidence"] for one in before)
    if now["confidence"] < sure - LESS_CONFIDENCE:
        yield f"the median confidence is {now['confidence']:.2f}, before at least {sure:.2f}"
    for name, key, factor in (("characters in an article", "characters", LONGER), ("characters in a block", "block", OTHER_BLOCKS)):
        value, values = float(now[key]), [float(one[key]) for one in before]  # type: ignore[literal-required]  # both keys are numbers
        if value > factor * max(values):
            yield f"{name}: {value:,.0f}, before at most {max(values):,.0f}"
        elif value < min(values) / factor:
            yield f"{name}: {value:,.0f}, before at least {min(values):,.0f}"


def _latest(run: ProcessRun, lake: Lake) -> dict[str, list[HostLayout]]:
    """The measures of the crawl's hosts as its latest published run has them."""
    from pyiceberg.expressions import EqualTo  # slow to import, and the report of a run needs none of it

    latest, newest = None, -1
    of_crawl = EqualTo("crawl", run.crawl.name)  # type: ignore[call-arg]  # its signature is not typed
    for batch in lake.scan("runs", ["sequence", "statistics"], of_crawl):
        for sequence, statistics in zip(*batch.to_pydict().values(), strict=True):
            if sequence > newest and statistics and f'"{LAYOUTS}"' in statistics:
                latest, newest = statistics, sequence
    return dict(json.loads(latest)[LAYOUTS]["hosts"]) if latest else {}


def _with_newest(now: Mapping[str, HostLayout], past: Mapping[str, list[HostLayout]]) -> dict[str, list[HostLayout]]:
    """The measures with those of a further run, the newest first; of hosts that it has not visited they stay."""
    hosts = {host: [*([now[host]] if host in now else []), *past.get(host, ())][:MAX_RUNS] for host in {**now, **past}}
    kept = sorted(hosts, key=lambda host: (-hosts[host][0]["pages"], host))[:MAX_HOSTS]
    return {host: hosts[host] for host in sorted(kept)}
