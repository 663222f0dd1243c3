"""Where a dataset's rows come from: a spider's items, stored pages (selectors, structured data, whole pages), or a user's function."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.datasets.field_types import parse_type
from schemas.datasets.page_options import PageOptions
from schemas.yaml_files.bounds import length_at_most, one_line
from schemas.yaml_files.model import ConfigModel
from schemas.yaml_files.values import Pattern
from schemas.yaml_files.values import Selector as SelectorText

MAX_FIELDS = 300  # a table of more columns is not a table that people read
MAX_TYPES = 50
MAX_PATHS = 20
MAX_PATH_CHARACTERS = 300
FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")
STEP_NAME = re.compile(r"[A-Za-z_][\w.-]{0,99}")  # of an entry point
ITEM_CLASS = re.compile(r"([A-Za-z_]\w*(\.[A-Za-z_]\w*)*:)?[A-Za-z_]\w*")
SCHEMA_ORG_TYPE = re.compile(r"(?:https?://(?:www\.)?schema\.org/)?([A-Z0-9][A-Za-z0-9]{0,99})")
PATH = re.compile(r"[@A-Za-z_][\w:@-]*(\.[@A-Za-z_][\w:@-]*){0,9}")


def _type(text: str) -> str:
    return str(parse_type(text))


def _function(name: str) -> str:
    if not FUNCTION.fullmatch(name):
        raise ValueError(f"{name!r} names no function: write module:name, like my_module:read_products")
    return name


def _step(name: str) -> str:
    if not FUNCTION.fullmatch(name) and not STEP_NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} names no step: write module:function, like my_steps:add_category, or the name of a step of an installed package"
        )
    return name


def _item_class(name: Literal[True] | str) -> Literal[True] | str:
    if isinstance(name, str) and not ITEM_CLASS.fullmatch(name):
        raise ValueError(f"{name!r} names no class of items: write its name, like Product, or true for every item")
    return name


def _schema_org_type(name: str) -> str:
    found = SCHEMA_ORG_TYPE.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is not a type of schema.org, like Product or JobPosting")
    return found[1]


def _path(path: str) -> str:
    if not PATH.fullmatch(path):
        raise ValueError(f"{path!r} is not a path to a property, like offers.price (at most ten names with points between them)")
    return path


TypeText = Annotated[str, length_at_most(2_000), AfterValidator(_type)]
FunctionName = Annotated[str, length_at_most(300), AfterValidator(_function)]
StepName = Annotated[str, length_at_most(300), AfterValidator(_step)]
ItemClass = Annotated[Literal[True] | Annotated[str, length_at_most(300)], AfterValidator(_item_class)]
SchemaOrgType = Annotated[str, length_at_most(200), AfterValidator(_schema_org_type)]
PropertyPath = Annotated[str, length_at_most(MAX_PATH_CHARACTERS), AfterValidator(_path)]
PropertyPaths = Annotated[tuple[PropertyPath, ...], length_at_most(MAX_PATHS)]
Attribute = Annotated[str, length_at_most(100), AfterValidator(one_line)]


class Selector(ConfigModel):
    """Where a field is on a page: `css` or `xpath`, within the row's element if the source has `each`.

    Without either it is the row's element itself. The value is the element's text, or the attribute `attr`; of it what the first group of
    `regex` finds. `type` declares the field if `fields` does not. `default` is used if a value is missing.
    """

    css: SelectorText | None = None
    xpath: SelectorText | None = None
    attr: Attribute | None = None
    regex: Pattern | None = None
    type: TypeText | None = None
    default: Any = None  # Any: any value of JSON

    def text(self) -> str:
        """Where the value is, as the file says it."""
        return self.css or self.xpath or (f"the attribute {self.attr}" if self.attr else f"the text {self.regex}")

    @model_validator(mode="after")
    def _one_language(self) -> Self:
        if self.css is not None and self.xpath is not None:
            raise ValueError("'css' and 'xpath' both say where the value is; keep one of them")
        if self.css is None and self.xpath is None and self.attr is None and self.regex is None:
            raise ValueError("say where the value is: 'css' or 'xpath', or 'attr' of the row's element itself")
        return self


KINDS = ("items", "selectors", "structured_data", "function", "pages")


class Source(ConfigModel):
    """Where rows come from: exactly one of `items`, `selectors`, `structured_data`, `function` and `pages`.

    `items`: true for every item of the crawl's spider, or the name of a class. `selectors`: a selector for each field, and `each` for the
    elements of which each is a row (without it the page is one row). `structured_data`: types of schema.org, whose objects become rows;
    `map` says by which path, or by the first of several, a field is found; a field that is not in it is the property of its own name.
    `function`: module:name, from a page to its rows. `pages`: every page is a row with its type and main text; a crawl's key `pages` sets
    the options.
    """

    items: ItemClass | None = None
    selectors: Annotated[dict[str, Selector], length_at_most(MAX_FIELDS)] | None = Field(default=None, min_length=1)
    each: Selector | None = None
    structured_data: Annotated[tuple[SchemaOrgType, ...], length_at_most(MAX_TYPES)] | None = Field(default=None, min_length=1)
    map: Annotated[dict[str, Annotated[tuple[PropertyPath, ...], length_at_most(MAX_PATHS)]], length_at_most(MAX_FIELDS)] = Field(
        default_factory=dict
    )
    function: FunctionName | None = None
    pages: PageOptions | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if isinstance(data.get("structured_data"), str):
            data["structured_data"] = [data["structured_data"]]
        if isinstance(data.get("map"), dict):
            data["map"] = {name: [path] if isinstance(path, str) else path for name, path in data["map"].items()}
        if isinstance(data.get("selectors"), dict):
            data["selectors"] = {name: _selector(one) for name, one in data["selectors"].items()}
        return data | ({"each": _selector(data["each"])} if "each" in data else {})

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [name for name in KINDS if getattr(self, name) is not None]
        if len(kinds) != 1:
            named = f"it has {' and '.join(kinds)}" if kinds else "it has none of them"
            raise ValueError(f"a source is one of {', '.join(KINDS[:-1])} and {KINDS[-1]}; {named}")
        if self.each is not None and self.selectors is None:
            raise ValueError("'each' goes with 'selectors'")
        if self.each is not None and self.each.css is None and self.each.xpath is None:
            raise ValueError("'each' selects elements: give it 'css' or 'xpath'")
        if self.each is not None and any((one.xpath is not None) != (self.each.xpath is not None) for one in self._located()):
            raise ValueError("with 'each', all selectors are CSS or all are XPath: they are looked for in one and the same tree")
        if self.map and self.structured_data is None:
            raise ValueError("'map' goes with 'structured_data'")
        return self

    def _located(self) -> list[Selector]:
        """The selectors that are not the row's element itself."""
        return [one for one in (self.selectors or {}).values() if one.css is not None or one.xpath is not None]

    @property
    def kind(self) -> str:
        """Which of them it is."""
        return next(name for name in KINDS if getattr(self, name) is not None)

    @property
    def reads_pages(self) -> bool:
        """Whether the rows come from stored pages, not from a spider's items."""
        return self.items is None

    def filled_fields(self) -> frozenset[str]:
        """The fields that the source itself names."""
        return frozenset(self.selectors or ()) | frozenset(self.map)


def _selector(given: object) -> object:
    """A text alone is CSS, or XPath if it begins as only XPath does."""
    if not isinstance(given, str):
        return given
    return {"xpath": given} if given.startswith(("/", "./", "(")) else {"css": given}
