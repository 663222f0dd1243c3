"""Rows from the schema.org objects of a page: JSON-LD, microdata and RDFa, mapped to fields by paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from processing.article.metadata.jsonld import read_values, types_of
from processing.article.tree.entities import unescaped
from processing.datasets.markup_objects import SCHEMA_ORG, microdata_objects, rdfa_objects
from processing.datasets.page_view import PageView, TooMuchError
from processing.datasets.values import WrittenText
from schemas.datasets.dataset import Dataset
from schemas.datasets.field_types import Kind

Object = dict[str, Any]  # Any: a page's JSON can be anything
PAGE_PATH = "@page"  # the path of the page's own URL
MAX_SCRIPTS = 200
MAX_OBJECTS = 20_000  # of the dataset's types, on one page: more than rows are taken, so that too many are seen
MAX_DEPTH = 12
MAX_VISITED = 100_000  # objects and lists of one page
MAX_VALUES = 1_000  # of one field
# Properties that lead to other things than what the page offers: the object there is another page's, or a stub.
REFERRING = frozenset(
    """
    isrelatedto issimilarto isaccessoryorsparepartfor isconsumablefor isvariantof itemreviewed mentions citation subjectof about knowsabout
    isbasedon comment superevent mainentityofpage
    """.split()  # noqa: SIM905 it reads better
)
ADDRESSES = frozenset({"url", "image", "logo", "sameAs", "contentUrl", "thumbnailUrl", "@id"})  # relative ones are made absolute
_PREFIXES = ("schema:", "https://schema.org/", "http://schema.org/")
_SCALAR_KEYS = ("@value", "value", "name", "text", "url", "contentUrl", "@id")


class StructuredDataReader:
    """Reads the rows of a page by a dataset's types and paths; made once, used for many pages."""

    def __init__(self, dataset: Dataset) -> None:
        assert dataset.source is not None
        self._types = frozenset(dataset.source.structured_data or ())
        self._fields = [
            (name, tuple(tuple(path.split(".")) for path in dataset.source.map.get(name, (name,))), field.field_type.kind)
            for name, field in dataset.fields.items()
        ]

    def rows(self, view: PageView) -> Iterator[Object]:
        """The rows of a page: one for each object of the types, JSON-LD first, then microdata, then RDFa.

        Where a page says the same in several of them, the first that has any object of the types is taken.
        """
        for read in (json_ld_objects, microdata_objects, rdfa_objects):
            objects = read(view)
            things = list(_of_types(objects, self._types))
            if things:
                by_id = _identified(objects)
                yield from (self._row(view, thing, by_id) for thing in things)
                return

    def _row(self, view: PageView, thing: Object, by_id: dict[str, Object]) -> Object:
        return {name: _field_value(view, thing, paths, kind, by_id) for name, paths, kind in self._fields}


def json_ld_objects(view: PageView) -> list[Any]:
    """The values of a page's JSON-LD scripts."""
    if "ld+json" not in view.page.html and "LD+JSON" not in view.page.html:
        return []
    scripts = view.tree.css('script[type*="ld+json" i]')[:MAX_SCRIPTS]
    return [value for script in scripts for value in read_values(script.text())]


def _of_types(objects: list[Any], types: frozenset[str]) -> Iterator[Object]:
    """The outermost objects of the types, in document order."""
    found, visited = 0, 0
    pending: list[tuple[Any, int]] = [(value, 0) for value in reversed(objects)]
    while pending and found < MAX_OBJECTS:
        value, depth = pending.pop()
        visited += 1
        if visited > MAX_VISITED:
            raise TooMuchError(f"the page's structured data has more than {MAX_VISITED:,} parts")
        if isinstance(value, dict):
            if len(value) > 2 and not types.isdisjoint(types_of(value)):  # more than a reference: @type and @id
                found += 1
                yield value
                continue
            inner = [one for name, one in value.items() if name.lower() not in REFERRING]
        else:
            inner = value if isinstance(value, list) else []
        if depth < MAX_DEPTH:
            pending.extend((one, depth + 1) for one in reversed(inner) if isinstance(one, (dict, list)))


def _identified(objects: list[Any]) -> dict[str, Object]:
    """The objects at the top and in `@graph` by their `@id`, to which others may refer."""
    tops = [one for value in objects for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
    graphs = [one for top in tops if isinstance(top.get("@graph"), list) for one in top["@graph"] if isinstance(one, dict)]
    found: dict[str, Object] = {}
    for thing in [*tops, *graphs]:
        if isinstance(thing.get("@id"), str) and len(thing) > 1:
            found.setdefault(thing["@id"], thing)
    return found


def _field_value(view: PageView, thing: Object, paths: tuple[tuple[str, ...], ...], kind: Kind, by_id: dict[str, Object]) -> Any:
    """What the first of a field's paths leads to that leads to anything."""
    for path in paths:
        if path == (PAGE_PATH,):
            return view.page.url
        values = _follow(thing, path, by_id)
        if kind in {Kind.STRUCT, Kind.JSON}:
            plain = _resolved(values[0], by_id) if len(values) == 1 else values
        else:
            scalars = [one for one in (_scalar(view, _resolved(value, by_id), path[-1]) for value in values) if one not in (None, "")]
            plain = scalars if kind is Kind.LIST else next(iter(scalars), None)
        if plain not in (None, [], ""):
            return plain
    return None


def _follow(thing: Object, path: tuple[str, ...], by_id: dict[str, Object]) -> list[Any]:
    """All values at the end of a path, through lists and references."""
    values: list[Any] = [thing]
    for name in path:
        following: list[Any] = []
        for value in values:
            found = _property(_resolved(value, by_id), name)
            following.extend(found if isinstance(found, list) else [found])
            if len(following) > MAX_VALUES:
                break
        values = [one for one in following[:MAX_VALUES] if one is not None]
    return values


def _property(thing: Any, name: str) -> Any:
    """A property of an object; also under its full name in schema.org."""
    if not isinstance(thing, dict):
        return None
    if name == "@type":
        return types_of(thing)
    if name in thing:
        return thing[name]
    return next(
        (thing[full] for full in (f"schema:{name}", f"https://schema.org/{name}", f"http://schema.org/{name}") if full in thing), None
    )


def _resolved(value: Any, by_id: dict[str, Object]) -> Any:
    """The object that a bare `@id` means, else the value itself."""
    if isinstance(value, dict) and len(value) <= 2 and isinstance(identity := value.get("@id"), str) and set(value) <= {"@id", "@type"}:
        return by_id.get(identity, value)
    return value


def _scalar(view: PageView, value: Any, name: str) -> Any:
    """A value without an object around it: its `@value`, value, name, text or address; terms of schema.org without the vocabulary."""
    for _ in range(MAX_DEPTH):
        if isinstance(value, list):
            value = value[0] if value else None
        elif isinstance(value, dict):
            key = next((key for key in _SCALAR_KEYS if value.get(key) not in (None, "", [])), None)
            value, name = (None if key is None else value[key]), key or name
        else:
            break
    if not isinstance(value, str):
        return None if isinstance(value, (dict, list)) else value
    text = SCHEMA_ORG.sub("", unescaped(value).strip())
    text = view.absolute(text) if name in ADDRESSES and text else text
    return WrittenText(text) if isinstance(value, WrittenText) else text
