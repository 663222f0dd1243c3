"""The policy of the `articles` dataset: the rules for article rows. A row that breaks one goes to quarantine, whole and with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from processing.clean.signals import Signals
from processing.clean.words import unspaced_characters
from schemas.config.crawl import ArticleOptions
from schemas.numbers import plural
from schemas.outcomes import Reason

UNSPACED_WEIGHT = 3  # letters that have about as much text as one character of a script without spaces
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
FUTURE_ALLOWANCE = timedelta(days=2)  # for time zones, embargoes and wrong clocks
# Chosen wide, for repeated text, symbols and lists of links; not fitted.
MAX_DUPLICATE_WORD_FRACTION = 0.5
MAX_SYMBOL_WORD_RATIO = 0.2
MAX_LINK_DENSITY = 0.7
MIN_WORDS_FOR_SIGNALS = 30  # shares of fewer words say little


@dataclass(frozen=True, slots=True)
class Violation:
    """Why a row is quarantined: the reason, the rule's name with its bound, and the value that broke it."""

    reason: Reason
    rule: str
    detail: str


@dataclass(frozen=True, slots=True)
class PolicyInput:
    """The values that the policy checks."""

    title: str | None
    text: str
    word_count: int
    language: str | None
    published_at: datetime | None
    fetched_at: datetime
    signals: Signals


def check_policy(row: PolicyInput, options: ArticleOptions) -> Violation | None:
    """The first rule that a row breaks, or None."""
    return _completeness(row, options) or _language(row, options) or _date(row) or _quality(row)


def _completeness(row: PolicyInput, options: ArticleOptions) -> Violation | None:
    if not (row.title or "").strip():
        return Violation(Reason.NO_TITLE, "title", "no title was found")
    length = len(row.text)
    if options.min_length <= length and UNSPACED_WEIGHT * length <= options.max_length:
        return None  # in any script
    length += (UNSPACED_WEIGHT - 1) * unspaced_characters(row.text)
    if length < options.min_length:
        return Violation(Reason.TOO_SHORT, f"length >= {options.min_length}", plural(length, "character"))
    if length > options.max_length:
        return Violation(Reason.TOO_LONG, f"length <= {options.max_length}", plural(length, "character"))
    return None


def _language(row: PolicyInput, options: ArticleOptions) -> Violation | None:
    if options.languages and row.language not in options.languages:
        return Violation(Reason.LANGUAGE, f"language in {', '.join(options.languages)}", row.language or "none detected")
    return None


def _date(row: PolicyInput) -> Violation | None:
    if row.published_at is not None and not EARLIEST <= row.published_at <= row.fetched_at + FUTURE_ALLOWANCE:
        return Violation(Reason.DATE_IMPLAUSIBLE, "1990 <= published_at <= fetched_at + 2 days", row.published_at.isoformat())
    return None


def _quality(row: PolicyInput) -> Violation | None:
    if row.word_count < MIN_WORDS_FOR_SIGNALS:
        return None
    found = row.signals
    if found.duplicate_word_fraction > MAX_DUPLICATE_WORD_FRACTION:
        return _violation(Reason.REPETITIVE, "duplicate_word_fraction", MAX_DUPLICATE_WORD_FRACTION, found.duplicate_word_fraction)
    if found.symbol_word_ratio > MAX_SYMBOL_WORD_RATIO:
        return _violation(Reason.LOW_QUALITY, "symbol_word_ratio", MAX_SYMBOL_WORD_RATIO, found.symbol_word_ratio)
    if found.link_density > MAX_LINK_DENSITY:
        return _violation(Reason.LOW_QUALITY, "link_density", MAX_LINK_DENSITY, found.link_density)
    return None


def _violation(reason: Reason, name: str, bound: float, value: float) -> Violation:
    return Violation(reason, f"{name} <= {bound}", f"{name} is {value:.2f}")
