"""Read the authors of a page: names of persons, without roles, newsrooms, addresses or reading times."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain, islice, takewhile
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from processing.article.metadata.jsonld import JsonLd, Object, first_text, texts, types_of
from processing.article.metadata.markup import Markup, meta_source
from processing.article.metadata.names import first_names_first, split_names
from processing.article.metadata.surroundings import in_boilerplate, in_list_of_pages, node_names
from processing.article.metadata.titles import folded
from processing.article.tree.parse import Node
from processing.article.tree.visible import text_parts, visible_text

MAX_AUTHORS = 20
MAX_NAME_WORDS = 6
MAX_PERSON_WORDS = 9  # of a structured Person's name
MAX_INITIALS = 3  # letters: so much behind a newsroom's name names nobody
MAX_BYLINE_CHARACTERS = 200
MAX_LINE_CHARACTERS = 1000  # of a longer text the beginning is read
MAX_SIGNATURE_CHARACTERS = 90  # of a line that is only a byline
MAX_SIGNATURES = 30
PROSE_LENGTH = 120  # characters: a standfirst or a paragraph
PROSE_BEFORE_BYLINE = 2  # so many may stand between a heading and its byline
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
_BY = (
    r"by|written\s+by|posted\s+by|words\s+by|story\s+by|published\s+by|reviewed\s+by|edited\s+by|authors?|from|von|par|por|di|af|av|door"
    r"|autor(?:in|en)?|(?:interview(?:ed)?|text|compiled|recommended)\s+by"
    r"|(?:(?:ein\s+)?(?:(?:blog|gast)?\s?beitrag|artikel|bericht|text)|verfasst|geschrieben|veröffentlicht|gepostet|gespeichert|eingestellt)\s+von"
    r"|(?:publié|écrit|rédigé|propos\s+recueillis)\s+par|(?:escrito|publicado|redactado)\s+por|(?:scritto|pubblicato)\s+da|a\s+cura\s+di"
    r"|geschreven\s+door|skrevet\s+a[fv]|skriven\s+av|автор"
    r"|oleh|penulis|yazan|napisał[ai]?|napsala?|szerző|írta|piše|kirjoittanut|teksti|scris\s+de|tác\s+giả|โดย|بقلم|כתבה?|מאת|लेखक|লিখেছেন"
    r"|(?:texte?|texto|testo|tekst|ord|reportage|текст|作者|記者|记者|撰文|文|責任編輯|责任编辑|執筆|글|기자)(?=\s*[:：／])|(?:記者|记者|기자)(?=\s)"
)
# How all of these begin: two letters each.
_BEGINNINGS = r"b[yle]|w[or]|p[aoru]|s[ctk]|r[eé]|e[disn]|a[ufvr\s]|fr|v[oe]|d[io]|in|te|те|co|g[ae]|éc|or|ав|[作記记撰文責责執글기]"
_FIRST = "[bwpsraeéfvditcgoоатв作記记撰文責责執글기]"  # the first of them
_ALL_BY = r"(?:(?:view\s+)?all|more|see\s+all|alle|weitere|mehr)\s+(?:posts|articles|stories|artikel|beiträge)\s+(?:by|from|von)"
_PREFIX = re.compile(rf"^(?:(?:{_ALL_BY}|{_BY})\b\s*[:：／\-–—]?\s*)+", re.IGNORECASE)
_BY_PREFIX = re.compile(r"^(?:(?:written|posted|words|story|published)\s+)?by\b\s*[:\-–—]?\s+(?=\S+\s+\S)", re.IGNORECASE)
# In all texts of a page, each behind a null character: a label and a name, or only a label. White space is taken once and the first letter
# is tested before the words, because most texts of a page begin otherwise: without both it takes thirty times as long.
_SIGN = re.compile(rf"\0\s*+(?i:(?={_FIRST})(?={_BEGINNINGS})(?:{_BY}))\b\s*[:：／\-–—]?\s*(?:[^\W\d_a-zß-ÿ]|\0)")
# First names and particles of names, too: as prefixes only before a colon or two more words.
_AMBIGUOUS_PREFIX = re.compile(r"^(?:von|par|por|di|af|av)\s+\S+$", re.IGNORECASE)
_PREFIXED = re.compile(
    r"\b(?:written|posted|words|story|published|medically|fact[- ]checked)?\s*\bby\s*:?\s+(.+)", re.IGNORECASE | re.DOTALL
)
# What follows the names in a byline: a date, a reading time, a role.
_TAIL = re.compile(
    r",[^,]{3,40}\bcontribut(?:ing|ed)\b.*$|\s*(?:(?<![^\s@])[^\s@]+@[\w-]+\.\w|\blast(?=\s+(?:updated|modified|edited))"
    r"|\bread(?=\s*(?:more|time|next|full|the|\d|:))|\b(?:on|updated|published|posted|min(?:ute)?s?|in|at|for|is|photo\w*|images?|contact|follow|share|comments?)\b|\b(?:am|um|le|el|il|den)(?=\s*\d|\s*$)|[|•·—–/@(\[]|\d|\bhttps?:).*$",
    re.IGNORECASE | re.DOTALL,
)
_URLISH = re.compile(r"https?:|www\.|@|\.(?:com|org|net|io|co|uk|de|info|php|html?)\b", re.IGNORECASE)
_GENERIC = """
staff admin administrator editor editors editorial team desk newsroom reporter writer contributor contributors correspondent author authors
byline guest anonymous unknown user webmaster article articles content takeaways summary overview introduction
press release media news magazine published updated posted read reading min mins minutes minute views
comments comment share follow subscribe home about contact more profile posts articles view all none null undefined inc llc ltd gmbh company
corporation foundation university institute department agency association full bio login member sign log photo image images getty reuters
"""
_ROLES = """
director head marketing manager senior sr officer founder president professor attorney development analyst specialist producer columnist
executive chief strategist consultant engineer expert ceo cto coo lead assistant
"""
_NOT_NAMES = frozenset((_GENERIC + _ROLES).split())
_ONLY_GENERIC = frozenset(_GENERIC.split()) | {"the", "by", "our", "site", "web", "super", "root", "default", "content"}
_DEGREES = """
md phd ms ma ba bs bsc msc mba mph rn rd rdn ldn np do dds jd esq cpa cfa cfp dvm dr jr sr ii iii prof mr mrs fand cscs cpt pharmd mfa med
edd lcsw aprn
"""
_CREDENTIALS = frozenset(_DEGREES.split())
_DESK = frozenset(["staff", "team", "newsroom", "desk", "editors", "editorial", "admin", "webmaster", "llc", "inc", "ltd", "gmbh"])
_NO_NAME = re.compile(r"(?!the\s)[a-zäöü]")  # the next words are prose
_PROSE_WORDS = frozenset(("or", "for", "to", "with", "your", "our", "this", "is", "are"))  # in small letters they are in no name
_LOGIN = re.compile(r"[^\sA-Z]*[a-z\d][._\d][^\sA-Z]*")  # `jane_doe`, `jane.doe`, `jdoe42`: a name for machines
_BOX_NAMES = re.compile(
    r"author[-_ ]?(?:bio|box|info|card|profile|about|descr|details|area|section)|about[-_ ]?(?:the[-_ ]?)?author", re.IGNORECASE
)
_NAME_IN_BOX = "h2, h3, h4, h5, h6, .author-name, .fn, [rel~=author]"
_ABOUT = re.compile(r"^(?:about(?: the author)?|über(?: (?:den|die) autor(?:in)?)?|meet)\b\s*[:\-–—]?\s*", re.IGNORECASE)
_IDEOGRAPHIC_NAME = re.compile(r"[\u4e00-\u9fff\uac00-\ud7af]{2,4}")
_BEHIND = re.compile(r"(?<=[\u4e00-\u9fff\uac00-\ud7af])\s*(?:기자|특파원|논설위원|記者|记者)$")  # "reporter" stands behind the name
_MAIL = re.compile(r"[^\s@]@[\w-]+\.\w")
_BRACKETS = re.compile(r"\s*\([^)]*\)|\s*\[[^\]]*\]")
_HEADING_TAGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_LETTERS = re.compile(r"[^\W\d_]")


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


class Candidate(NamedTuple):
    """A text that may name authors, and its source. `whole`: the text is only names. `person`: it is the name of a structured Person."""

    source: str
    text: str
    whole: bool = True
    person: bool = False


def read_authors(markup: Markup, json_ld: JsonLd, site_name: str | None = None) -> tuple[str, ...]:
    """The authors, from the most reliable source that names a person, without the site's name beside others."""
    names = next((names for _, names in authors(markup, json_ld, site_name)), ())
    site = _bare(site_name or "")
    others = tuple(name for name in names if _bare(name) != site)
    if any(len(_bare(name)) > MAX_INITIALS for name in others):
        return others
    return tuple(name for name in names if name not in others) or others


def authors(markup: Markup, json_ld: JsonLd, site_name: str | None = None) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The sources with their names of persons, the most reliable first; then those that name only the site or a login; then desks."""
    publishers = _publishers(json_ld, site_name)
    weak: list[tuple[str, tuple[str, ...]]] = []
    for read in _READERS:
        named = [(candidate.source, found) for candidate in read(markup, json_ld) if (found := _names_of(candidate))]
        names = list(dict.fromkeys(name for _, found in named for name in found))
        if names:
            sourced = " and ".join(dict.fromkeys(source for source, _ in named)), tuple(_distinct(names))[:MAX_AUTHORS]
            others = [name for name in names if not _LOGIN.fullmatch(name) and not _is_publisher(name, publishers)]
            if len(others) < len(names) and all(len(_bare(name)) <= MAX_INITIALS for name in others):
                weak.append(sourced)
            else:
                yield sourced
    yield from weak
    yield from _desks_and_organizations(markup, json_ld)


def site_of(site_name: str | None, url: str) -> str | None:
    """The site's declared name, otherwise the main label of its host, such as `valley-post`."""
    labels = (urlsplit(url).hostname or "").split(".")
    return site_name or next((label for label in reversed(labels[:-1]) if len(label) > MAX_INITIALS), None)


def _publishers(json_ld: JsonLd, site_name: str | None) -> set[str]:
    """The names of the site and of its publisher, letters only."""
    declared = texts(json_ld.resolve((json_ld.article or {}).get("publisher")))
    return {bare for name in (site_name or "", *declared) if len(bare := _bare(name)) > 1}


def _is_publisher(name: str, publishers: set[str]) -> bool:
    """Whether a name is the site's, perhaps with an ending such as `.com` more or less."""
    bare = _bare(name)
    return any(
        bare == publisher or (len(bare) > 3 and (publisher.startswith(bare) or bare.startswith(publisher))) for publisher in publishers
    )


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).casefold().removeprefix("the").removeprefix("www")


def _names_of(candidate: Candidate) -> list[str]:
    return names_of_person(candidate.text) if candidate.person else names_in(candidate.text, candidate.whole)


def _desks_and_organizations(markup: Markup, json_ld: JsonLd) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Named desks and organisations, for pages that name no person. A general word such as "Staff" is no name."""
    declared = [("json-ld author", text) for text in texts(json_ld.resolve((json_ld.article or {}).get("author")))]
    declared += [(candidate.source, candidate.text) for candidate in _from_metas(markup, json_ld)]
    bylines = ((node, visible_text(node, MAX_LINE_CHARACTERS)) for node in markup.authors[:20] if not in_boilerplate(node))
    named = (
        (_byline_source(node), line) for node, line in bylines if (by := _PREFIX.match(line)) and _NO_NAME.match(line, by.end()) is None
    )
    for source, text in chain(declared, named):
        name = _TAIL.sub("", _PREFIX.sub("", folded(text))).strip(" .,:-–—")
        words = [re.sub(r"\W", "", word).casefold() for word in name.split()]
        if (
            0 < len(words) <= MAX_NAME_WORDS
            and not _MAIL.search(text)
            and not _URLISH.search(name)
            and not all(word in _ONLY_GENERIC for word in words if word)
        ):
            yield source, (name,)


def names_in(text: str, whole: bool = True) -> list[str]:
    """The names in a text. Where it is not `whole`, a date, a reading time or a role may follow the names."""
    text = "\n".join(folded(line) for line in re.sub(r"<[^>]*>", " ", text).split("\n")).strip()
    if not text or _URLISH.search(text.split()[0]):
        return []
    text = without_prefix(text) if whole else _TAIL.sub("", _PREFIX.sub("", text))
    names = []
    for candidate in split_names(first_names_first(text) if whole else text):
        stripped = candidate.strip(" .:-–—\"'“”*")
        written = _BRACKETS.sub("", without_prefix(stripped) if whole else _PREFIX.sub("", stripped)).strip()
        part = _BEHIND.sub("", written)
        if _is_name(part, whole) or (part != written and _IDEOGRAPHIC_NAME.fullmatch(part)):
            names.append(part)
        elif names and not _is_credential(part):
            break  # a role or an outlet ends the list
    return names


def without_prefix(text: str) -> str:
    """A text without a leading "by" in any language. `Di Wu` and `Von Tran` are names."""
    return text if _AMBIGUOUS_PREFIX.match(text) else _PREFIX.sub("", text)


def names_of_person(text: str) -> list[str]:
    """The names in the name of a structured Person: whole, without a leading "By". General words such as "Staff" are no name."""
    text = folded(re.sub(r"<[^>]*>", " ", text))
    text = _BY_PREFIX.sub("", text)
    names = []
    for candidate in split_names(first_names_first(text), structured=True):
        part = _BEHIND.sub("", _BRACKETS.sub("", candidate.strip(' :-–—"“”*,')).strip())
        if _is_person(part):
            names.append(part)
    return names


def _is_person(part: str) -> bool:
    words = [re.sub(r"\W", "", word).casefold() for word in part.split()]
    if not 0 < len(words) <= MAX_PERSON_WORDS or not _LETTERS.search(part) or _is_credential(part) or _URLISH.search(part):
        return False
    if all(word in _NOT_NAMES or word in _ONLY_GENERIC for word in words if word) or not _DESK.isdisjoint(words):
        return False
    return not re.search(r"\d{2}|[<>{}=?!#]", part) and len(part) > 1


def _is_credential(part: str) -> bool:
    return all(re.sub(r"\W", "", word).casefold() in _CREDENTIALS for word in part.split())


def _is_name(part: str, whole: bool) -> bool:
    words = part.split()
    if not words or len(words) > MAX_NAME_WORDS or _is_credential(part) or not _LETTERS.search(part):
        return False
    if _URLISH.search(part) or any(re.sub(r"\W", "", word).casefold() in _NOT_NAMES for word in words):
        return False
    if re.search(r"\d{2}|[<>{}=?!#:]", part) or len(part) < 2:
        return False
    if whole:
        return True
    if not _PROSE_WORDS.isdisjoint(words):
        return False
    capital = sum(word[0].isupper() or not word[0].islower() for word in words)
    return len(words) >= 2 and capital * 3 >= len(words) * 2


def _distinct(names: list[str]) -> list[str]:
    """Without names that differ from an earlier one only in case or dots."""
    seen: dict[str, str] = {}
    for name in names:
        seen.setdefault(re.sub(r"\W+", "", name).casefold(), name)
    return list(seen.values())


def _from_json_ld(_: Markup, json_ld: JsonLd) -> list[Candidate]:
    for item in (json_ld.article, json_ld.page):
        for key in ("author", "creator"):
            if item and item.get(key) and (found := _people(item[key], json_ld)):
                return [Candidate(f"json-ld {key}", text, person=person) for text, person in found]
    return []


def _from_metas(markup: Markup, _: JsonLd) -> list[Candidate]:
    meta = markup.meta
    found = [(name, text) for name in META_NAMES if name in meta for text in meta[name]]
    if not found:
        labels = (number for number in "12" if (markup.first(f"twitter:label{number}") or "").strip().lower() in _WRITTEN_BY)
        found = [(f"twitter:data{number}", text) for number in labels for text in meta.get(f"twitter:data{number}", ())]
    return [Candidate(meta_source(name), text) for name, text in found]


def _people(value: Any, json_ld: JsonLd) -> list[tuple[str, bool]]:
    """The texts that name the authors, without organizations, and whether each is the name of a structured Person."""
    people: list[tuple[str, bool]] = []
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


def _from_properties(markup: Markup, _: JsonLd) -> list[Candidate]:
    """The microdata property `author`, or its `name` if it has one; several where they stand beside one another."""
    found: list[Node] = []
    candidates: list[Candidate] = []
    for node in markup.properties.get("author", ())[:10]:
        if in_boilerplate(node) and in_list_of_pages(node):  # blogs keep the author in the article's footer
            continue
        if found and not _are_close(found[-1], node):
            break
        named = node.css_first("[itemprop=name]")
        named = named or node
        text = named.attributes.get("content") or visible_text(named, MAX_BYLINE_CHARACTERS)
        if 0 < len(text) <= MAX_BYLINE_CHARACTERS:
            found.append(node)
            candidates.append(Candidate("itemprop=author", text))
    return candidates


def _from_links(markup: Markup, _: JsonLd) -> list[Candidate]:
    """Links to authors' pages outside boilerplate: the first one and those beside it."""
    found: list[Node] = []
    for node in markup.author_links[:40]:
        declared = _is_declared(node)
        elsewhere = in_boilerplate(node) and (not declared or in_list_of_pages(node))
        if elsewhere or not names_in(visible_text(node, MAX_LINE_CHARACTERS), whole=declared):
            continue
        if found and not _are_close(found[-1], node):
            break
        found.append(node)
    return [Candidate(_link_source(node), visible_text(node, MAX_LINE_CHARACTERS), whole=_is_declared(node)) for node in found]


def _is_declared(node: Node) -> bool:
    """Whether a link is declared as the author's: then one word may be the name, too."""
    return "author" in (node.attributes.get("rel") or "").lower().split()


def _link_source(node: Node) -> str:
    """The source's name of a link to an author's page: its `rel` or its target."""
    attributes = node.attributes
    return "rel=author" if "author" in (attributes.get("rel") or "") else f"link to {attributes.get('href') or ''}"


def _are_close(one: Node, other: Node) -> bool:
    """Whether two nodes share a parent or a grandparent."""
    first, second = one.parent, other.parent
    if first is None or second is None:
        return False
    above, beside = first.parent, second.parent
    return first == second or (above is not None and beside is not None and above == beside)


def _from_bylines(markup: Markup, _: JsonLd) -> list[Candidate]:
    """The first element with `byline` or `author` in its names that holds a name."""
    for node in markup.authors[:60]:
        if not in_boilerplate(node) and (text := _byline("\n".join(text_parts(node, MAX_LINE_CHARACTERS)))):
            return [Candidate(_byline_source(node), text, whole=False)]
    return []


def _byline_source(node: Node) -> str:
    """The source's name of a byline: its tag with class or id, such as `byline p.author-name`."""
    attributes = node.attributes
    names, own = attributes.get("class"), attributes.get("id")
    return f"byline {'.'.join([node.tag or '', *names.split()]) if names else f'{node.tag}#{own}' if own else node.tag}"


def _from_heading(markup: Markup, _: JsonLd) -> list[Candidate]:
    """The text after "by" that follows the main heading closely."""
    for heading in markup.headings[:3]:
        found = list(markup.texts_after(heading))
        prose = 0
        for position, (part, node) in enumerate(found):
            behind = _PREFIX.match(part)
            if behind and len(part) <= MAX_BYLINE_CHARACTERS and not in_boilerplate(node):
                if _in_heading(node) and sum(_in_heading(other) and _PREFIX.match(text) is not None for text, other in found) > 1:
                    continue  # several works with their authors
                text = "\n".join([part[behind.end() :], *_beside(found, position)]) if behind.end() > len(part) - 2 else part
                if names_in(text, whole=False):
                    return [Candidate("behind “by” after <h1>", text, whole=False)]
            prose += len(part) >= PROSE_LENGTH
            if prose > PROSE_BEFORE_BYLINE:
                break
    return []


def _beside(found: list[tuple[str, Node]], position: int) -> list[str]:
    """The texts behind one that is only "by", up to the next heading."""
    following = found[position + 1 : position + 6]
    return [text for text, _ in takewhile(lambda item: not _in_heading(item[1]), following)] or [text for text, _ in following[:1]]


def _in_heading(node: Node) -> bool:
    parent = node.parent
    return node.tag in _HEADING_TAGS or (parent is not None and parent.tag in _HEADING_TAGS)


def _from_signatures(markup: Markup, _: JsonLd) -> list[Candidate]:
    """The text behind "by" anywhere outside boilerplate, or a name alone at the right, if the page has only one of them."""
    labelled = markup.labelled(_PREFIX) if any(map(_may_name, markup.short_texts(_SIGN))) else ()
    behind_by = ((text[by.end() :], node) for text, node in labelled if (by := _PREFIX.match(text)))
    alone = (
        (text, node)
        for node in markup.on_the_right
        if len(text := visible_text(node, MAX_SIGNATURE_CHARACTERS)) <= MAX_SIGNATURE_CHARACTERS
    )
    for source, lines, whole in (("text behind “by”", behind_by, False), ("signature", alone, True)):
        found = {}
        for text, node in islice(lines, MAX_SIGNATURES):
            if len(text) > MAX_SIGNATURE_CHARACTERS or _in_heading(node) or in_boilerplate(node):
                continue
            names = names_in(text, whole=False) or ([] if whole else _ideographic_name(text))
            if names and (not whole or _bare("".join(names)) == _bare(text)):
                found[tuple(names)] = Candidate(source, text, whole=False, person=not whole and " " not in names[0])
        if len(found) == 1:
            return list(found.values())
    return []


def _may_name(text: str) -> bool:
    """Whether a text is a label with a name, or only a label, behind which a name may stand."""
    by = _PREFIX.match(text)
    if by is None or by.end() >= len(text) - 1:
        return by is not None
    return bool(names_in(text[by.end() :], whole=False) or _ideographic_name(text[by.end() :]))


def _ideographic_name(text: str) -> list[str]:
    """A Chinese, Japanese or Korean name, which has no space in it."""
    return [text.strip()] if _IDEOGRAPHIC_NAME.fullmatch(text.strip()) else []


def _from_boxes(markup: Markup, _: JsonLd) -> list[Candidate]:
    """The name in a box about the author, which may stand in the footer, if all such boxes name the same."""
    found = {}
    for node in markup.authors[:60]:
        if not _BOX_NAMES.search(node_names(node)) or in_list_of_pages(node):
            continue
        named = node.css_first(_NAME_IN_BOX)
        text = _ABOUT.sub("", visible_text(named, MAX_BYLINE_CHARACTERS)) if named is not None else ""
        if len(text) <= MAX_SIGNATURE_CHARACTERS and (names := names_in(text, whole=False)):
            found[tuple(names)] = Candidate(_byline_source(node), text, whole=False)
    return list(found.values()) if len(found) == 1 else []


def _byline(text: str) -> str | None:
    if not 2 < len(text) <= 2 * MAX_BYLINE_CHARACTERS:
        return None
    behind = _PREFIXED.search(text)
    candidate = behind[1] if behind else text
    return candidate if len(candidate) <= MAX_BYLINE_CHARACTERS and names_in(candidate, whole=False) else None


_READERS: tuple[Callable[[Markup, JsonLd], list[Candidate]], ...] = (
    _from_json_ld, _from_metas, _from_properties, _from_heading, _from_links, _from_bylines, _from_signatures, _from_boxes,
)  # fmt: skip
