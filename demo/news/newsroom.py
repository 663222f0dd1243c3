"""What both sites have published at a tick: new stories, edits, withdrawals, and copies from a news agency."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache, lru_cache
from random import Random

from demo.clock import TICK, time_at
from demo.news.story import SEED, Block, Story, cast_of, write_story

TOPICS = ("city", "business", "science", "sport", "culture")
FIRST_STORIES = {(0, "en"): 70, (0, "es"): 50, (1, "de"): 60, (1, "ja"): 50}  # (site, language) -> stories at tick 0
FIRST_DAYS = 40
EDITS_PER_TICK = 4
NUMBERS = {"en": 0, "es": 10_000, "de": 20_000, "ja": 30_000, "wire": 50_000}
COPY_FROM = {"en": 1, "de": 0}  # language -> the site that takes the other's stories over
COPY_SECTION = {"en": "world", "de": "europa"}


@dataclass(frozen=True)
class Edition:
    """Both sites at one tick: the published stories, newest first, and the withdrawn ones."""

    clock: int
    stories: tuple[Story, ...]
    withdrawn: tuple[Story, ...]

    def of(self, site: int) -> list[Story]:
        """One site's stories, newest first."""
        return [story for story in self.stories if story.site == site]


@lru_cache(maxsize=16)
def edition(clock: int) -> Edition:
    """The edition at a tick. It is made from the first one, tick by tick."""
    current = _sorted(0, list(_first_stories()), [])
    for tick in range(1, clock + 1):
        current = _next_edition(current, tick)
    return current


def _next_edition(before: Edition, clock: int) -> Edition:
    random = Random(f"{SEED}:tick:{clock}")
    stories = {story.key: story for story in before.stories}
    own = sorted(key for key, story in stories.items() if story.copy_of is None)
    gone = stories.pop(random.choice([key for key in own if _has_no_copy(stories, key)]))
    for key in random.sample([key for key in own if key != gone.key], EDITS_PER_TICK):
        stories[key] = _edited(stories[key], time_at(clock) - timedelta(minutes=random.randint(2, 300)))
    fresh = _new_stories(clock)
    copies = [_copy(story, exact=clock % 4 == 0) for story in fresh if story.language == ("en", "de")[clock % 2]]
    return _sorted(clock, [*stories.values(), *fresh, *copies], [*before.withdrawn, gone])


def _has_no_copy(stories: dict[tuple[int, int], Story], key: tuple[int, int]) -> bool:
    return all(story.copy_of != key for story in stories.values())


@cache
def _first_stories() -> tuple[Story, ...]:
    stories = []
    for (site, language), count in FIRST_STORIES.items():
        spread = timedelta(days=FIRST_DAYS) / count
        for index in range(count):
            published_at = time_at(0) - spread * (count - index) + timedelta(minutes=(index * 37) % 300)
            stories.append(_story(site, language, index, published_at))
    originals = [story for story in stories if story.language in COPY_FROM and story.number % 8 == 5]
    return (*stories, *(_copy(story, exact=number % 4 == 3) for number, story in enumerate(originals)))


def _new_stories(clock: int) -> list[Story]:
    stories = []
    for (site, language), count in FIRST_STORIES.items():
        for nth in range(2 if language in {"en", "de"} else 1):
            published_at = time_at(clock) - TICK * (0.2 + 0.3 * nth) - timedelta(minutes=(clock * 13) % 40)
            stories.append(_story(site, language, count + (clock - 1) * 2 + nth, published_at))
    return stories


def _story(site: int, language: str, index: int, published_at: datetime) -> Story:
    topic = TOPICS[(index * 3 + index // 5) % len(TOPICS)]
    return write_story(site, NUMBERS[language] + 100 + index, language, topic, topic, published_at.replace(second=0, microsecond=0))


def _copy(story: Story, exact: bool) -> Story:
    """The story as the other site got it from the agency: the same text, or with changes at its title, beginning and end."""
    site = COPY_FROM[story.language]
    copied = replace(
        story,
        site=site,
        number=story.number + NUMBERS["wire"],
        section=COPY_SECTION[story.language],
        authors=("Transmar News Agency",),
        copy_of=story.key,
        copy_exact=exact,
        published_at=story.published_at + timedelta(minutes=47),
        modified_at=story.published_at + timedelta(minutes=47),
    )
    if exact:
        return copied
    place = {"en": "({agency}) ", "de": "({agency}) "}[story.language].format(agency="TNA")
    first, *rest = copied.blocks
    return replace(copied, title=_retitled(story), blocks=(Block("p", place + first.text), *rest, _agency_note(story)))


def _retitled(story: Story) -> str:
    return {"en": "{} – agency report", "de": "{} – Agenturbericht"}[story.language].format(story.title)


def _agency_note(story: Story) -> Block:
    city = cast_of(story.language, story.topic, *story.key, story.published_at, use="tail").fill("{city}")
    lines = {
        "en": f"Reporting for {story.title} by the agency's desk in {city}; edited for length.",
        "de": f"Zu „{story.title}“ berichtete das Büro der Agentur in {city}; für diese Ausgabe gekürzt.",
    }
    return Block("p", lines[story.language])


def _edited(story: Story, modified_at: datetime) -> Story:
    """The story with a correction (its first edit) or with further news (its later edits)."""
    version = story.version + 1
    cast = cast_of(story.language, story.topic, *story.key, story.published_at, use=f"edit{version}")
    template = cast.bank["correction"] if version == 2 else cast.bank["update"]
    blocks = (*story.blocks, Block("p", cast.fill(template)))
    return replace(story, blocks=blocks, modified_at=max(modified_at, story.published_at), version=version, corrected=True)


def _sorted(clock: int, stories: list[Story], withdrawn: list[Story]) -> Edition:
    ordered = sorted(stories, key=lambda story: (story.published_at, story.key), reverse=True)
    return Edition(clock, tuple(ordered), tuple(withdrawn))
