"""Authors that JSON-LD, meta elements and microdata declare."""

from __future__ import annotations

from typing import Any

from processing.article.metadata.jsonld import JsonLd, Object, first_text, texts, types_of
from processing.article.metadata.markup import Markup, meta_source
from processing.article.metadata.people.candidate import Candidate
from processing.article.metadata.surroundings import are_close, in_boilerplate, in_list_of_pages
from processing.article.tree.parse import Node
from processing.article.tree.visible import visible_text

MAX_PROPERTIES = 10
MAX_NAME_CHARACTERS = 200
META_NAMES = (
    "author",
    "article:author",
    "article:author_name",
    "parsely-author",
    "sailthru.author",
    "dc.creator",
    "dcterms.creator",
    "dc.creator.author",
    "citation_author",
    "byl",
    "cxenseparse:author",
    "og:article:author",
)
# Yoast's labels of `twitter:data1` and its like for the author.
_WRITTEN_BY = frozenset(
    (
        "written by",
        "verfasst von",
        "geschrieben von",
        "écrit par",
        "escrito por",
        "scritto da",
        "geschreven door",
        "skrevet af",
        "skriven av",
    )
)


def from_json_ld(_: Markup, json_ld: JsonLd) -> list[Candidate]:
    """The authors of the article in the page's JSON-LD, otherwise of the page."""
    for item in (json_ld.article, json_ld.page):
        for key in ("author", "creator"):
            if item and item.get(key) and (found := _people(item[key], json_ld)):
                return [Candidate(f"json-ld {key}", text, person=person) for text, person in found]
    return []


def from_metas(markup: Markup, _: JsonLd) -> list[Candidate]:
    """The meta elements that name authors; without them, the labels for previews."""
    meta = markup.meta
    found = [(name, text) for name in META_NAMES if name in meta for text in meta[name]]
    candidates = [Candidate(meta_source(name), text) for name, text in found]
    if not any(candidate.names() for candidate in candidates):  # such as the address of a profile
        labels = (number for number in "12" if (markup.first(f"twitter:label{number}") or "").strip().lower() in _WRITTEN_BY)
        named = [(f"twitter:data{number}", text) for number in labels for text in meta.get(f"twitter:data{number}", ())]
        candidates += [Candidate(meta_source(name), text) for name, text in named]
    return candidates


def _people(value: Any, json_ld: JsonLd) -> list[tuple[str, bool]]:
    """The texts that name the authors, without organizations, and whether each is the name of a structured Person."""
    people: list[tuple[str, bool]] = []
    if isinstance(value, dict):
        value = value.get("@list", value.get("@set", value))
    for item in value if isinstance(value, list) else [value]:
        resolved = json_ld.resolve(item)
        if isinstance(resolved, dict):
            if _is_organization(resolved):
                continue
            names = texts(resolved) or _joined_name(resolved)
            people.extend((text, "Person" in types_of(resolved)) for text in names)
        else:
            people.extend((text, False) for text in texts(resolved))
    return people


def _joined_name(person: Object) -> list[str]:
    parts = [text for key in ("givenName", "additionalName", "familyName") if (text := first_text(person.get(key)))]
    return [" ".join(parts)] if parts else []


def _is_organization(item: Object) -> bool:
    kinds = types_of(item)
    return "Person" not in kinds and any(kind.endswith(("Organization", "Corporation", "WebSite")) for kind in kinds)


def from_properties(markup: Markup, _: JsonLd) -> list[Candidate]:
    """The microdata property `author`, or its `name` if it has one; several where they stand beside one another. Without it, RDFa's."""
    own = _named_by(markup.properties.get("author", []), "[itemprop=name]", "itemprop=author")
    return own or [
        candidate
        for name in ("author", "creator")
        for candidate in _named_by(markup.rdfa.get(name, []), "[property=name], [property$=':name']", f"property={name}")
    ]


def _named_by(nodes: list[Node], name: str, source: str) -> list[Candidate]:
    """The names in the elements of a property that stand beside one another; `name` selects the part that is the name."""
    found: list[Node] = []
    candidates: list[Candidate] = []
    for node in nodes[:MAX_PROPERTIES]:
        if in_boilerplate(node) and in_list_of_pages(node):  # blogs keep the author in the article's footer
            continue
        if found and not are_close(found[-1], node):
            break
        named = node.css_first(name)
        named = named or node
        text = named.attributes.get("content") or visible_text(named, MAX_NAME_CHARACTERS)
        if 0 < len(text) <= MAX_NAME_CHARACTERS:
            found.append(node)
            candidates.append(Candidate(source, text))
    return candidates
