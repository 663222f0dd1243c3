"""Rows from the schema.org objects of a page: JSON-LD, microdata and RDFa, mapped to fields by paths."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from processing.article.metadata.jsonld import read_script, syntax_error, types_of
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
REFERENCE = frozenset({"@type", "@id", "@context"})  # an object with no more than these says nothing
ADDRESSES = frozenset({"url", "image", "logo", "sameAs", "contentUrl", "thumbnailUrl", "@id"})  # relative ones are made absolute
_PREFIXES = ("schema:", "https://schema.org/", "http://schema.org/")
_SCALAR_KEYS = ("@value", "value", "name", "text", "url", "contentUrl", "@id")
_NUMBER_KEYS = ("@value", "value")
_NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT})


@dataclass(frozen=True, slots=True)
class LostObject:
    """An object of the dataset's types in a script that is no JSON; `detail` says where, `text` is the script."""

    detail: str
    text: str


class StructuredDataReader:
    """Reads the rows of a page by a dataset's types and paths; made once, used for many pages."""

    def __init__(self, dataset: Dataset) -> None:
        assert dataset.source is not None
        self._types = frozenset(dataset.source.structured_data or ())
        names = "|".join(map(re.escape, sorted(self._types)))
        self._mention = re.compile(rf'"@type"\s*:\s*(?:\[[^\]]{{0,200}})?"(?:[^"]{{0,100}}[/:#])?({names})"')
        self._fields = [
            (name, tuple(tuple(path.split(".")) for path in dataset.source.map.get(name, (name,))), field.field_type.kind)
            for name, field in dataset.fields.items()
        ]

    def rows(self, view: PageView) -> Iterator[Object | LostObject]:
        """The rows of a page: one for each object of the types, JSON-LD first, then microdata, then RDFa.

        Where a page says the same in several of them, the first that has any object of the types is taken. What is lost in scripts that
        are no JSON comes last, if no markup has it.
        """
        scripts = json_ld_scripts(view)
        for syntax, read in enumerate((lambda _: scripts.values, microdata_objects, rdfa_objects)):
            objects = read(view)
            things = list(_of_types(objects, self._types))
            if things:
                yield from self._of_things(view, things, _identified(objects))
                if syntax > 0:
                    return
                break
        yield from (lost for broken in scripts.broken if (lost := self._lost(*broken)) is not None)

    def _of_things(self, view: PageView, things: list[Object], by_id: dict[str, Object]) -> Iterator[Object]:
        """The rows of objects. One with a name alone is a mention if there are others; only a single one is what the page is about."""
        whole = [thing for thing in things if not _has_only_a_name(thing)]
        is_about_it = bool(whole) or len(things) == 1
        return (self._row(view, thing, by_id, is_about_it=is_about_it) for thing in whole or things)

    def _row(self, view: PageView, thing: Object, by_id: dict[str, Object], *, is_about_it: bool) -> Object:
        found = {}
        for name, paths, kind in self._fields:
            of_thing = paths if is_about_it else tuple(path for path in paths if path != (PAGE_PATH,))
            found[name] = _field_value(view, thing, of_thing, kind, by_id)
        return found

    def _lost(self, number: int, script: str, rest: str) -> LostObject | None:
        """What is lost in a script by its part that cannot be read."""
        mention = self._mention.search(rest)
        if mention is None:
            return None
        position, problem = syntax_error(script)
        line, near = script.count("\n", 0, position) + 1, " ".join(script[max(0, position - 30) : position + 30].split())
        place = f"JSON-LD script {number} of the page, character {position + 1:,} (line {line})"
        return LostObject(f"a {mention[1]} is lost: {place} is no JSON: {problem}, near {near!r}", script)


@dataclass(frozen=True, slots=True)
class JsonLdScripts:
    """The values of a page's JSON-LD scripts; of each that is not read whole its number, its text, and the rest that is no JSON."""

    values: list[Any]
    broken: list[tuple[int, str, str]]


def json_ld_scripts(view: PageView) -> JsonLdScripts:
    """What the JSON-LD scripts of a page hold."""
    found = JsonLdScripts([], [])
    if "ld+json" not in view.page.html and "LD+JSON" not in view.page.html:
        return found
    for number, script in enumerate(view.tree.css('script[type*="ld+json" i]')[:MAX_SCRIPTS], 1):
        text = script.text()
        values, rest = read_script(text)
        found.values.extend(values)
        if rest:
            found.broken.append((number, text, rest))
    return found


def _has_only_a_name(thing: Object) -> bool:
    return thing.keys() <= {"@type", "@id", "@context", "name"} and "@id" not in thing


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
            if not value.keys() <= REFERENCE and not types.isdisjoint(types_of(value)):
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
            keys = _NUMBER_KEYS if kind in _NUMBERS else _SCALAR_KEYS
            scalars = [one for one in (_scalar(view, _resolved(value, by_id), path[-1], keys) for value in values) if one not in (None, "")]
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


def _scalar(view: PageView, value: Any, name: str, keys: tuple[str, ...]) -> Any:
    """A value without an object around it: its `@value`, value, name, text or address; terms of schema.org without the vocabulary."""
    for _ in range(MAX_DEPTH):
        if isinstance(value, list):
            value = value[0] if value else None
        elif isinstance(value, dict):
            key = next((key for key in keys if value.get(key) not in (None, "", [])), None)
            value, name = (None if key is None else value[key]), key or name
        else:
            break
    if not isinstance(value, str):
        return None if isinstance(value, (dict, list)) else value
    text = SCHEMA_ORG.sub("", unescaped(value).strip())
    text = view.absolute(text) if name in ADDRESSES and text else text
    return WrittenText(text) if isinstance(value, WrittenText) else text
