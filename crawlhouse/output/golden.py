"""The golden pages of a crawl in `crawlhouse check`: each field that differs, and an error if one does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from crawlhouse.output.console import say, show
from schemas.errors import ConfigError

if TYPE_CHECKING:
    from processing.extract.golden_pages import Difference
    from schemas.config.crawl import Crawl


def check_golden(crawl: Crawl, crawls: Path) -> None:
    """Read the golden pages that stand beside a crawl's file with its rules. Raises ConfigError where one is not as expected."""
    from processing.extract.golden_pages import all_differences, read_golden
    from schemas.config.golden_page import golden_folder

    folder = golden_folder(crawls, crawl.name)
    pages = read_golden(folder)
    differing = {page.name: found for page, found in all_differences(pages, crawl) if found}
    if differing:
        _show_differences(crawl.name, differing)
        raise ConfigError(
            f"{len(differing)} of {len(pages)} golden pages in {folder} are not read as expected: {', '.join(differing)}. "
            f"Correct articles.rules in {crawls / crawl.name}.yaml, or the page and its expected.json where the site has changed."
        )
    if pages:
        say(f"{crawl.name}: {len(pages)} golden page{'s are' if len(pages) > 1 else ' is'} read as expected.")


def _show_differences(crawl: str, differing: dict[str, list[Difference]]) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=f"Golden pages of {crawl}", title_justify="left")
    for name in ("page", "field", "expected", "found"):
        table.add_column(name, overflow="fold")
    for page, found in differing.items():
        for one in found:
            table.add_row(page, one.field, _cell(one.expected), _cell(one.found))
    show(table)


def _cell(value: object) -> str:
    from datetime import datetime

    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return "\n".join(": ".join(one) if isinstance(one, tuple) else str(one) for one in value) or "-"
    return "-" if value is None else str(value)
