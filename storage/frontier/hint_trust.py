"""How far a source is trusted when it says that a page was modified.

Hints that led to a changed page (`confirmed`) are counted against those that did not (`refuted`). A new source may have a few hints
followed. The more hints are confirmed, the more may be followed before their outcome is known (`pending`). From a source that is mostly
wrong only a single hint is followed now and then, so that it can become trusted again. No clock, no I/O; times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FIRST_HINTS = 5  # of a new source; chosen: this is what a source that is wrong costs at first
HINTS_PER_CONFIRMED = 10  # pending hints that each confirmed one allows; chosen: a source that is right soon has no limit in practice
TRUSTED_SHARE = 0.5  # a fetch by a hint should find a change at least every second time
MIN_CONFIRMED = 2.0  # hints after which articles that the source lists are left to its hints; chosen
OUTCOME_DECAY = 0.95  # the weight of older outcomes at each new one: about the last 20 count
RETRY_SECONDS = 7 * 24 * 3600.0  # between single hints of a source that is not trusted; chosen
FUTURE_SECONDS = 3600.0  # how far a site's clock may be ahead of this one


@dataclass(frozen=True, slots=True)
class HintTrust:
    """The outcomes of a source's hints: `confirmed` and `refuted` ones (newer ones weigh more), and `pending` ones."""

    confirmed: float = 0.0
    refuted: float = 0.0
    pending: int = 0
    followed_at: float = 0.0

    @property
    def share(self) -> float:
        """The estimated share of hints that lead to a changed page; a half when nothing is known."""
        return (self.confirmed + 1) / (self.confirmed + self.refuted + 2)

    @property
    def is_trusted(self) -> bool:
        """Whether all hints of the source are followed, up to the allowance."""
        return self.share >= TRUSTED_SHARE

    @property
    def is_confirmed(self) -> bool:
        """Whether the source is trusted because its hints led to changed pages, not only because nothing is known."""
        return self.is_trusted and self.confirmed >= MIN_CONFIRMED


def allowance(trust: HintTrust, now: float) -> int:
    """How many more hints of a source may be followed now."""
    if trust.is_trusted:
        return max(FIRST_HINTS + int(HINTS_PER_CONFIRMED * trust.confirmed) - trust.pending, 0)
    return int(trust.pending <= 0 and now - trust.followed_at >= RETRY_SECONDS)


def with_followed(trust: HintTrust, count: int, now: float) -> HintTrust:
    """The trust after `count` hints were followed."""
    return replace(trust, pending=trust.pending + count, followed_at=now)


def with_outcome(trust: HintTrust, changed: bool | None) -> HintTrust:
    """The trust after the outcome of one hint: whether the page had changed, None if the response does not show it."""
    waiting = max(trust.pending - 1, 0)
    if changed is None:
        return replace(trust, pending=waiting)
    confirmed, refuted = trust.confirmed * OUTCOME_DECAY + changed, trust.refuted * OUTCOME_DECAY + (not changed)
    return replace(trust, confirmed=confirmed, refuted=refuted, pending=waiting)


def is_plausible(modified_at: float, fetched_at: float, now: float) -> bool:
    """Whether a modification time is plausible: later than the last fetch, and not in the future."""
    return fetched_at < modified_at <= now + FUTURE_SECONDS
