"""The pages of datasets: how many rows came with each run, how full their columns are, the newest rows, and the versions of one."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crawlhouse.pages.lake import LakeReader, read_lake
from crawlhouse.pages.plots import Series, series
from crawlhouse.pages.site import Site, render
from crawlhouse.rows import Row
from schemas.config.settings import Settings
from schemas.errors import NotFoundError, StorageError
from schemas.keys import report_key
from storage.objects.open import open_store

SHOWN_RUNS, SHOWN_ROWS, SHOWN_REPORTS, SHOWN_VERSIONS = 30, 25, 12, 20
BUILT_IN = ("captures", "quarantine", "sightings", "runs")
ARTICLE_COLUMNS = ("title", "authors", "published_at", "language", "description", "section", "lead_image", "canonical_url")
ARTICLE_SHOWN = ("title", "authors", "published_at", "language", "text_length", "confidence")
LENGTH = "text_length"
PROVENANCE = frozenset(
    [
        "crawl",
        "crawl_run",
        "process_run",
        "code_version",
        "ingested_at",
        "sequence",
        "warc_filename",
        "warc_record_offset",
        "warc_record_length",
        "content_digest",
        "host",
        "url",
        "fetched_at",
        "row_id",
        "version",
        "first_seen",
        "position",
        "minhash",
        "blocks",
        "chunks",
    ]
)
MOST_COLUMNS = 12  # whose null shares are drawn
VOLUME = f"""
SELECT crawl_run, process_run, planned_at, one.made, one.published, one.unchanged, one.quarantined
FROM (SELECT crawl_run, process_run, planned_at, sequence, unnest(datasets) AS one FROM runs)
WHERE one.dataset = $1 ORDER BY planned_at DESC, sequence DESC, crawl_run DESC LIMIT {SHOWN_RUNS}
"""  # noqa: S608 a number


@dataclass(frozen=True, slots=True)
class Judged:
    """An expectation over the last process runs, the newest first: True, False, or None where it was not judged."""

    name: str
    severity: str
    results: tuple[bool | None, ...]


def render_datasets(settings: Settings, site: Site) -> str:
    """The page of all datasets as HTML."""
    with read_lake(settings) as lake:
        names = [name for name in lake.tables() if not name.endswith("_latest") and name not in BUILT_IN and not name.startswith("_")]
        rows = [{"name": name, **_size(lake, name)} for name in names]
        problem = lake.problem
    return render("datasets.html", site, title="Datasets", place="datasets", rows=rows, problem=problem)


def render_dataset(settings: Settings, site: Site, name: str) -> str:
    """The page of one dataset as HTML. Raises NotFoundError."""
    with read_lake(settings) as lake:
        _check(lake, name)
        volume = lake.rows(VOLUME, name)[::-1]
        columns = [str(row["column_name"]) for row in lake.rows(f'DESCRIBE "{name}"')]
        newest = lake.rows(f'SELECT * FROM "{name}" ORDER BY fetched_at DESC LIMIT {SHOWN_ROWS}')  # noqa: S608 a checked name
        shares = _shares(lake, name, columns, [row["crawl_run"] for row in volume])
        languages = lake.rows(_LANGUAGES) if name == "articles" else []
        size = _size(lake, name)
        problem = lake.problem
    usual = ARTICLE_SHOWN if name == "articles" else [column for column in columns if column not in PROVENANCE]
    shown = [column for column in usual if column in columns][:6]
    return render(
        "dataset.html",
        site,
        title=name,
        place="datasets",
        name=name,
        size=size,
        volume=volume[::-1],
        lines=_volume_lines(volume),
        shares=shares,
        languages=languages,
        newest=newest,
        shown=shown,
        key="article_id" if name == "articles" else "row_id",
        judged=_judged(settings, name, [row["process_run"] for row in volume[::-1]]),
        problem=problem,
    )


def render_versions(settings: Settings, site: Site, name: str, row_id: str) -> str:
    """The versions of one row with what changed from each to the next. Raises NotFoundError."""
    key = "article_id" if name == "articles" else "row_id"
    with read_lake(settings) as lake:
        _check(lake, name)
        query = f'SELECT * FROM "{name}" WHERE {key} = $1 ORDER BY version DESC LIMIT {SHOWN_VERSIONS}'  # noqa: S608 a checked name
        rows = lake.rows(query, row_id)
    if not rows:
        raise NotFoundError(f"The table {name} has no row {row_id!r}.")
    changes = [(row, changes_of(before, row)) for row, before in zip(rows, [*rows[1:], None], strict=True)]
    return render("versions.html", site, title=f"{name}: {row_id}", place="datasets", name=name, row_id=row_id, changes=changes)


def changes_of(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """The columns that differ, each as parts that were removed (`del`), added (`ins`) or stayed (``). All columns of a first version."""
    names = [
        name for name in after if name not in PROVENANCE and name not in {"text_digest", "text_length", "word_count", "memory_version"}
    ]
    if before is None:
        return [(name, [("ins", _text(after[name]))]) for name in names if after[name] is not None and name not in {"text", "markdown"}]
    return [(name, difference(_text(before[name]), _text(after[name]))) for name in names if before.get(name) != after[name]]


def difference(before: str, after: str) -> list[tuple[str, str]]:
    """The words of two texts as parts that were removed, added or stayed; of what stayed in a long text only its ends are kept."""
    old, new = before.split(" "), after.split(" ")
    parts: list[tuple[str, str]] = []
    for kind, left, right, start, end in difflib.SequenceMatcher(None, old, new, autojunk=len(old) > 2000).get_opcodes():
        if kind == "equal":
            words = new[start:end]
            parts.append(("", " ".join(words if len(words) <= 30 else [*words[:12], "…", *words[-12:]])))
            continue
        if right > left:
            parts.append(("del", " ".join(old[left:right])))
        if end > start:
            parts.append(("ins", " ".join(new[start:end])))
    return parts


_LANGUAGES = (
    "SELECT coalesce(language, 'unknown') AS language, count(*) AS count FROM articles_latest GROUP BY ALL ORDER BY count DESC LIMIT 12"
)


def _check(lake: LakeReader, name: str) -> None:
    tables = lake.tables()
    if name not in tables or name in BUILT_IN or name.endswith("_latest"):
        raise NotFoundError(lake.problem or f"There is no dataset {name!r}.")


def _size(lake: LakeReader, name: str) -> Row:
    found = lake.rows(f'SELECT count(*) AS count, count(DISTINCT host) AS hosts, max(fetched_at) AS newest FROM "{name}"')  # noqa: S608 ours
    return found[0] if found else {"count": 0, "hosts": 0, "newest": None}


def _shares(lake: LakeReader, name: str, columns: Sequence[str], runs: Sequence[str]) -> list[Series]:
    """The share of rows without a value, in percent, and the mean length of texts, over the last runs."""
    wanted = ARTICLE_COLUMNS if name == "articles" else tuple(column for column in columns if column not in PROVENANCE)
    chosen = [column for column in wanted if column in columns][:MOST_COLUMNS]
    length = ', avg(text_length) AS "text_length", avg(confidence) AS "confidence"' if name == "articles" else ""
    measures = ", ".join(f'100.0 * avg(("{column}" IS NULL)::INT) AS "{column}"' for column in chosen)
    if not chosen or not runs:
        return []
    query = (
        f'SELECT crawl_run, min(fetched_at) AS at, {measures}{length} FROM "{name}" WHERE list_contains($1, crawl_run) GROUP BY crawl_run'  # noqa: S608
    )
    rows = sorted(lake.rows(query, list(runs)), key=lambda row: row["at"])
    found = [series(f"{column} missing, in percent", [(row["crawl_run"], row[column]) for row in rows]) for column in chosen]
    if length:
        found += [series("mean length, in characters", [(row["crawl_run"], row[LENGTH]) for row in rows])]
        found += [series("mean confidence", [(row["crawl_run"], row["confidence"]) for row in rows])]
    return [one for one in found if one is not None]


def _volume_lines(volume: Sequence[Row]) -> list[Series]:
    found = [
        series(f"rows {name}", [(row["crawl_run"], float(row[name] or 0)) for row in volume])
        for name in ("made", "published", "unchanged", "quarantined")
    ]
    return [one for one in found if one is not None]


def _judged(settings: Settings, name: str, process_runs: Sequence[str]) -> list[Judged]:
    """What the gate said of the dataset in its last process runs, from their reports."""
    store = open_store(settings)
    reports: list[dict[str, tuple[bool, str]]] = []
    for process_run in list(dict.fromkeys(process_runs))[:SHOWN_REPORTS]:
        key = report_key(process_run, "expectations.json")
        try:
            results = json.loads(store.get_bytes(key))["results"] if store.info(key) is not None else []
        except StorageError:
            results = []
        reports.append(
            {
                f"{', '.join(one.get('columns') or ())} {one['type'].removeprefix('expect_').replace('_', ' ')}": (
                    bool(one["success"]),
                    one.get("severity", "critical"),
                )
                for one in results
                if one.get("dataset", "articles") == name
            }
        )
    names = list(dict.fromkeys(key for report in reports for key in report))
    return [
        Judged(
            key,
            next(report[key][1] for report in reports if key in report),
            tuple(report[key][0] if key in report else None for report in reports),
        )
        for key in names
    ]


def _text(value: Any) -> str:  # Any: a value of a row
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
