"""Checks a dataset's definition before a run, for mistakes that reading its file cannot find, such as an invalid selector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from processing.datasets.functions import load_function
from processing.datasets.rows import reading_of
from processing.datasets.values import MisfitError, convert
from schemas.datasets.dataset import Dataset
from schemas.datasets.dataset_file import line_of
from schemas.datasets.expectation_check import expectation_mistakes
from schemas.errors import ConfigError, CrawlhouseError

Location = tuple[str | int, ...]


def definition_mistakes(dataset: Dataset, folders: Sequence[str] = ()) -> Iterator[tuple[Location, str]]:
    """The mistakes in a definition: the keys that lead to the place in the YAML, and what is wrong there.

    Selectors, defaults that are none of their type, functions that are not there, and expectations of columns that they cannot judge;
    `folders` are where the user's modules are.
    """
    if dataset.source is not None:
        from processing.datasets.selectors import selector_mistakes  # slow to import, and most crawls have articles alone

        yield from ((("source", *place), problem) for place, problem in selector_mistakes(dataset.source))
    for name, field in dataset.fields.items():
        try:
            convert(field.default, field.field_type, reading_of(dataset, name))
        except MisfitError as error:
            yield ("fields", name, "default"), str(error)
    yield from _function_mistakes(dataset, folders)
    yield from expectation_mistakes(dataset, dataset.expectations, dataset.drift)


def check_definition(dataset: Dataset, path: Path | None, folders: Sequence[str] = ()) -> None:
    """Raises ConfigError for all that cannot work, with the lines in the dataset's file; `path` is None for a ready-made definition."""
    source = str(path) if path is not None else f"the ready-made dataset {dataset.name!r}"
    problems = [
        ((line_of(path, *location) if path is not None else None) or 1, f"{'.'.join(map(str, location))}: {problem}")
        for location, problem in definition_mistakes(dataset, folders)
    ]
    if problems:
        raise ConfigError("\n".join(f"{source}: line {line}: {problem}" for line, problem in sorted(problems)))


def _function_mistakes(dataset: Dataset, folders: Sequence[str]) -> Iterator[tuple[Location, str]]:
    named: list[tuple[Location, str]] = [(("steps", place, "step"), step.step) for place, step in enumerate(dataset.steps)]
    if dataset.source is not None and dataset.source.function is not None:
        named.append((("source", "function"), dataset.source.function))
    for location, function in named:
        try:
            load_function(function, folders)
        except CrawlhouseError as error:
            yield location, str(error)
