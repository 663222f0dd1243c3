"""Prints what would change if rows were made again: numbers, fields, and examples side by side."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from crawlhouse.output.console import counts_table, show, table, write_line
from crawlhouse.output.row_formats import json_value
from processing.reprocess.comparison import Comparison, Example
from schemas.numbers import plural
from schemas.printable import printable_json

SHOWN_CHARACTERS = 300  # of a value, in an example
SHOWN_FIELDS = 8  # of a row that is added or lost
CONTEXT_CHARACTERS = 60  # before the first difference of two long texts
SHOWN_SENTENCES = 20


def show_comparison(compared: Comparison) -> None:
    """Print a comparison for people."""
    rows = [
        (name, *(f"{number:,}" for number in (one.before, one.after, one.added, one.lost, one.changed)))
        for name, one in sorted(compared.datasets.items())
    ]
    columns = ("dataset", "rows before", "rows after", "added", "lost", "changed")
    show(table(f"{plural(compared.records, 'record', 'is', 'are')} processed again", columns, rows, numbers=columns[1:]))
    for name, changes in sorted(compared.datasets.items()):
        if changes.fields:
            show(counts_table(f"Changed rows of {name}, by field", dict(changes.fields.most_common())))
    outcomes = sorted({*compared.outcomes_before, *compared.outcomes_after})
    moved = [(name, compared.outcomes_before[name], compared.outcomes_after[name]) for name in outcomes]
    if any(before != after for _, before, after in moved):
        lines = [(name, f"{before:,}", f"{after:,}") for name, before, after in moved]
        show(table("Outcomes of records", ("outcome", "before", "after"), lines, numbers=("before", "after")))
    for example in compared.examples:
        _show_example(example)
    _show_expectations(compared)


def comparison_json(compared: Comparison) -> dict[str, Any]:  # Any: JSON
    """A comparison as JSON values."""
    values: dict[str, Any] = json_value(asdict(compared))
    return values


def _show_example(example: Example) -> None:
    what = "changed" if example.before is not None and example.after is not None else "lost" if example.after is None else "added"
    before, after = example.before or {}, example.after or {}
    names = list(dict.fromkeys([*before, *after]))
    rows = []
    for name in names if what == "changed" else names[:SHOWN_FIELDS]:
        old, new = _texts(before.get(name), after.get(name))
        rows.append((name, old if name in before else "", new if name in after else ""))
    write_line(f"{example.dataset}, {what}: {example.url}")
    show(table("", ("field", "before", "after"), rows))


def _texts(before: object, after: object) -> tuple[str, str]:
    """Two values as texts; of long ones the part around their first difference."""
    old, new = _text(before), _text(after)
    first = next((place for place, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), min(len(old), len(new)))
    start = max(0, first - CONTEXT_CHARACTERS) if max(len(old), len(new)) > SHOWN_CHARACTERS else 0
    return _cut(old, start), _cut(new, start)


def _text(value: object) -> str:
    if value is None:
        return "–"
    plain = json_value(value)
    return plain if isinstance(plain, str) else printable_json(plain)


def _cut(text: str, start: int) -> str:
    shown = text[start : start + SHOWN_CHARACTERS]
    return f"{'… ' if start else ''}{shown}{' …' if start + SHOWN_CHARACTERS < len(text) else ''}"


def _show_expectations(compared: Comparison) -> None:
    held, failed = (list(dict.fromkeys(some)) for some in (compared.held, compared.failed))  # several portions may say the same
    for sentence in held[:SHOWN_SENTENCES]:
        show(f"Would be held back: {sentence}")
    for sentence in failed[:SHOWN_SENTENCES]:
        show(f"Expectation not met: {sentence}")
    hidden = max(len(held), len(failed)) - SHOWN_SENTENCES
    if hidden > 0:
        show(f"… and {hidden:,} more")
    if not held and not failed:
        show(f"{plural(compared.expectations, 'expectation')}, all met.")
