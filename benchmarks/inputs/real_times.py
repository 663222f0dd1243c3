"""Sites that publish at real times, for the freshness benchmark: the dates with a time of day that real pages of a host carry.

The pages are those of the extraction benchmark, and lie outside the project. A page names itself and some of the stories around it, so a
host's dates are a sample of its stories, the more of them the newer. Sources and edits are made up, as in `benchmarks.inputs.news_sites`.
"""

from __future__ import annotations

import json
import random
import re
import zipfile
from collections import defaultdict
from datetime import datetime
from itertools import count
from pathlib import Path

from benchmarks.inputs.news_sites import DAYS, Site, site_of

SETS = ("publishers", "wcxb_dev", "mixed", "aeb", "fundeval")
MOMENT = re.compile(rb"20[12]\d-[01]\d-[0-3]\dT[0-2]\d:[0-5]\d(?::[0-5]\d)?(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")
MIN_STORIES = 10
HOURS = DAYS * 24.0


def real_sites(folder: Path, seed: int) -> list[Site]:
    """The sites of all hosts with enough dates, their sources drawn from a seed; none if the folder is absent."""
    chance, habits, keys = random.Random(f"real {seed}"), random.Random(f"real manners {seed}"), count()
    months = [_busiest_month(moments) for _, moments in sorted(_moments(folder).items())]
    chosen = [month for month in months if len(month) >= MIN_STORIES]
    return [site_of(chance, habits, number, month, keys) for number, month in enumerate(chosen)]


def _moments(folder: Path) -> dict[str, set[float]]:
    """Hours since the epoch by host."""
    moments: dict[str, set[float]] = defaultdict(set)
    for name in SETS:
        if not (folder / f"{name}.zip").exists():
            continue
        with zipfile.ZipFile(folder / f"{name}.zip") as pages, (folder / f"{name}.jsonl").open(encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                moments[row["host"]] |= {hours for text in MOMENT.findall(pages.read(row["member"])) if (hours := _hours(text.decode()))}
    return moments


def _hours(text: str) -> float | None:
    try:
        return datetime.fromisoformat(text).timestamp() / 3600
    except ValueError:
        return None


def _busiest_month(moments: set[float]) -> list[float]:
    """The month with most stories, from its first midnight, in hours."""
    ordered = sorted(moments)
    start = max(ordered, key=lambda first: sum(first <= time < first + HOURS for time in ordered), default=0.0)
    midnight = start // 24 * 24
    return [time - midnight for time in ordered if midnight <= time < midnight + HOURS]
