"""Deciding what became of each record of a run: known, a new version, a duplicate, quarantined or rejected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from processing.resolve.earlier_rows import LakeView, Original, Told, Version
from processing.resolve.records import Card, Decision, Place
from schemas.outcomes import Outcome, Reason

Recheck = Callable[[Version], str]
"""The text digest of a committed version as today's code and memory clean it."""

_OTHER_KINDS = {"robots": Reason.ROBOTS_FILE, "feed": Reason.FEED, "sitemap": Reason.SITEMAP, "shell": Reason.RENDERED}
_SERVED = {Outcome.PUBLISHED, Outcome.KNOWN, Outcome.DUPLICATE}


def decide(
    cards: Sequence[Card], view: LakeView, near: Mapping[str, Sequence[tuple[str, float]]], recheck: Recheck
) -> dict[Place, Decision]:
    """The decision on each record. The order of `cards` does not matter: they are taken in the order of fetching.

    `near` lists per text digest the earlier similar ones of the run, earliest first.
    """
    run = _Run(view, near, recheck)
    ordered = sorted(cards, key=lambda card: card.age)
    for card in ordered:
        if not card.is_revisit:
            run.decisions[card.place] = run.response(card)
    for card in ordered:
        if card.is_revisit:
            run.decisions[card.place] = run.revisit(card)
    return run.decisions


@dataclass(slots=True)
class _Latest:
    version: int
    text_digest: str


class _Run:
    """What was decided so far in a run."""

    def __init__(self, view: LakeView, near: Mapping[str, Sequence[tuple[str, float]]], recheck: Recheck) -> None:
        self.decisions: dict[Place, Decision] = {}
        self._view = view
        self._near = near
        self._recheck = recheck
        self._latest: dict[str, _Latest] = {}
        self._originals: dict[str, str] = {}  # text digest -> article of this run

    def response(self, card: Card) -> Decision:
        if card.reason is not None or card.article_id is None or card.text_digest is None:
            return Decision(Outcome.REJECTED, reason=card.reason or str(Reason.NO_ARTICLE), detail=card.detail)
        latest = self._latest_of(card.article_id, card.text_digest)
        told = self._view.payloads.get((card.url, card.content_digest)) if card.content_digest else None
        if told is not None and self._still_latest(told, card.article_id, latest):
            return Decision(Outcome.KNOWN, told.article_id, told.version)
        if card.quarantine_reason is not None:
            return Decision(Outcome.QUARANTINED, card.article_id, reason=card.quarantine_reason, detail=card.quarantine_detail)
        if latest is not None and latest.text_digest == card.text_digest:
            return Decision(Outcome.KNOWN, card.article_id, latest.version)
        return self._new_version(card.article_id, card.text_digest, 1 if latest is None else latest.version + 1)

    def revisit(self, card: Card) -> Decision:
        if card.kind in _OTHER_KINDS:
            return Decision(Outcome.REJECTED, reason=str(_OTHER_KINDS[card.kind]), detail="unchanged")
        told = self._told(card)
        if told is None:
            return Decision(Outcome.REJECTED, reason=str(Reason.NO_ARTICLE), detail="a revisit of a capture that was never processed")
        if told.outcome in _SERVED:
            return Decision(Outcome.KNOWN, told.article_id, told.version)
        return Decision(Outcome.REJECTED, reason=told.reason, detail=f"unchanged since it was {told.outcome}")

    def _told(self, card: Card) -> Told | None:
        if card.refers_to is None:
            return self._view.payloads.get((card.url, card.content_digest))
        decision = self.decisions.get(card.refers_to)
        if decision is not None:
            return Told(str(decision.outcome), decision.reason, decision.article_id, decision.version)
        return self._view.captures.get(card.refers_to)

    def _latest_of(self, article_id: str, text_digest: str) -> _Latest | None:
        """The article's latest version, in this run or in the lake; that of the lake as it would be cleaned today."""
        known, committed = self._latest.get(article_id), self._view.versions.get(article_id)
        if known is None and committed is not None:
            same = committed.text_digest == text_digest
            known = _Latest(committed.version, text_digest if same else self._recheck(committed))
            if not same:
                self._latest[article_id] = known
        return known

    def _still_latest(self, told: Told, article_id: str, latest: _Latest | None) -> bool:
        """Whether nothing was published after the version that an identical payload came to: else the page went back to it."""
        return told.article_id != article_id or latest is None or told.version == latest.version

    def _new_version(self, article_id: str, text_digest: str, version: int) -> Decision:
        self._latest[article_id] = _Latest(version, text_digest)
        original = self._original(article_id, text_digest)
        if original is None:
            self._originals.setdefault(text_digest, article_id)
            return Decision(Outcome.PUBLISHED, article_id, version)
        kind, whose, similarity = original
        return Decision(Outcome.DUPLICATE, article_id, version, duplicate_of=whose, duplicate_kind=kind, similarity=similarity)

    def _original(self, article_id: str, text_digest: str) -> tuple[str, str, float] | None:
        """What a text is a duplicate of: the first committed row, else the earliest fetched of this run."""
        for kind, committed in (("exact", self._view.exact), ("near", self._view.near)):
            found = _other(committed.get(text_digest, ()), article_id)
            if found is not None:
                return kind, found.article_id, found.similarity
        same = self._originals.get(text_digest)
        if same is not None and same != article_id:
            return "exact", same, 1.0
        for digest, similarity in self._near.get(text_digest, ()):
            whose = self._originals.get(digest)
            if whose is not None and whose != article_id:
                return "near", whose, similarity
        return None


def _other(originals: Sequence[Original], article_id: str) -> Original | None:
    return next((original for original in originals if original.article_id != article_id), None)
