"""Decide the outcome of each record of a run: known, a new version, a duplicate, quarantined or rejected.

No I/O: what the decisions need comes in as `RecordSummary` and `EarlierRows`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from processing.clean.identity import page_url, url_id
from processing.extract.rejections import REASON_OF_KIND
from processing.resolve.earlier_rows import EarlierOutcome, EarlierRows, Original, Version
from processing.resolve.records import WITH_ARTICLE, Decision, RecordId, RecordSummary, TextRank
from processing.resolve.replaced import NO_NUMBERS, FormerNumbers
from schemas.outcomes import Outcome, Reason

CurrentDigest = Callable[[Version], str]
"""Gives the text digest that a committed version has when this run's code and site memory clean it."""
DuplicateOf = tuple[str, str, float]  # kind, article, similarity


def decide(
    summaries: Sequence[RecordSummary],
    earlier: EarlierRows,
    near: Mapping[str, Sequence[tuple[str, float]]],
    current_digest: CurrentDigest,
    former: FormerNumbers = NO_NUMBERS,
) -> dict[RecordId, Decision]:
    """The decision on each record. The order of `summaries` does not matter: they are taken in the order of fetching.

    `near` lists, per text digest, the similar texts of this run that rank before it (`records.text_rank`), the first one first. `former`
    are the numbers of rows that the run replaces.
    """
    decisions = decide_versions(summaries, earlier, current_digest, former)
    _find_duplicates(summaries, decisions, earlier, near)
    return decisions


def decide_versions(
    summaries: Sequence[RecordSummary], earlier: EarlierRows, current_digest: CurrentDigest, former: FormerNumbers = NO_NUMBERS
) -> dict[RecordId, Decision]:
    """The decision on each record, as long as new versions are not compared with one another: all of them are `published`.

    Records whose pages, articles and claims have nothing in common can be decided on apart from one another.
    """
    run = _RunDecisions(earlier, current_digest, former)
    ordered = sorted(summaries, key=lambda summary: summary.fetch_order)
    run.without_article = {one.url for one in ordered if one.article_id is None and not one.is_revisit}
    for summary in ordered:
        if not summary.is_revisit and not summary.is_twin:
            run.decisions[summary.record_id] = run.response(summary)
    for summary in ordered:  # twins after the pages that their articles are known under
        if not summary.is_revisit and summary.is_twin:
            run.decisions[summary.record_id] = run.twin(summary)
    for summary in ordered:
        if summary.is_revisit:
            run.decisions[summary.record_id] = run.revisit(summary)
    return run.decisions


def as_duplicate(decision: Decision, original: DuplicateOf | None) -> Decision:
    """The decision on a new version whose text another article has already; the same one without an original."""
    if original is None:
        return decision
    kind, article, similarity = original
    return replace(decision, outcome=Outcome.DUPLICATE, duplicate_of=article, duplicate_kind=kind, similarity=similarity)


def committed_original(earlier: EarlierRows, article_id: str, text_digest: str) -> DuplicateOf | None:
    """The first committed row of another article with this text, else with one that is nearly so."""
    for kind, committed in (("exact", earlier.exact), ("near", earlier.near)):
        found = _other(committed.get(text_digest, ()), article_id)
        if found is not None:
            return kind, found.article_id, found.similarity
    return None


def _find_duplicates(
    summaries: Sequence[RecordSummary],
    decisions: dict[RecordId, Decision],
    earlier: EarlierRows,
    near: Mapping[str, Sequence[tuple[str, float]]],
) -> None:
    """Say of the new versions which are duplicates. They are taken by the rank of their texts, whatever the order of fetching."""
    ranked = [(one.rank(), one, one.text_digest) for one in summaries if one.text_digest is not None]
    first: dict[str, TextRank] = {}
    for rank, one, digest in ranked:
        if one.quarantine_reason is None and (digest not in first or rank < first[digest]):
            first[digest] = rank
    new = [
        (first.get(digest, rank), rank, decision.version or 0, one, decision)
        for rank, one, digest in ranked
        if (decision := decisions[one.record_id]).outcome is Outcome.PUBLISHED
    ]
    originals: dict[str, str] = {}  # text digest -> article of this run
    for *_, summary, decision in sorted(new, key=lambda found: found[:3]):
        article, text = decision.article_id, summary.text_digest
        assert article is not None
        assert text is not None
        original = committed_original(earlier, article, text) or _original_of_run(originals, near, article, text)
        if original is None:
            originals.setdefault(text, article)
        decisions[summary.record_id] = as_duplicate(decision, original)


def _original_of_run(
    originals: Mapping[str, str], near: Mapping[str, Sequence[tuple[str, float]]], article_id: str, text_digest: str
) -> DuplicateOf | None:
    same = originals.get(text_digest)
    if same is not None and same != article_id:
        return "exact", same, 1.0
    for digest, similarity in near.get(text_digest, ()):
        article = originals.get(digest)
        if article is not None and article != article_id:
            return "near", article, similarity
    return None


@dataclass(slots=True)
class _Latest:
    version: int
    text_digest: str
    url: str


class _RunDecisions:
    """The decisions so far, and what later ones depend on."""

    def __init__(self, earlier: EarlierRows, current_digest: CurrentDigest, former: FormerNumbers) -> None:
        self.decisions: dict[RecordId, Decision] = {}
        self._earlier = earlier
        self._former = former
        self._current_digest = current_digest
        self.without_article: set[str] = set()  # pages that were read in this run and have none
        self._latest: dict[str, _Latest] = {}  # by article: its latest version of this run
        self._highest: dict[str, int] = {}  # by article: the highest number of its versions in this run
        self._of_page: dict[tuple[str, str], _Latest] = {}  # by article and URL: the latest version of a page that is not the article's
        self._own_versions: dict[str, int] = {}  # by article: the version that the page which it is known under has in this run

    def response(self, summary: RecordSummary) -> Decision:
        if summary.reason is not None or summary.article_id is None or summary.text_digest is None:
            return Decision(Outcome.REJECTED, reason=summary.reason or str(Reason.NO_ARTICLE), detail=summary.detail)
        decision = self._response(summary, summary.article_id, summary.text_digest)
        if decision.outcome in WITH_ARTICLE and decision.version is not None:
            self._own_versions[summary.article_id] = decision.version
        return decision

    def twin(self, summary: RecordSummary) -> Decision:
        """The decision on a page whose article is known under another page. That page's text is the article's, where it stands."""
        if summary.reason is not None or summary.article_id is None or summary.text_digest is None:
            return self.response(summary)
        version = self._standing(summary.article_id)
        if version is not None and summary.quarantine_reason is None:
            return Decision(Outcome.KNOWN, summary.article_id, version)
        return self._response(summary, summary.article_id, summary.text_digest)

    def _standing(self, article_id: str) -> int | None:
        """The version of an article whose own page has it, in this run or, if it was not read, in the lake; None if there is none."""
        if article_id in self._own_versions:
            return self._own_versions[article_id]
        committed = self._earlier.versions.get(article_id)
        if committed is None or url_id(page_url(committed.url)) != article_id or committed.url in self.without_article:
            return None
        page = self._earlier.pages.get(committed.url)
        return committed.version if page is None or page.has_article else None

    def _response(self, summary: RecordSummary, article_id: str, text_digest: str) -> Decision:
        latest = self._latest_of(article_id, summary.url, text_digest)
        previous = self._earlier.payloads.get((summary.url, summary.content_digest)) if summary.content_digest else None
        if previous is not None and self._is_there(previous) and self._still_latest(previous, article_id, latest):
            return Decision(Outcome.KNOWN, previous.article_id, previous.version)
        for known in (latest, self._latest.get(article_id) or self._earlier.versions.get(article_id)):
            if known is not None and known.text_digest == text_digest:  # also if it breaks a rule: then somebody has released it
                return Decision(Outcome.KNOWN, article_id, known.version)
        if summary.quarantine_reason is not None:
            return Decision(Outcome.QUARANTINED, article_id, reason=summary.quarantine_reason, detail=summary.quarantine_detail)
        return self._new_version(summary, article_id, text_digest)

    def revisit(self, summary: RecordSummary) -> Decision:
        if summary.kind in REASON_OF_KIND:
            return Decision(Outcome.REJECTED, reason=str(REASON_OF_KIND[summary.kind]), detail="unchanged")
        if summary.reason is not None:
            return Decision(Outcome.REJECTED, reason=summary.reason, detail=summary.detail)
        previous = self._earlier_outcome(summary)
        if previous is None:
            return Decision(Outcome.REJECTED, reason=str(Reason.NO_ARTICLE), detail="a revisit of a capture that was never processed")
        if previous.outcome in WITH_ARTICLE and not self._is_there(previous):
            return Decision(Outcome.REJECTED, reason=str(Reason.NO_ARTICLE), detail="unchanged since a capture whose rows were taken out")
        if previous.outcome in WITH_ARTICLE:
            return Decision(Outcome.KNOWN, previous.article_id, previous.version)
        return Decision(Outcome.REJECTED, reason=previous.reason, detail=f"unchanged since it was {previous.outcome}")

    def _earlier_outcome(self, summary: RecordSummary) -> EarlierOutcome | None:
        if summary.refers_to is None:
            return self._earlier.payloads.get((summary.url, summary.content_digest))
        decision = self.decisions.get(summary.refers_to)
        if decision is not None:
            return EarlierOutcome(str(decision.outcome), decision.reason, decision.article_id, decision.version)
        previous = self._earlier.captures.get(summary.refers_to)
        if previous is not None and previous.outcome in WITH_ARTICLE:
            return previous
        # a later revisit may have been read again, and have an article
        return self._earlier.payloads.get((summary.url, summary.content_digest)) or previous

    def _latest_of(self, article_id: str, url: str, text_digest: str) -> _Latest | None:
        """The version with which a page is compared: the last that it gave itself, else the article's latest, in this run or in the lake.

        The text digest is the one that this run's code and memory give.
        """
        known = self._latest.get(article_id)
        if known is not None and known.url == url:
            return known
        of_page = self._of_page.get((article_id, url))
        if of_page is not None:
            return of_page
        committed = self._earlier.last_version(article_id, url)
        if committed is None or (known is not None and committed.url != url):
            return known
        digest = text_digest if committed.text_digest == text_digest else self._current_digest(committed)
        return _Latest(committed.version, digest, committed.url)

    def _is_there(self, previous: EarlierOutcome) -> bool:
        """Whether the article of an earlier capture has a version: its rows may have been taken out by a rollback."""
        return previous.article_id not in self._earlier.gone or previous.article_id in self._latest

    def _still_latest(self, previous: EarlierOutcome, article_id: str, latest: _Latest | None) -> bool:
        """Whether the version that an identical payload had is still the latest. If not, the page has returned to an older text."""
        return previous.article_id != article_id or latest is None or previous.version == latest.version

    def _new_version(self, summary: RecordSummary, article_id: str, text_digest: str) -> Decision:
        version = self._next_version(summary.record_id, article_id)
        replaced = self._latest.get(article_id)
        if replaced is not None and replaced.url != summary.url:
            self._of_page[article_id, replaced.url] = replaced
        self._of_page.pop((article_id, summary.url), None)
        self._latest[article_id] = _Latest(version, text_digest, summary.url)
        return Decision(Outcome.PUBLISHED, article_id, version)

    def _next_version(self, record_id: RecordId, article_id: str) -> int:
        known = self._highest.get(article_id, 0)
        version = self._former.number(record_id, article_id, max(self._earlier.highest(article_id), known))
        self._highest[article_id] = max(version, known)
        return version


def _other(originals: Sequence[Original], article_id: str) -> Original | None:
    return next((original for original in originals if original.article_id != article_id), None)
