"""The definition of a dataset: one YAML file, checked and frozen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.datasets.expectation import Drift, Expectation
from schemas.datasets.field_types import FieldType, parse_type
from schemas.datasets.sources import MAX_FIELDS, Source, StepName, TypeText
from schemas.yaml_files.bounds import length_at_most
from schemas.yaml_files.dataset_names import BUILT_IN, HISTORY, KEY_COLUMNS, PROVENANCE, check_dataset_name, check_field_name, is_free
from schemas.yaml_files.model import ConfigModel, PlacedError, SetByPlan
from schemas.yaml_files.values import MAX_ENTRIES, Line, Patterns, Text

MAX_STEPS = 50

Place = tuple[str | int, ...]  # the keys that lead to a place in the file
Mistake = tuple[Place, str]


def _dataset_name(name: str) -> str:
    check_dataset_name(name)
    return name


def _field_name(name: str) -> str:
    check_field_name(name)
    return name


FieldName = Annotated[str, AfterValidator(_field_name)]


class DatasetField(ConfigModel):
    """A column of the user's own.

    `unit` is for people. If it names another field, that field gets the currency that the price is written with. `default` is used if a
    value is missing. `compared: false`: a change of this field alone makes no new version. `decimal_separator` says how the site
    writes numbers, if `1.299` could mean two numbers. `day_first` says that 05/06/2026 is the fifth of June. `of_range` is the amount that
    counts of texts such as `$5 - $7`, `from $5` and `up to $7`; without it they do not fit. `misfit`: a value that does not fit its type
    sends the row to `quarantine`, or leaves the field `empty`.
    """

    type: TypeText = "string"
    description: Text = ""
    unit: Line | None = None
    default: Any = None  # Any: any value of JSON
    compared: bool = True
    decimal_separator: Literal[".", ","] | None = None
    day_first: bool = False
    of_range: Literal["lowest", "highest"] | None = None
    misfit: Literal["quarantine", "empty"] = "quarantine"

    @property
    def field_type(self) -> FieldType:
        """The type, parsed."""
        return parse_type(self.type)


class Step(ConfigModel):
    """A function, RecordBatch -> RecordBatch, that fills declared fields: module:function, or the name of a step of an installed package.

    `on_error`: if it breaks, `fail` holds back the dataset's rows of the crawl run; `quarantine` sends the rows at fault to quarantine.
    """

    step: StepName
    on_error: Literal["fail", "quarantine"] = "fail"


class Dataset(ConfigModel):
    """One dataset. Its name is its file's, and its table's.

    `match`: patterns searched in the URL, for sources that read pages; none is every page. `key`: the columns that identify a row over
    time, fields, `host` or `url`. `history`: `changes` (a row when a compared field changed), `observations` (a row per visit) or `latest`.
    `undeclared_fields`: what becomes of a row that has a field that is not declared. `code` is never in a file: it has the digests of the
    sources of the user's functions, by function, so that other code is another definition.
    """

    name: Annotated[str, AfterValidator(_dataset_name)]
    description: Text = ""
    extends: Line | None = None
    source: Source | None = None
    match: Patterns = ()
    key: Annotated[tuple[Line, ...], length_at_most(20)] = ()
    history: Literal["changes", "observations", "latest"] = "changes"
    fields: Annotated[dict[Annotated[str, AfterValidator(_field_name)], DatasetField], length_at_most(MAX_FIELDS)] = Field(
        default_factory=dict
    )
    undeclared_fields: Literal["quarantine", "ignore"] = "quarantine"
    steps: Annotated[tuple[Step, ...], length_at_most(MAX_STEPS)] = ()
    expectations: Annotated[tuple[Expectation, ...], length_at_most(MAX_ENTRIES)] = ()
    drift: Annotated[tuple[Drift, ...], length_at_most(MAX_ENTRIES)] = ()
    code: Annotated[dict[str, str], SetByPlan()] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if isinstance(data.get("fields"), dict):
            data["fields"] = {name: _field(one) for name, one in data["fields"].items()}
        if isinstance(data.get("steps"), (str, dict)):
            data["steps"] = [data["steps"]]
        if isinstance(data.get("steps"), list):
            data["steps"] = [{"step": one} if isinstance(one, str) else one for one in data["steps"]]
        if isinstance(data.get("key"), str):
            data["key"] = [data["key"]]
        return _with_selected_fields(data)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.is_built_in:
            return self  # `dataset_file` checks what its file may add
        if self.source is None:
            raise ValueError(
                "'source' must say where rows come from: {items: true}, {selectors: ...}, {structured_data: ...} or {function: ...}"
            )
        if not self.key:
            raise ValueError("'key' must name the fields that identify a row over time, like [host, sku]")
        if not self.fields and self.source.items is None:
            raise ValueError("'fields' must name at least one field")
        return self

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        folded = [name.lower() for name in self.fields]
        if len(set(folded)) < len(folded):
            raise PlacedError([(("fields",), "two fields differ in upper and lower case only; SQL takes them for one")])
        mistakes = [*self._unfit_keys(), *([] if self.may_have_more_fields else self.unknown_columns())]
        if mistakes:
            raise PlacedError(mistakes)
        return self

    @property
    def may_have_more_fields(self) -> bool:
        """Whether the file need not declare every field: those of items may come from their class, `articles` has its own."""
        items = self.source.items if self.source is not None else None
        return self.is_built_in or isinstance(items, str) or (items is True and not self.fields)

    def unknown_columns(self) -> list[Mistake]:
        """The names in key, source, expectations and drift that are no column: the keys that lead to each, and what is wrong."""
        columns = {*self.fields, *PROVENANCE, *HISTORY}
        known = {"key": {*self.fields, *KEY_COLUMNS}, "source": set(self.fields)}
        return [
            (place, f"{name!r} is not a field; {_near(name, allowed)}there are {', '.join(sorted(allowed))}")
            for place, name in self._named_columns()
            if name not in (allowed := known.get(str(place[0]), columns))
        ]

    def _unfit_keys(self) -> list[Mistake]:
        kinds = {name: field.field_type.kind for name, field in self.fields.items()}
        return [
            (("key", place), f"{name!r} is a {self.fields[name].type}: a key is made of plain values that can be equal")
            for place, name in enumerate(self.key)
            if kinds.get(name) in {"list", "struct", "json", "float"} and not self.is_built_in
        ]

    def _named_columns(self) -> list[tuple[Place, str]]:
        """Every name that must be a column, with the keys that lead to it."""
        filled = self.source.filled_fields() if self.source else ()
        named: list[tuple[Place, str]] = [(("source",), name) for name in sorted(filled)]
        named += [(("key", place), name) for place, name in enumerate(self.key)]
        named += [(("expectations", place), name) for place, one in enumerate(self.expectations) for name in one.columns()]
        return named + [(("drift", place), one.column) for place, one in enumerate(self.drift) if one.column]

    @property
    def is_built_in(self) -> bool:
        """Whether its source and its table are the package's own, so that the file only adds to it."""
        return self.name in BUILT_IN

    @property
    def is_plain(self) -> bool:
        """Whether it is the built-in dataset with nothing added."""
        return self == Dataset(name=self.name) if self.is_built_in else False

    def functions(self) -> tuple[str, ...]:
        """The user's functions that make its rows: of its source, and its steps."""
        own = (self.source.function,) if self.source is not None and self.source.function is not None else ()
        return tuple(dict.fromkeys([*own, *(one.step for one in self.steps)]))

    def compared_fields(self) -> tuple[str, ...]:
        """The fields of which a change makes a new version."""
        return tuple(name for name, one in self.fields.items() if one.compared and name not in self.key)

    def takes_item(self, item_type: str | None) -> bool:
        """Whether an item of a spider is a row of this dataset; `item_type` is the name of its class, or what a dict calls its `type`."""
        wanted = self.source.items if self.source is not None else None
        return wanted is True or (wanted is not None and item_type is not None and wanted.rpartition(":")[2] == item_type)

    def with_fields(self, types: Mapping[str, str]) -> Dataset:
        """The definition with further fields, by their types, as a class of items has them.

        A field that is declared stays as it is; a field whose name every row has anyway, such as `url`, is left out. Raises ValueError
        if the result is not a valid definition, for example if a column of the key is not a field.
        """
        added = {name: {"type": kind} for name, kind in types.items() if name not in self.fields and is_free(name)}
        return Dataset.model_validate({**self.model_dump(), "fields": {**self.model_dump()["fields"], **added}})

    def digest(self) -> str:
        """A digest of everything that decides the rows, as 32 hex digits: equal if two definitions make the same rows of the same pages.

        Descriptions do not count, nor do expectations: these have `rules_digest`.
        """
        definition = self._plain({"description", "expectations", "drift"})
        for one in definition.get("fields", {}).values():
            one.pop("description", None)
        return _digest(definition)

    def rules_digest(self) -> str:
        """A digest of the expectations and the drift rules, as 32 hex digits."""
        return _digest({name: value for name, value in self._plain(set()).items() if name in {"expectations", "drift"}})

    def _plain(self, without: set[str]) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude=without, exclude_defaults=True)  # without defaults: a later release may have more keys


def _digest(definition: dict[str, Any]) -> str:
    """SHA-256 of JSON, the first 32 hex digits. The order of keys does not count, that of lists does."""
    return hashlib.sha256(json.dumps(definition, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:32]


def _near(name: str, allowed: Collection[str]) -> str:
    near = get_close_matches(name, allowed, n=1)
    return f"did you mean {near[0]!r}? " if near else ""


def _field(given: object) -> object:
    """A text alone is the type, nothing at all a string."""
    return {"type": given} if isinstance(given, str) else {} if given is None else given


def _with_selected_fields(data: dict[str, Any]) -> dict[str, Any]:
    """The file's data with a field for every selector, of the type that the selector gives it."""
    source = data.get("source")
    selectors = source.get("selectors") if isinstance(source, dict) else None
    fields = data.get("fields", {})
    if not isinstance(selectors, dict) or not isinstance(fields, dict):
        return data
    declared = dict(fields)
    for name, selector in selectors.items():
        kind = selector.get("type") if isinstance(selector, dict) else None
        declared[name] = _typed(name, declared.get(name, {}), kind)
    return {**data, "fields": declared}


def _typed(name: str, field: object, kind: object) -> object:
    """A field's declaration with the type that its selector gives it. Raises ValueError if the two types differ."""
    if not isinstance(kind, str) or not isinstance(field, dict):
        return field
    declared = field.get("type", kind)
    if str(declared).replace(" ", "") != kind.replace(" ", ""):
        raise ValueError(f"the type of {name!r} is {declared} in 'fields' and {kind} in 'source'; keep one of them")
    return {**field, "type": kind}
