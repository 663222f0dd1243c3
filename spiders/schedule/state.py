"""What the revisit policy knows of a URL, what one visit shows, and the bounds of intervals. All times are hours since the epoch, UTC."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from spiders.schedule.hours import HOURS_A_DAY, Profile


@dataclass(frozen=True, slots=True)
class Bounds:
    """The shortest and longest interval that a crawl allows for a kind of URL, and `between_runs`, the time between two runs; in hours.

    `between_runs` is 0 if that is unknown.
    """

    shortest: float
    longest: float
    between_runs: float = 0.0


@dataclass(frozen=True, slots=True)
class Visit:
    """What one fetch of a URL showed.

    `new_items` counts links that the frontier did not know; `item_times` are the publication times that a feed or sitemap gives for
    all of its items, known or not, and `modified_times` those of their modification. `changed` says whether the content differs from the
    last visit's. `modified` counts the known pages that a source says were modified since its last visit; None if it does not say that, or
    is not trusted.
    """

    at: float
    changed: bool = False
    new_items: int = 0
    item_times: Sequence[float] = ()
    failed: bool = False
    gone: bool = False
    modified: int | None = None
    modified_times: Sequence[float] = ()


LATER_FIELDS = ("recent_items", "recent_hours", "credit", "modified")  # in the text after `window`; not in that of earlier releases
LATER_DEFAULTS = (0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class RevisitState:
    """What the visits to one URL have shown so far.

    `items` and `hours` are the events and the exposure that the rate is estimated from; of an article, edits and the logarithm of
    its age. `dated_items` counts a source's news by their dates, whichever source brought them first. `source_speed` says how soon a
    source of its kind usually shows the news, 1 for the quickest kind. `is_primary_source`: it is the site's primary source. `tie_breaker`,
    between 0 and 1, is the URL's own: it decides ties, and an article's share of the price. `profile` counts items per hour of the day.
    `window` is the most items that a source shows at once, 0 if that is unknown. `recent_items` and `recent_hours` are events and exposure
    of about the last day. `credit` is the part of its new links that a source is visited for; below 1 if the site has another primary
    source. `modified` counts modified pages that a source told of; of an article it is 1 if a trusted source tells of its modifications.
    """

    source: bool
    first_seen: float
    last_visit: float = 0.0
    visits: int = 0
    items: float = 0.0
    hours: float = 0.0
    failures: int = 0
    dated_items: float = 0.0
    is_primary_source: bool = False
    source_speed: float = 1.0
    tie_breaker: float = 0.5
    profile: Profile = field(default=())
    window: float = 0.0
    recent_items: float = 0.0
    recent_hours: float = 0.0
    credit: float = 1.0
    modified: float = 0.0

    def to_text(self) -> str:
        """A compact text for the frontier's row."""
        values = (self.first_seen, self.last_visit, self.items, self.hours, self.dated_items, self.source_speed, self.tie_breaker)
        numbers = [round(value, 3) for value in values]
        flags = [int(self.source), self.visits, self.failures, int(self.is_primary_source)]
        later = [round(self.window), *(round(getattr(self, name), 3) for name in LATER_FIELDS)]
        while later and later[-1] == LATER_DEFAULTS[len(later) - 1]:  # most rows are articles, and those have none of these
            later.pop()
        return json.dumps([*flags, *numbers, *[round(count, 1) for count in self.profile], *later])

    @classmethod
    def from_text(cls, text: str) -> RevisitState:
        """The state that `to_text` wrote, in this or an earlier release."""
        source, visits, failures, is_primary, first_seen, last_visit, items, hours, dated_items, speed, tie_breaker, *rest = json.loads(
            text
        )
        profile, later = (tuple(rest[:HOURS_A_DAY]), rest[HOURS_A_DAY:]) if len(rest) >= HOURS_A_DAY else ((), rest)
        numbers = (first_seen, last_visit, visits, items, hours, failures, dated_items)
        later += LATER_DEFAULTS[len(later) :]
        return cls(bool(source), *numbers, bool(is_primary), speed, tie_breaker, profile, *later)
