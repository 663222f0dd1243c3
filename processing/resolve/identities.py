"""Decide which URL identifies the article of each page: its own, or the canonical URL that it claims. No I/O.

A claim is believed only on evidence: the page that the canonical URL names, or the article that is known under it, has a text with a
Jaccard similarity of at least `MIN_SIMILARITY`. Otherwise a forgotten query in a template would make all stories of a site versions of one
article. It is decided over all pages of a run together, so that neither the order of fetching nor the division into segments matters. A
page that the lake knows keeps its article. Where claims link more pages than twins can be, they are not believed (`portions.links`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from processing.clean.identity import page_url, twin_key, twin_urls, url_id
from processing.clean.minhash import signatures, similarity
from processing.resolve.earlier_rows import EarlierRows, Text
from processing.resolve.records import RecordSummary

MIN_SIMILARITY = 0.5  # chosen: half of the text in common is the same story in another form
# Of a page, and of an article: with how many texts a page that claims a URL is compared. More occur only where a whole site claims one URL.
MAX_TEXTS = 8


@dataclass(slots=True)
class _Page:
    """One URL of the run, with the texts of its captures."""

    url: str
    page_id: str
    claimed_url: str | None
    texts: list[Text] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Identities:
    """The articles of the pages of a run whose article is not that of their own URL, by URL; and the pages whose claim was not believed."""

    articles: Mapping[str, str]
    refused: Mapping[str, str]  # URL -> canonical URL
    believed: int  # claims

    def of(self, summaries: Iterable[RecordSummary]) -> list[RecordSummary]:
        """The records with the articles of their pages."""
        return [self._identified(summary) for summary in summaries]

    def _identified(self, summary: RecordSummary) -> RecordSummary:
        article = self.articles.get(summary.url) if summary.article_id is not None else None
        return summary if article is None else replace(summary, article_id=article)


def decide_identities(summaries: Sequence[RecordSummary], earlier: EarlierRows, crowded: Collection[str] = frozenset()) -> Identities:
    """The identities of all pages of a run. `crowded` are the URLs of pages whose claims are not believed, because too many are linked."""
    articles = {
        summary.url: known
        for summary in summaries
        if summary.article_id is not None and (known := earlier.article_of(summary.url)) not in {None, summary.page_id}
    }
    claims = _Claims(_pages_by_twin_key(summaries), earlier, crowded)
    claims.decide()
    decided = {url: article for url, article in claims.articles.items() if url not in claims.refused}
    return Identities({**articles, **decided}, claims.refused, len(claims.claiming) - len(claims.refused))


def _pages_by_twin_key(summaries: Sequence[RecordSummary]) -> dict[str, list[_Page]]:
    """The pages that claim another URL, and those that are named, by twin key, each list sorted by URL."""
    wanted = {twin_key(claimed) for claimed in {summary.claimed_url for summary in summaries} if claimed is not None}
    pages: dict[str, _Page] = {}
    for summary in sorted((one for one in summaries if one.page_id is not None), key=lambda one: one.fetch_order) if wanted else ():
        if summary.claimed_url is not None or twin_key(page_url(summary.url)) in wanted:
            assert summary.page_id is not None
            page = pages.setdefault(summary.url, _Page(summary.url, summary.page_id, summary.claimed_url))
            text = Text(summary.text_digest or "", summary.signature)
            if len(page.texts) < MAX_TEXTS and text not in page.texts:
                page.texts.append(text)
    found: dict[str, list[_Page]] = {}
    for _, page in sorted(pages.items()):
        found.setdefault(twin_key(page_url(page.url)), []).append(page)
    return found


class _Claims:
    """The claims of a run, and what is decided on them.

    A page leads to the page or the article that its claim names if that is believed, and further along that one's own claim.
    """

    def __init__(self, pages: Mapping[str, Sequence[_Page]], earlier: EarlierRows, crowded: Collection[str]) -> None:
        self._pages, self._earlier, self._crowded = pages, earlier, crowded
        self._holders: dict[str, list[Text]] = {}  # by article: texts of pages of the run that the lake knows under it
        self.claiming = sorted((page for of_key in pages.values() for page in of_key if page.claimed_url), key=lambda page: page.url)
        self.articles: dict[str, str] = {}
        self.refused: dict[str, str] = {}

    def decide(self) -> None:
        """Decide all claims."""
        for page in self.claiming:
            known = self._earlier.article_of(page.url)
            if known is not None and known != page.page_id and len(texts := self._holders.setdefault(known, [])) < MAX_TEXTS:
                texts.extend(page.texts)
        targets = {page.url: self._target(page) for page in self.claiming}
        for page in self.claiming:
            self.articles[page.url] = _end(page, targets)
            if targets[page.url] is None and page.claimed_url is not None:
                self.refused[page.url] = page.claimed_url

    def _target(self, page: _Page) -> _Page | str | None:
        """What a page's claim leads to: a page of the run, an article, or None if it is not believed."""
        assert page.claimed_url is not None
        claimed_id = url_id(page.claimed_url)
        known = self._earlier.article_of(page.url)
        if known is not None:
            return None if known == page.page_id else known
        if page.url in self._crowded:
            return None
        named = [one for one in self._pages.get(twin_key(page.claimed_url), ()) if one is not page]
        exact = [one for one in named if one.page_id == claimed_id]
        for one in exact:
            if _are_similar(page.texts, one.texts):
                return self._leads_to(one)
        known_articles = list(self._known_under(page.claimed_url, claimed_id))
        for article in known_articles:
            if _are_similar(page.texts, [*self._earlier.texts.get(article, ()), *self._holders.get(article, ())]):
                return article
        for one in named:
            if one not in exact and _are_similar(page.texts, one.texts):
                return self._leads_to(one)
        is_own = twin_key(page.claimed_url) == twin_key(page_url(page.url))
        return claimed_id if is_own and not exact and not known_articles else None

    def _leads_to(self, page: _Page) -> _Page | str:
        return self._earlier.article_of(page.url) or page

    def _known_under(self, claimed_url: str, claimed_id: str) -> Iterator[str]:
        """The articles that the lake has under a canonical URL: that of the page with this URL, then that with this identity."""
        found = [known for url in twin_urls(claimed_url) if (known := self._earlier.article_of(url)) is not None]
        held = [claimed_id] if claimed_id in self._earlier.versions or claimed_id in self._holders else []
        yield from dict.fromkeys([*found[:1], *held, *found[1:]])


def _end(page: _Page, targets: Mapping[str, _Page | str | None]) -> str:
    """The article at the end of a page's claims. Of pages that name each other in a circle it is the smallest id."""
    seen: dict[str, _Page] = {}
    while page.url not in seen:
        seen[page.url] = page
        target = targets.get(page.url)
        if isinstance(target, str):
            return target
        if target is None:
            return page.page_id
        page = target
    urls = list(seen)
    return min(seen[url].page_id for url in urls[urls.index(page.url) :])


def _are_similar(texts: Sequence[Text], others: Sequence[Text]) -> bool:
    if {text.digest for text in texts} & {other.digest for other in others}:
        return True
    ours, theirs = ([text.signature for text in of if text.signature] for of in (texts, others))
    if not ours or not theirs:
        return False
    found = similarity(np.repeat(signatures(ours).sketches, len(theirs), axis=0), np.tile(signatures(theirs).sketches, (len(ours), 1)))
    return bool((found >= MIN_SIMILARITY).any())
