"""Read the title of a page, without the name of its site."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from urllib.parse import urlsplit

from processing.article.metadata.jsonld import JsonLd, first_text, types_of
from processing.article.metadata.markup import Markup, meta_source
from processing.article.tree.characters import folded_text
from processing.article.tree.entities import unescaped
from processing.article.tree.headings import MAX_HEADING_NODES, heading_text, without_kicker
from processing.article.tree.parse import Node
from processing.article.tree.scripts import IDEOGRAPHS
from processing.article.tree.visible import text_parts

MAX_TITLE_CHARACTERS = 400
MAX_HEADINGS = 30
MAX_HEADING_PARTS = 20  # texts of a heading's inline elements that are compared with the declared titles
_ARCHIVED = re.compile(r"/(https?://.+)")  # an archive's URL of a page ends with the page's own URL
META_NAMES = ("twitter:title", "parsely-title", "sailthru.title", "dc.title", "dcterms.title", "citation_title", "title")
# What separates the site's name from the title; a hyphen or a colon only with space around it.
# A low line parts titles in Chinese, Japanese and Korean, or with space around it; elsewhere it is part of a name.
_SIGNS = r"\-‐‑‒–—―−•·∙‧・:›>~⋆★☆✦♦●◆▪■▸▷→←‹</\\*"  # with space around them
_BARS = r"\s*[|¦‖｜︱│❘∣⎮]\s*|\s+::\s+|\s+_+\s+|(?<=[\u3000-\u9fff\uac00-\ud7af\uff00-\uffef])_+|(?<!_)_+(?=[\u3000-\u9fff\uac00-\ud7af])"
_SEPARATOR = re.compile(rf"\s+[|«»{_SIGNS}]+\s+|{_BARS}|\s*»\s*")
_SEPARATOR_BESIDE_QUOTES = re.compile(rf"\s+[|{_SIGNS}]+\s+|{_BARS}")  # where « and » are quotation marks
_SEPARATING = re.compile(f"[|¦‖｜︱│❘∣⎮：_«»{_SIGNS}]")  # every separator has one of these
SITE_SHARE = 0.6  # of the site's name: so much of it, alone at the title's end, stands for the name
MIN_BEGINNING_WORDS = 3  # of a heading with which a longer title begins
NAME_SHARE = 0.4  # of a part's letters: a part in which the site's name is less is a sentence about the site
_BETWEEN = re.compile(r"\s*[:|–—-]\s+")  # a kicker and a heading
_BEHIND_HEADING = re.compile(r"\s*[|:/<>»›·•–—-]\s")
_BAR_SIGNS = frozenset(("|", "¦", "‖", "｜", "︱", "│", "❘", "∣", "⎮", "•", "·", "»", "<", ""))
_QUOTES = frozenset("\"'“”„«»‘’")
_DATE_BEFORE = re.compile(r"^(?:\d{1,2}[./]\d{1,2}[./](?:19|20)\d\d|(?:19|20)\d\d-\d\d-\d\d)\s*[-–—:|]\s+(?=\S)")
# A site's name behind a hyphen without spaces, as Chinese sites write it.
_SITE_BEHIND_HYPHEN = re.compile(r"(?<=[\u3000-\u9fff\uff00-\uffef])-[\u4e00-\u9fff]{2,8}$")
# What templates put before or after the title, and instead of it.
_SECTIONS = frozenset(("blog", "blogarchive", "blogarchiv", "home", "startseite", "news", "nachrichten", "aktuelles", "新闻", "ニュース"))
_PLACEHOLDERS = _SECTIONS | {
    "untitled",
    "untitleddocument",
    "untitledpage",
    "document",
    "index",
    "homepage",
    "newpage",
    "ohnetitel",
    "sanstitre",
}
_WORD = re.compile(r"\w+")
_FOR_SEARCH = re.compile(r"breadcrumb|seo-?_?(?:title|headline|heading)", re.IGNORECASE)  # of a heading that is not the one above the text
_SHOWN_SOURCES = ("og:title", "json-ld headline")
ALIKE = 0.45  # of the words of a heading and of a declared title, for the two to be the same title


def read_title(markup: Markup, json_ld: JsonLd, site_name: str | None, url: str) -> str | None:
    """The title from the most reliable source that has one."""
    return next((title for _, title in titles(markup, json_ld, site_name, url)), None)


def titles(markup: Markup, json_ld: JsonLd, site_name: str | None, url: str) -> Iterator[tuple[str, str]]:
    """The sources of the title with their texts, the most reliable first.

    An `<h1>` that agrees with a declared title comes first, because readers see it.
    """
    declared = [(source, text) for source, title in _declared(markup, json_ld) if title and (text := folded(title))]
    headed, logos = _headings_and_logos(markup, url)
    site = site_names(site_name, url, logos)
    stripped = {text: without_site(text, site) for text in dict.fromkeys(text for _, text in declared)}
    nodes = {text: node for text, node in headed.items() if not is_site(text, site)}
    if (shown := _shown_instead(markup, nodes, dict(reversed(declared)), stripped)) is not None:
        yield shown[0], shown[1][:MAX_TITLE_CHARACTERS]
    headings = list(nodes)
    if (heading := _best_heading(headings, list(stripped.values()))) is not None:
        own = _own_part(heading, nodes[heading], stripped, site)
        if (full := _with_kicker(own, markup, json_ld, site)) is not None:
            yield "og:title and json-ld headline", full[:MAX_TITLE_CHARACTERS]
        yield "<h1>", own[:MAX_TITLE_CHARACTERS]
    elif (part := _part_with_heading(markup, list(stripped.values()), site)) is not None:
        yield part[0], part[1][:MAX_TITLE_CHARACTERS]
    for source, text in _agreed_first(declared, stripped):
        if not is_site(title := stripped[text], site) and not (headings and _letters(title) in _PLACEHOLDERS):
            yield source if title == text else f"{source} (without the site's name)", title[:MAX_TITLE_CHARACTERS]
    for heading in [*headings, *logos]:
        yield "<h1>", heading[:MAX_TITLE_CHARACTERS]


def _agreed_first(declared: list[tuple[str, str]], stripped: dict[str, str]) -> list[tuple[str, str]]:
    """The declared titles, with JSON-LD's headline before og:title if it is the `<title>` too: og:title is written for social networks."""
    by_source = {source: _letters(stripped[text]) for source, text in reversed(declared)}
    headline = by_source.get("json-ld headline")
    if headline and headline == by_source.get("<title>") != by_source.get("og:title"):
        return sorted(declared, key=lambda item: item[0] != "json-ld headline")
    return declared


def _shown_instead(markup: Markup, nodes: dict[str, Node], declared: dict[str, str], stripped: dict[str, str]) -> tuple[str, str] | None:
    """The source and text of a lower heading that is a declared title, where the main heading is in a breadcrumb or for search engines."""
    if not any(map(_is_for_search, nodes.values())):
        return None
    lower = {
        letters: node.tag
        for node in reversed(markup.subheadings[:MAX_HEADINGS])
        for letters in map(_letters, (heading_text(node), *text_parts(node, MAX_HEADING_NODES)[-1:]))
    }
    for title in (stripped[declared[source]] for source in _SHOWN_SOURCES if source in declared):
        if " " in title and (tag := lower.get(_letters(title))) is not None:
            return f"<{tag}>", title
    return None


def _is_for_search(heading: Node) -> bool:
    around = heading.parent
    attributes = [heading.attributes, around.attributes if around is not None else {}]
    return any(_FOR_SEARCH.search(f"{key} {value}") for names in attributes for key, value in names.items())


def _part_with_heading(markup: Markup, declared: list[str], site: frozenset[str]) -> tuple[str, str] | None:
    """The source and text of a lower heading that is one of several parts of a declared title, such as `Site - Section - Title`."""
    parts = {_letters(part) for title in declared if len(found := _separator(title).split(title)) > 1 for part in found if " " in part}
    if not parts:
        return None
    for node in markup.subheadings:
        text = heading_text(node)
        if _letters(text) in parts and not is_site(text, site):
            return f"<{node.tag}>", text
    return None


def _declared(markup: Markup, json_ld: JsonLd) -> Iterator[tuple[str, str | None]]:
    """The declared titles, as written, the most reliable first."""
    meta = markup.meta
    for text in meta.get("og:title", ()):
        yield "og:title", text
    yield "json-ld headline", first_text((json_ld.article or {}).get("headline"))
    for name in META_NAMES:
        for text in meta.get(name, ()):
            yield meta_source(name), text
    yield "<title>", markup.title


def folded(text: str) -> str:
    """Text with entities decoded (pages escape twice), without invisible characters, white space folded."""
    return folded_text(unescaped(text))


def _headings_and_logos(markup: Markup, url: str) -> tuple[dict[str, Node], list[str]]:
    """The main headings by their texts, and the texts of those that are only a link to the home page: they name the site."""
    headed: dict[str, Node] = {}
    logos: list[str] = []
    is_home = _is_home(url)
    for node in markup.headings[:MAX_HEADINGS]:
        if not (text := heading_text(node)):
            continue
        if not is_home and _leads_home(node, text):
            logos.append(text)
        else:
            headed[text] = node
    return headed, logos


def _leads_home(heading: Node, text: str) -> bool:
    """Whether the whole text of a heading is a link to the site's home page."""
    link = heading.css_first("a[href]")
    return link is not None and _is_home(link.attributes.get("href") or "") and folded(link.text()) in {text, ""}


def _is_home(url: str) -> bool:
    archived = _ARCHIVED.search(url, 8)
    try:
        parts = urlsplit(archived[1] if archived else url.strip())
    except ValueError:
        return False
    return parts.path in {"/", ""} and not parts.query and bool(parts.path or parts.netloc)


def site_names(site_name: str | None, url: str, others: Iterable[str] = ()) -> frozenset[str]:
    """The site's possible names, letters only: its declared name, `others`, and the parts of its host."""
    archived = _ARCHIVED.search(url, 8)
    host = (urlsplit(archived[1] if archived else url).hostname or "").removeprefix("www.")
    labels = host.split(".")
    names = {host, ".".join(labels[-2:]), labels[-2] if len(labels) > 1 else host, labels[0], *others}
    if site_name:
        names.add(site_name)
        names.update(_SEPARATOR.split(site_name))
    return frozenset(bare for name in names if len(bare := _letters(name)) > 2)


def is_site(text: str, site: frozenset[str]) -> bool:
    """Whether a text is only the site's name."""
    letters = _letters(text)
    return not letters or letters in site or letters.removeprefix("the") in site


def without_site(title: str, site: frozenset[str]) -> str:
    """The title without a date before it and the site's name at either end; without any last part that looks like one behind a bar."""
    if title[:1].isdigit():
        title = _DATE_BEFORE.sub("", title, count=1)
    if not title.isascii():
        title = _SITE_BEHIND_HYPHEN.sub("", title)
    if not _SEPARATING.search(title):
        return title.strip()
    for sign in ("_", ": ", "："):
        beginning, line, end = title.rpartition(sign)
        if line and beginning.strip(" :") == beginning != "" and is_site(end, site):
            title = beginning
    separator = _separator(title)
    parts, separators = separator.split(title), separator.findall(title)
    while len(parts) > 1:
        if _names_site(parts[-1], site) or (_is_bar(separators[-1]) and _words(parts[-1]) <= 4 and _words(parts[0]) >= 3):
            parts.pop()
            separators.pop()
        elif _names_site(parts[0], site, first=True):
            parts.pop(0)
            separators.pop(0)
        else:
            break
    return "".join(part + separator for part, separator in zip(parts, [*separators, ""], strict=True)).strip()


def _separator(title: str) -> re.Pattern[str]:
    return _SEPARATOR_BESIDE_QUOTES if "«" in title and "»" in title else _SEPARATOR


def _is_bar(separator: str) -> bool:
    return separator.strip(" _\u3000") in _BAR_SIGNS and bool(separator.strip())


def _words(text: str) -> float:
    """The number of words; of scripts without spaces, two characters count as one."""
    ideographs = len(IDEOGRAPHS.findall(text))
    return ideographs / 2 if ideographs else len(text.split())


def _names_site(part: str, site: frozenset[str], *, first: bool = False) -> bool:
    """Whether a part names the site or a section. A part of the site's name counts only at the end: titles begin with such words too."""
    letters = _letters(part)
    if not letters or letters in _SECTIONS or is_site(part, site):
        return True
    if len(part.split()) > 6:
        return False
    longer = any(len(name) > 3 and name in letters and len(name) >= NAME_SHARE * len(letters) for name in site)
    return longer or (not first and any(letters in name and len(letters) >= SITE_SHARE * len(name) for name in site if len(name) > 3))


@lru_cache(maxsize=4096)  # the titles of a page are mostly the same text
def _letters(text: str) -> str:
    return "".join(_WORD.findall(text.casefold())).replace("_", "")


def _own_part(heading: str, node: Node, stripped: dict[str, str], site: frozenset[str]) -> str:
    """The part of a heading that is a declared title: without a kicker or date in an element of its own, and without the site's name.

    `stripped` are the declared titles, each with what is left of it without the site's name.
    """
    declared = list(stripped.values())
    wanted = {_letters(title) for title in declared if len(title.split()) > 1}
    texts = text_parts(node, MAX_HEADING_NODES)[:MAX_HEADING_PARTS]
    if _letters(heading) in wanted:
        return _behind_hidden_separator(node, heading) or _without_set_apart(texts, declared) or heading
    if any(_letters(title) == _letters(heading) and title.endswith(own) for title, own in stripped.items()):
        return heading  # readers see what looks like a site's name before the title
    last = _separator(heading).split(heading)[-1]
    parts = [without_site(heading, site), last, *(" ".join(texts[start:]) for start in range(1, len(texts)))]
    parts += (" ".join(texts[:end]) for end in range(len(texts) - 1, 0, -1))
    own = next((part for part in parts if _letters(part) in wanted), None)
    return own or without_kicker(node) or heading


def _behind_hidden_separator(node: Node, heading: str) -> str | None:
    """What stands behind a separator that is hidden from screen readers, as between a kicker and the heading below it."""
    for child in node.css("[aria-hidden=true]"):
        sign = child.text(strip=True)
        if len(sign) == 1 and _SEPARATING.match(sign):
            _, separator, rest = heading.partition(f" {sign} ")
            return rest if separator and " " in rest else None
    return None


def _without_set_apart(texts: list[str], declared: list[str]) -> str | None:
    """The heading without its first text, if only the declared title writes a separator between the two: the first is a kicker."""
    if len(texts) < 2 or not texts[0][-1:].isalnum() or (not texts[1][0].isalnum() and texts[1][0] not in _QUOTES):
        return None
    rest = " ".join(texts[1:])
    for title in declared:
        kicker, separator, behind = title.partition(separated[0]) if (separated := _BETWEEN.search(title, len(texts[0]))) else ("", "", "")
        if separator and _letters(kicker) == _letters(texts[0]) and _letters(behind) and _letters(rest).startswith(_letters(behind)):
            return rest
    return None


def _with_kicker(heading: str, markup: Markup, json_ld: JsonLd, site: frozenset[str]) -> str | None:
    """A news article's title with its kicker, `Kicker: Heading`, if both og:title and JSON-LD's headline have it."""
    article = json_ld.article or {}
    headline, title = first_text(article.get("headline")), markup.first("og:title")
    if not headline or not title or not any(kind.endswith("NewsArticle") for kind in types_of(article)):
        return None
    full = without_site(folded(headline), site)
    if _letters(full) != _letters(without_site(folded(title), site)):
        return None
    kicker, _, rest = full.partition(": ")
    return full if kicker and _letters(rest) == _letters(heading) else None


def _best_heading(headings: list[str], declared: list[str]) -> str | None:
    """The heading with which a declared title begins; otherwise the one that shares most words with it, if these are about half of them."""
    if not headings:
        return None
    wanted = [set(_WORD.findall(title.casefold())) for title in declared]
    best, best_score = None, 0.0
    for heading in headings:
        words = set(_WORD.findall(heading.casefold()))
        score = max((_overlap(words, other) for other in wanted), default=0.0)
        if score > best_score:
            best, best_score = heading, score
    if best_score < 1:
        beginnings = {_letters(parts[0]) for title in declared if len(parts := _separator(title).split(title)) > 1}
        beginnings.update(
            _letters(heading)
            for heading in headings
            if len(heading.split()) >= MIN_BEGINNING_WORDS and any(_begins_with(title, heading) for title in declared)
        )
        most_alike = best if best_score >= ALIKE else None
        best = next((heading for heading in headings if " " in heading and _letters(heading) in beginnings), most_alike)
    return best


def _begins_with(title: str, heading: str) -> bool:
    """Whether a title is a heading with more behind a separator, such as the path `Title / Section / Home`."""
    return title.casefold().startswith(heading.casefold()) and _BEHIND_HEADING.match(title, len(heading)) is not None


def _overlap(one: set[str], other: set[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0
