"""The definitions of a crawl's datasets: found by name, checked, and with the fields that the classes of its spider's items have."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from processing.datasets.definition_check import check_definition
from processing.datasets.functions import code_digests
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import line_of
from schemas.config.settings import Settings
from schemas.datasets.dataset import Dataset, Mistake
from schemas.datasets.dataset_file import find_dataset, find_definition_file
from schemas.datasets.dataset_file import line_of as dataset_line
from schemas.datasets.expectation_check import crawl_mistakes
from schemas.datasets.field_types import parse_type
from schemas.errors import ConfigError, NotFoundError
from schemas.items import ItemFieldType, ItemType

ARTICLES = "articles"
DECIMAL = "decimal(38,9)"  # of a class, which says nothing of digits: enough for prices and weights alike
WRITTEN = {"time": "string", "decimal": DECIMAL}  # how a dataset writes a type of items, where it has another name for it


def crawl_datasets(crawl: Crawl, settings: Settings, tables: Collection[str] = ()) -> tuple[Dataset, ...]:
    """The definitions that a crawl names, checked, in its order. `tables` are the names of the lake's tables, for messages.

    Raises ConfigError for a name without a definition, which says the file to write, and for all that cannot work in a definition, or in
    what the crawl expects of the rows.
    """
    datasets = tuple(_checked(name, crawl, settings, tables) for name in crawl.datasets)
    _check_expectations(crawl, datasets, settings.crawls / f"{crawl.name}.yaml")
    return datasets


def _check_expectations(crawl: Crawl, datasets: Iterable[Dataset], path: Path) -> None:
    by_name = {dataset.name: dataset for dataset in datasets}
    problems = [
        f"{path}: line {line_of(path, *location) or 1}: {'.'.join(map(str, location))}: {problem}"
        for location, problem in crawl_mistakes(by_name, crawl.expectations, crawl.drift)
    ]
    if problems:
        raise ConfigError("\n".join(problems))


def with_item_fields(
    dataset: Dataset,
    types: Iterable[ItemType],
    earlier: Mapping[str, str],
    settings: Settings,
    has_items: Callable[[Dataset], bool] = lambda _: False,
) -> Dataset | None:
    """The definition with the fields of the classes of its items; None where these are not known yet, and it has no items.

    `earlier` are the fields, with their types, that the dataset has had: a run without items of a class does not lose them. `has_items`
    says whether there are items for the dataset; it is asked only if some of its columns are not known.

    Raises ConfigError where the whole is no definition, for instance because the key is no field.
    """
    if dataset.source is None or dataset.source.reads_pages:
        return dataset
    fields: dict[str, str] = {}
    for item_type in types:
        if dataset.takes_item(item_type.name):
            fields = {**{field.name: _type_text(field.type) for field in item_type.fields}, **fields}
    is_known = bool(fields) or bool(earlier)
    try:
        whole = dataset.with_fields({**earlier, **fields})
    except ValidationError as error:
        problems = "; ".join(str(one["msg"]).removeprefix("Value error, ") for one in error.errors())
        raise ConfigError(f"{_path(dataset.name, settings) or dataset.name}: with the fields of its items: {problems}.") from error
    mistakes = whole.unknown_columns()
    if whole.fields and not mistakes:
        return whole
    if is_known or has_items(dataset):
        raise ConfigError(_incomplete(dataset, mistakes, settings, is_known=is_known))
    return None


def _incomplete(dataset: Dataset, mistakes: Sequence[Mistake], settings: Settings, *, is_known: bool) -> str:
    """What is wrong with a dataset whose columns are neither in its file nor in the class of its items."""
    path = _path(dataset.name, settings)
    known = "with the fields of its items" if is_known else "its items are dicts, or of a class without types, so declare 'fields'"
    problems = [(dataset_line(path, *place) if path else None, f"{'.'.join(map(str, place))}: {problem}") for place, problem in mistakes]
    return "\n".join(f"{path or dataset.name}: line {line or 1}: {known}: {problem}" for line, problem in problems or [(1, "it has none")])


def _checked(name: str, crawl: Crawl, settings: Settings, tables: Collection[str]) -> Dataset:
    folder = settings.datasets_folder()
    try:
        dataset = with_page_options(find_dataset(name, folder), crawl)
    except NotFoundError as error:
        kept = " Its table is in the lake and stays readable." if name in tables else ""
        message = f"{_place(crawl, settings)}: {error} Write {folder / f'{name}.yaml'}, or correct the name.{kept}"
        raise ConfigError(message) from error
    folders = [str(folder) for folder in settings.module_folders()]
    check_definition(dataset, _path(name, settings), folders)
    return dataset.model_copy(update={"code": code_digests(dataset, folders)}) if dataset.functions() else dataset


def with_page_options(dataset: Dataset, crawl: Crawl) -> Dataset:
    """The definition with the options of the crawl's key `pages`, if the dataset is of whole pages."""
    if dataset.source is None or dataset.source.pages is None:
        return dataset
    return dataset.model_copy(update={"source": dataset.source.model_copy(update={"pages": crawl.pages})})


def _place(crawl: Crawl, settings: Settings) -> str:
    """Where a crawl names its datasets."""
    path = settings.crawls / f"{crawl.name}.yaml"
    line = line_of(path, "datasets") or line_of(path, "dataset")
    return f"{path}: line {line}: datasets" if line else f"The crawl {crawl.name!r}: datasets"


def _path(name: str, settings: Settings) -> Path | None:
    return find_definition_file(name, settings.datasets_folder())


def _type_text(kind: ItemFieldType) -> str:
    """A type of items as a dataset writes it; JSON where it has no such type, or a deeper one than it takes."""
    text = _written(kind)
    try:
        return str(parse_type(text))
    except ValueError:
        return "json"


def _written(kind: ItemFieldType) -> str:
    if kind.type == "list":
        return f"list<{_written(kind.element)}>" if kind.element else "json"
    if kind.type == "struct":
        return f"struct<{', '.join(_members(kind))}>" if kind.fields else "json"
    return WRITTEN.get(kind.type, kind.type)


def _members(kind: ItemFieldType) -> Iterator[str]:
    return (f"{field.name}: {_written(field.type)}" for field in kind.fields)
