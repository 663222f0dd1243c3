"""How far a source's word that a page was modified is believed: hints that led to a changed page are counted against those that did not.

Each source begins with a little credit. One that lies most of the time is not asked again but for a single try now and then, so that it
may mend; how many hints are followed before their outcome is known grows with what was kept. No clock, no I/O; times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FIRST_HINTS = 5
HINTS_PER_CONFIRMED = 10
TRUSTED_SHARE = 0.5
OUTCOME_DECAY = 0.95  # an outcome's weight after each newer one
RETRY_SECONDS = 7 * 24 * 3600.0
FUTURE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class HintTrust:
    """What a source's hints were worth: `kept` and `lied` outcomes, newer ones counting more; `open` hints wait for theirs."""

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
        """Whether hints are followed as they come."""
        return self.share >= TRUSTED_SHARE


def allowance(trust: HintTrust, now: float) -> int:
    """How many more hints of a source may be followed now."""
    if trust.is_trusted:
        return max(FIRST_HINTS + int(HINTS_PER_CONFIRMED * trust.confirmed) - trust.pending, 0)
    return int(trust.pending <= 0 and now - trust.followed_at >= RETRY_SECONDS)


def with_followed(trust: HintTrust, count: int, now: float) -> HintTrust:
    """The trust after so many hints were followed."""
    return replace(trust, pending=trust.pending + count, followed_at=now)


def with_outcome(trust: HintTrust, changed: bool | None) -> HintTrust:
    """The trust after the outcome of one hint: whether the page had changed, None if it gave no answer that tells."""
    waiting = max(trust.pending - 1, 0)
    if changed is None:
        return replace(trust, pending=waiting)
    confirmed, refuted = trust.confirmed * OUTCOME_DECAY + changed, trust.refuted * OUTCOME_DECAY + (not changed)
    return replace(trust, confirmed=confirmed, refuted=refuted, pending=waiting)


def is_plausible(modified_at: float, fetched_at: float, now: float) -> bool:
    """Whether a claimed modification says something: later than the last fetch, and not in the future."""
    return fetched_at < modified_at <= now + FUTURE_SECONDS
