"""How every page is rendered: templates, formats of numbers and times, and where links lead."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from crawlhouse.monitor.past import duration
from schemas.numbers import plural
from schemas.printable import printable

UNITS = ("B", "kB", "MB", "GB", "TB")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; "
        "frame-ancestors 'self'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
STATIC = {"pages.css": "text/css", "pages.js": "text/javascript"}
REFRESH_SECONDS = 10  # chosen: a run changes slowly, and a page is read in a moment


@dataclass(frozen=True, slots=True)
class Site:
    """Where links lead: `pages` is the path of our pages, `airflow` that of Airflow's, both without a slash at the end.

    `is_file`: the page stands alone, so it has no links to either.
    """

    pages: str = "/crawlhouse"
    airflow: str = ""
    is_file: bool = False

    def link(self, *path: str, **query: object) -> str:
        """The link to one of our pages."""
        parameters = {name: str(value) for name, value in query.items() if value not in (None, "")}
        return "/".join([self.pages, *(quote(part, safe="") for part in path)]) + (f"?{urlencode(parameters)}" if parameters else "")

    def dag(self, dag_id: str, run_id: str | None = None) -> str:
        """The link to a DAG in Airflow, or to one of its runs."""
        path = f"{self.airflow}/dags/{quote(dag_id, safe='')}"
        return path if run_id is None else f"{path}/runs/{quote(run_id, safe='')}"

    def task(self, task: FailedTask) -> str:
        """The link to a task of a DAG run in Airflow, with its log."""
        path = f"{self.dag(task.dag_id, task.run_id)}/tasks/{quote(task.task_id, safe='')}"
        return path if task.map_index < 0 else f"{path}/mapped/{task.map_index}"


@dataclass(frozen=True, slots=True)
class FailedTask:
    """A task of a DAG run that failed for good. `map_index` is -1 for one that is not mapped."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1


def render(template: str, site: Site, **values: object) -> str:
    """A page as HTML."""
    return environment().get_template(template).render(site=site, now=datetime.now(UTC), asset=asset, **values)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The templates, with our filters."""
    made = Environment(
        loader=PackageLoader("crawlhouse.pages"), autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined
    )
    made.filters |= {
        "n": _number,
        "plural": plural,
        "bytes": _bytes,
        "time": _time,
        "ago": _ago,
        "span": duration,
        "words": _words,
        "safe_text": printable,
        "short": _short,
        "value": _value,
    }
    return made


@lru_cache(maxsize=8)
def asset(name: str) -> str:
    """The text of a static file."""
    return files("crawlhouse.pages").joinpath("static", name).read_text(encoding="utf-8")


def _number(count: float | None) -> str:
    return "–" if count is None else f"{count:,}" if isinstance(count, int) else f"{count:,.1f}"


def _bytes(count: float) -> str:
    unit = 0
    while count >= 1000 and unit < len(UNITS) - 1:
        count, unit = count / 1000, unit + 1
    return f"{count:.0f} {UNITS[unit]}" if unit == 0 or count >= 100 else f"{count:.1f} {UNITS[unit]}"


def _time(at: datetime | None) -> str:
    return "–" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def _ago(at: datetime | None) -> str:
    if at is None:
        return "never"
    seconds = (datetime.now(UTC) - at).total_seconds()
    return f"{_rough(seconds)} ago" if seconds >= 0 else f"in {_rough(-seconds)}"


def _rough(seconds: float) -> str:
    """A time span as people say it: minutes within an hour, hours within two days."""
    if seconds < 60:
        return "less than 1 min"
    size, unit = (60, "min") if seconds < 3600 else (3600, "h") if seconds < 2 * 86_400 else (86_400, "d")
    return f"{seconds / size:.0f} {unit}"


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _value(value: Any) -> str:  # Any: a value of a row
    """A value as a line for people."""
    if value is None:
        return "–"
    if isinstance(value, list):
        return printable(", ".join(map(str, value)))
    return _time(value) if isinstance(value, datetime) else printable(f"{value:.4g}" if isinstance(value, float) else str(value))


def _words(name: str) -> str:
    return str(name).replace("_", " ")
