"""Prints what each dataset would get from the pages of a check."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from crawlhouse.output.console import results, say, show, table
from crawlhouse.output.row_formats import cell_text, format_value
from crawlhouse.reports.checked_datasets import CheckedDataset
from schemas.numbers import plural
from schemas.yaml_files.dataset_names import NO_DATASET

SHOWN_ROWS = 10  # of a dataset, and of its rows for quarantine: they fit on a screen together
SHOWN_FIELDS = 6  # columns that can be read side by side
SHOWN_ERRORS = 5


def show_dataset(checked: CheckedDataset) -> None:
    """Print the rows of a dataset, those that would go to quarantine, and what a check cannot judge."""
    if checked.dataset.name == NO_DATASET:
        _show_quarantined("Items that no dataset takes", checked)
        return
    name = checked.dataset.name
    if checked.rows:
        _show_rows(checked)
    elif not checked.made and not checked.errors:
        say(f"{name}: no rows on these pages.{_hint(checked)}")
    if checked.repeated:
        show(f"{name}: equal to one of these: {plural(checked.repeated, 'row')}")
    if checked.quarantined:
        _show_quarantined(name, checked)
    _show_errors(checked)
    for sentence in checked.broken:
        show(f"{name}: a run would hold back these rows: {sentence}")
    if checked.whole_run:
        show(f"{name}: only a whole run can be judged by {', '.join(checked.whole_run)}")


def rows_text(rows: Counter[str], quarantined: Counter[str]) -> str:
    """How many rows a page gives, in words: `2 rows of products, 1 for quarantine`."""
    names = sorted({*rows, *quarantined})
    return ", ".join(_of_dataset(name, rows[name], quarantined[name]) for name in names)


def _of_dataset(name: str, count: int, quarantined: int) -> str:
    of = "of no dataset" if name == NO_DATASET else f"of {name}"
    rows = plural(count or quarantined, "row")
    if not quarantined:
        return f"{rows} {of}"
    return f"{rows} {of}, {quarantined:,} for quarantine" if count else f"{rows} {of} for quarantine"


def _show_rows(checked: CheckedDataset) -> None:
    filled = _filled_fields(checked)
    fields = filled[:SHOWN_FIELDS]
    cut = [f"the first {SHOWN_ROWS}"] if len(checked.rows) > SHOWN_ROWS else []
    cut += [f"without {plural(len(filled) - len(fields), 'further field')}"] if len(filled) > len(fields) else []
    shown = f" ({', '.join(cut)})" if cut else ""
    rows = ([format_value(row[name]) for name in fields] for row in checked.rows[:SHOWN_ROWS])
    _show_titled(f"{checked.dataset.name}: {plural(len(checked.rows), 'row')} to publish{shown}", fields, rows)
    empty = [name for name in checked.dataset.fields if name not in filled]
    if empty:
        show(f"{checked.dataset.name}: without a value in every row: {', '.join(empty)}")


def _filled_fields(checked: CheckedDataset) -> list[str]:
    """The fields that have a value in some row, those of the key first."""
    names = [name for name in checked.dataset.fields if any(row[name] is not None for row in checked.rows)]
    return sorted(names, key=lambda name: name not in checked.dataset.key)


def _show_titled(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table with a title that may be wider than the table."""
    results().print(f"\n{title}", style="bold")
    show(table("", columns, rows))


def _show_quarantined(title: str, checked: CheckedDataset) -> None:
    cut = f" (the first {SHOWN_ROWS})" if len(checked.quarantined) > SHOWN_ROWS else ""
    rows = [(one.rule, cell_text(one.detail), cell_text(_filled(one.row_json)), one.url) for one in checked.quarantined[:SHOWN_ROWS]]
    _show_titled(f"{title}: {plural(len(checked.quarantined), 'row')} for quarantine{cut}", ("rule", "why", "row", "URL"), rows)


def _filled(row_json: str) -> str:
    """A row as JSON without the fields that have no value: of a ready-made dataset most pages fill a few only."""
    try:
        row = json.loads(row_json)
    except ValueError:
        return row_json
    return json.dumps({name: value for name, value in row.items() if value is not None}, ensure_ascii=False)


def _show_errors(checked: CheckedDataset) -> None:
    if checked.errors:
        rows = [(cell_text(error), url) for url, error in list(checked.errors.items())[:SHOWN_ERRORS]]
        _show_titled(f"{checked.dataset.name}: could not be read on {plural(len(checked.errors), 'page')}", ("why", "URL"), rows)


def _hint(checked: CheckedDataset) -> str:
    source, match = checked.dataset.source, checked.dataset.match
    if source is None:
        return ""
    if checked.matched_pages:
        return f" {_selector_hint(checked)}"
    if match:
        return f" Rows are read from pages whose URL has {_or(match)}."
    if source.items is not None:
        return " The spider yielded no item of its class." if source.items is not True else " The spider yielded no item."
    return " Give a seed that leads to some, or --pages N to see more."


def _selector_hint(checked: CheckedDataset) -> str:
    """Which selectors found nothing on the pages that are read for the dataset."""
    source = checked.dataset.source
    assert source is not None
    pages = f"on the {plural(checked.matched_pages, 'page')} read for it"
    if source.each is not None and not checked.matches["each"]:
        return f"'each' ({source.each.text()}) finds nothing {pages}."
    found = {name: selector.text() for name, selector in (source.selectors or {}).items() if not checked.matches[name]}
    names = ", ".join(f"{name} ({text})" for name, text in found.items())
    return f"These selectors find nothing {pages}: {names}." if found else f"What the selectors find has no text {pages}."


def _or(patterns: Iterable[str]) -> str:
    return " or ".join(patterns)
