"""Read schema.org objects from `<script type="application/ld+json">`, also from broken JSON.

Source: JSON-LD 1.1, as far as pages use it: `@graph`, arrays, nesting and `@id` references.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import msgspec

from processing.article.tree.characters import folded_text
from processing.article.tree.entities import storable, unescaped

Object = dict[str, Any]  # Any: a page's JSON can be anything

_DECODER = json.JSONDecoder(strict=False)
MAX_INTEGER_CHARACTERS = 20
# Integers of any length: `int` refuses long ones, and with them a whole script.
_REPAIRER = json.JSONDecoder(strict=False, parse_int=lambda digits: int(digits) if len(digits) <= MAX_INTEGER_CHARACTERS else float(digits))
MAX_OBJECTS = 2000
MAX_VALUES = 2000  # one after the other in a script
MAX_DEPTH = 12
MAX_HEADING_CHARACTERS = 2000
MAX_SCRIPT_CHARACTERS = 2_000_000
_ARTICLE = re.compile(r"(?:Article|BlogPosting|LiveBlogPosting|SocialMediaPosting|Report|Review|AnalysisNewsArticle|Recipe|HowTo)$")
_PAGE = re.compile(r"^(?:WebPage|ItemPage|AboutPage|FAQPage|CreativeWork|VideoObject|PodcastEpisode)$")
_RECORDINGS = frozenset(("VideoObject", "PodcastEpisode"))
# Under these keys stand the works of others, about which the page may say a lot: reviews by readers, what it is based on.
_OF_OTHERS = frozenset(
    ("review", "reviews", "itemReviewed", "isRelatedTo", "isSimilarTo", "isBasedOn", "about", "subjectOf", "workExample", "exampleOfWork")
)
SHARED_HEADLINE = 0.4  # of a headline's words: so many stand in the page's titles if it is the page's own
LONG_PATH = 30  # characters: no two pages have so long a one by chance
_PAGE_ADDRESS = re.compile(r"https?://[^/]+/[^#?]*[^/#?]|/[^#?]*[^/#?]")
_WORD = re.compile(r"\w+")
_OPENING = re.compile(r"\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/|<!\[CDATA\[)")
_BETWEEN = re.compile(r"[ \r\n\t,;]*")
_VOCABULARY = re.compile(r"^.*[/#:]", re.DOTALL)
_TRAILING_COMMA = re.compile(r",(?=\s*[}\]])")
_SALVAGE = re.compile(
    r'"(headline|datePublished|dateModified|dateCreated|articleSection|@type|isAccessibleForFree)"\s*:\s*(?:"((?:[^"\\\n]|\\.)*)"|(true|false))'
)
_SALVAGE_AUTHOR = re.compile(r'"(?:author|creator)"\s*:\s*[\[{][^}]{0,400}?"name"\s*:\s*"((?:[^"\\\n]|\\.)*)"')


@dataclass(slots=True)
class JsonLd:
    """All objects of a page as a flat list in document order; `article` is the page's own article object, `types` are those of all."""

    objects: list[Object] = field(default_factory=list)
    types: frozenset[str] = frozenset()
    article: Object | None = None
    page: Object | None = None
    by_id: dict[str, Object] = field(default_factory=dict)

    def resolve(self, value: Any) -> Any:
        """The object that an `@id` reference points to; any other value itself."""
        if isinstance(value, dict) and "name" not in value and isinstance(value.get("@id"), str):
            return self.by_id.get(value["@id"], value)
        return value


def read_jsonld(scripts: Iterable[str], url: str, heading: str) -> JsonLd:
    """Read the objects of a page's scripts. URL and heading decide which of several articles is the page's own."""
    found = JsonLd()
    of_others: set[int] = set()
    for script in scripts:
        for value in read_values(script):
            found.objects.extend(islice(_flatten(value, 0, of_others), MAX_OBJECTS - len(found.objects)))
    for item in found.objects:
        if isinstance(identity := item.get("@id"), str) and len(item) > 1:
            found.by_id.setdefault(identity, item)
    kinds = list(map(types_of, found.objects))
    found.types = frozenset(chain.from_iterable(kinds))
    own = [(item, kind) for item, kind in zip(found.objects, kinds, strict=True) if id(item) not in of_others]
    found.article = _main_article(found, [item for item, kind in own if any(map(_ARTICLE.search, kind))], url, heading)
    found.page = next((item for item, kind in own if any(map(_PAGE.match, kind)) and not _is_other_recording(item, heading)), None)
    return found


def types_of(item: Object) -> list[str]:
    """The `@type`s of an object without their vocabulary: `http://schema.org/NewsArticle` is `NewsArticle`."""
    value = item.get("@type")
    kinds = value if isinstance(value, list) else [value]
    return [_VOCABULARY.sub("", kind) if ":" in kind or "/" in kind else kind for kind in kinds if isinstance(kind, str)]


def texts(value: Any, depth: int = 0) -> list[str]:
    """The strings in a value: of a list each, of an object its `@value` or `name`; entities decoded, folded, never empty."""
    if isinstance(value, str):
        folded = folded_text(unescaped(storable(value)))
        return [folded] if folded else []
    if depth > MAX_DEPTH:
        return []
    if isinstance(value, list):
        return [text for item in value[:100] for text in texts(item, depth + 1)]
    if isinstance(value, dict):
        return texts(next((value[key] for key in ("@value", "@list", "@set", "name") if key in value), None), depth + 1)
    return []


def first_text(value: Any) -> str | None:
    """The first of `texts`."""
    return next(iter(texts(value)), None)


def read_values(script: str) -> list[Any]:
    """The values in one script, whole or as far as they can be read."""
    return read_script(script)[0]


def read_script(script: str) -> tuple[list[Any], str]:
    """The values in one script as far as they can be read, and the rest that is no JSON; of a script that is read whole, it is empty."""
    read = script[:MAX_SCRIPT_CHARACTERS]
    try:
        return [msgspec.json.decode(read)], ""  # strict and fast
    except (ValueError, RecursionError):
        pass
    try:
        return [_DECODER.decode(read.strip())], ""
    except (ValueError, RecursionError):
        return _repaired(_uncommented(read))


def syntax_error(script: str) -> tuple[int, str]:
    """Where a script that is not read whole first is no JSON: how many characters stand before, and what is wrong there."""
    opening = _OPENING.match(script)
    position = opening.end() if opening else 0
    try:
        while (position := _BETWEEN.match(script, position).end()) < len(script):  # type: ignore[union-attr]  # it always matches
            _, position = _REPAIRER.raw_decode(script, position)
    except json.JSONDecodeError as error:
        return error.pos, error.msg
    except (ValueError, RecursionError):
        return position, "nested too deeply"
    return position, "the script ends"


def _uncommented(script: str) -> str:
    """A script without comment or CDATA marks around it and without a semicolon at its end."""
    opening = _OPENING.match(script)
    text = (script[opening.end() :] if opening else script).strip()
    bare = text.rstrip("; \t\r\n\f\v")
    if bare.endswith("-->"):
        text = bare[:-3]
    elif bare.endswith("*/") and bare[:-2].rstrip().endswith("]]>"):
        text = bare[:-2].rstrip()[:-3].rstrip().removesuffix("/*")
    elif bare.endswith("]]>"):
        text = bare[:-3].rstrip().removesuffix("//")
    return text.strip().rstrip(";")


def _repaired(text: str) -> tuple[list[Any], str]:
    """The values of a script that is not valid JSON: with trailing commas, several values in a row, or cut off; and what is not read."""
    repaired = _TRAILING_COMMA.sub("", unescaped(text) if '"' not in text else text)
    values: list[Any] = []
    position = 0
    try:
        while position < len(repaired) and len(values) < MAX_VALUES:
            value, end = _REPAIRER.raw_decode(repaired, position)
            values.append(value)
            position = _BETWEEN.match(repaired, end).end()  # type: ignore[union-attr]  # it always matches
    except (ValueError, RecursionError):
        pass
    return values or _salvage(repaired), repaired[position:]


def _salvage(text: str) -> list[Any]:
    """The most important fields, by patterns, from JSON that cannot be parsed: the first value of each."""
    found: Object = {}
    for match in _SALVAGE.finditer(text):
        value = _unescape(match[2]) if match[2] is not None else match[3] == "true"
        if match[1] != "@type" or _ARTICLE.search(str(value)):
            found.setdefault(match[1], value)
    if (author := _SALVAGE_AUTHOR.search(text)) is not None:
        found["author"] = {"@type": "Person", "name": _unescape(author[1])}
    return [found] if "@type" in found else []


def _unescape(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _flatten(value: Any, depth: int, of_others: set[int], *, other: bool = False) -> Iterator[Object]:
    """The objects in a value; `of_others` gets the identities of those that are no object of the page's own."""
    if depth > MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value[:500]:
            yield from _flatten(item, depth + 1, of_others, other=other)
    elif isinstance(value, dict):
        if "@type" in value or "@id" in value:
            if other:
                of_others.add(id(value))
            yield value
        for key, item in value.items():
            # The items of a list or a collection are other pages.
            if key not in {"itemListElement", "hasPart", "comment", "mentions", "citation"} and isinstance(item, (dict, list)):
                yield from _flatten(item, depth + 1, of_others, other=other or key in _OF_OTHERS)


def _main_article(found: JsonLd, articles: list[Object], url: str, heading: str) -> Object | None:
    """The page's own article. None where all articles are those of other pages."""
    folded = heading[:MAX_HEADING_CHARACTERS].casefold()

    def rank(item: Object) -> tuple[bool, bool, bool]:
        headline = (first_text(item.get("headline")) or "").casefold()
        here = any(_same_page(address, url) for address in _addresses(found, item))
        return bool(headline) and headline[:40] in folded, here, "datePublished" in item

    best = max(articles, key=rank, default=None)  # the first of equals
    return best if best is not None and _is_own(found, best, url, folded) else None


def _is_own(found: JsonLd, article: Object, url: str, heading: str) -> bool:
    """Whether an article is the page's own: another page's has another address and another headline."""
    headline = first_text(article.get("headline")) or first_text(article.get("name"))
    addresses = [address for address in _addresses(found, article) if _has_path(address)]
    if not headline or not addresses or any(_same_page(address, url) for address in addresses):
        return True
    return not heading.strip() or _shared(headline.casefold(), heading) >= SHARED_HEADLINE


def _is_other_recording(item: Object, heading: str) -> bool:
    """Whether an object is a film or an episode that the page shows beside a text of another title."""
    name = first_text(item.get("name"))
    if not name or not heading.strip() or not _RECORDINGS.intersection(types_of(item)):
        return False
    return _shared(name.casefold(), heading[:MAX_HEADING_CHARACTERS].casefold()) < SHARED_HEADLINE


def _addresses(found: JsonLd, article: Object) -> list[str]:
    values = (article.get("url"), article.get("@id"), found.resolve(article.get("mainEntityOfPage")))
    named = (value.get("@id") or value.get("url") if isinstance(value, dict) else value for value in values)
    return [address for address in named if isinstance(address, str)]


def _has_path(address: str) -> bool:
    """Whether an address names a page. A home page's is what careless templates write everywhere."""
    return _PAGE_ADDRESS.match(address) is not None


def _shared(headline: str, heading: str) -> float:
    """The share of a headline's words that stand in the heading; of scripts without spaces, the share of its pairs of characters."""
    words = set(_WORD.findall(headline))
    if len(words) > 1:
        return len(words.intersection(_WORD.findall(heading))) / len(words)
    pairs = {headline[at : at + 2] for at in range(max(1, len(headline) - 1))}
    return sum(pair in heading for pair in pairs) / len(pairs)


def _same_page(one: str, other: str) -> bool:
    """Whether two addresses are of one page: the same, or with one long path on two hosts, such as those of a publisher's titles."""
    one, other = _bare(one), _bare(other)
    path = one.partition("/")[2]
    return one == other or (len(path) >= LONG_PATH and path == other.partition("/")[2])


def _bare(url: str) -> str:
    return re.sub(r"^https?://(?:www\.)?", "", url).split("#")[0].split("?")[0].rstrip("/").lower()
