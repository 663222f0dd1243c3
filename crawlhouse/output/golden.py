"""Prints how the golden pages of a crawl differ from what is expected."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from crawlhouse.output.console import say, show, table
from processing.extract.checks.golden_pages import Difference, all_differences, read_golden
from schemas.config.crawl import Crawl
from schemas.config.golden_page import golden_folder
from schemas.errors import ConfigError
from schemas.numbers import plural


def check_golden(crawl: Crawl, crawls: Path) -> None:
    """Read the golden pages next to a crawl's file with its rules. Raises ConfigError if one is not as expected."""
    folder = golden_folder(crawls, crawl.name)
    pages = read_golden(folder)
    differing = {page.name: differences for page, differences in all_differences(pages, crawl) if differences}
    if differing:
        _show_differences(crawl.name, differing)
        raise ConfigError(
            f"{len(differing)} of {len(pages)} golden pages in {folder} are not read as expected: {', '.join(differing)}. "
            f"Correct articles.rules in {crawls / crawl.name}.yaml, or the page and its expected.json if the site has changed."
        )
    if pages:
        say(f"{crawl.name}: {plural(len(pages), 'golden page', 'is', 'are')} read as expected.")


def _show_differences(crawl: str, differing: dict[str, list[Difference]]) -> None:
    rows = [(page, one.field, _cell(one.expected), _cell(one.found)) for page, differences in differing.items() for one in differences]
    show(table(f"Golden pages of {crawl}", ("page", "field", "expected", "found"), rows))


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return "\n".join(": ".join(one) if isinstance(one, tuple) else str(one) for one in value) or "-"
    return "-" if value is None else str(value)
