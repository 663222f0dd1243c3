"""Which number of a text is the price of one piece: `2 for $5` is 2.50 each, `$5 - $7` and `from 5 €` are no price.

A text with several numbers gives a price only if it is certain which one is meant. Otherwise the reason is raised.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

OfRange = Literal["lowest", "highest"]

# 1.299€50 · 1,29,000.00 · 1 299,50 · 12.99 · .75
_NUMBER = re.compile(
    r"""(?<!\d)(?:\d{1,3}(?:[.' ]?\d{3})*€\d\d(?!\d)|\d{1,3}(?:,\d\d)+,\d{3}(?!\d)(?:\.\d+)?
    |\d{1,3}([.,'\ ])\d{3}(?:\1\d{3})*(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)*|[.,]\d+)""",
    re.VERBOSE,
)
_EUROS_AND_CENTS = re.compile(r"(?<=\d) ?€ (?=\d\d$)")  # "35€ 99", of two elements
_PERCENT = re.compile(r"^ ?(?:%|percent\b|per cent\b|prozent\b)", re.IGNORECASE)
_SIGN_BEFORE = re.compile(r"[-\u2212\u2013+~(]?\s*$")
_THOUSANDS = re.compile(r"^ ?[kK](?![\w])")
_LARGE = re.compile(r"^(?:[mM]\b| ?(?:mn|mio|mill|million(?:en|s)?|mrd|milliarden?|bn|billion|lakhs?|lacs?|crores?)\b)", re.IGNORECASE)
_CODES = "AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|HUF|INR|JPY|KRW|MXN|NOK|NZD|PLN|RON|RUB|SEK|SGD|THB|TRY|UAH|USD|ZAR"
_CURRENCY = rf"(?:[A-Z]{{0,2}}[$€£¥￥₹₩₽₺₴₪₫₱฿₦₸]|(?<![A-Za-z])(?:{_CODES}|zł|Kč|kr|Fr|Ft|lei|TL|Euro|EURO)(?![A-Za-z])\.?)"
_ANY_CURRENCY = re.compile(_CURRENCY)
_CURRENCY_BEFORE, _CURRENCY_AFTER = re.compile(_CURRENCY + r" ?$"), re.compile(r"^ ?" + _CURRENCY)
_FOR = re.compile(
    rf"^ ?(?:pieces |pcs\.? |stück |stk\.? )?(?:for|für|fuer|pour|por|per|voor|za|för)(?: only| just| nur)? ?{_CURRENCY}? ?$"
    rf"|^ ?/ ?{_CURRENCY} ?$",
    re.IGNORECASE,
)
_TIMES = re.compile(r"^ ?(?:x|×|\*)(?: |\b|$)", re.IGNORECASE)
_RANGE = re.compile(rf"^ ?{_CURRENCY}? ?(?:-|\u2013|\u2014|~|to|bis|until|till?|à|and|und|\.\.\.?|…) ?{_CURRENCY}? ?$", re.IGNORECASE)
_MEASURE = re.compile(rf"{_CURRENCY}? ?(?:/|per|pro|je|for each) ?$", re.IGNORECASE)
_LEAST = re.compile(
    rf"(?:(?<!\w)(?:from|ab|starting at|starts? at|at least|as low as|over|more than|über|mindestens|dès|à partir de|a partir d[eio]|desde|"
    rf"vanaf|od|fra|från|min\.?)|[>≥]) ?:? ?{_CURRENCY}? ?$",
    re.IGNORECASE,
)
_MOST = re.compile(
    rf"(?:(?<!\w)(?:up to|at most|under|below|less than|bis zu|bis|unter|höchstens|jusqu'à|hasta|fino a|max\.?)|[<≤]) ?:? ?{_CURRENCY}? ?$",
    re.IGNORECASE,
)
_ABOUT = re.compile(rf"(?:(?<!\w)(?:about|approx\.?|approximately|circa|ca\.?|etwa|ungefähr|environ)|[~≈]) ?{_CURRENCY}? ?$", re.IGNORECASE)
_AND_MORE = re.compile(rf"^ ?{_CURRENCY}? ?(?:\+(?!\w)|and (?:up|more|above)\b|or more\b|und mehr\b|oder mehr\b)", re.IGNORECASE)
MOST_PIECES = 1_000
SEVERAL = "several numbers, and which one is the amount is not clear"


class UnclearAmountError(ValueError):
    """A text that has no single amount. The message says what it is instead, as the rest of a sentence: `a range of amounts`."""


@dataclass(frozen=True, slots=True)
class Part:
    """A number in a text, with what stands before and behind it up to the next number. `thousands`: a `k` follows."""

    text: str
    before: str
    after: str
    thousands: bool = False

    @property
    def has_currency(self) -> bool:
        """Whether a currency stands directly beside it."""
        return bool(_CURRENCY_BEFORE.search(self.before) or _CURRENCY_AFTER.search(self.after))

    @property
    def looks_like_money(self) -> bool:
        """Whether it has a currency, or cents."""
        return self.has_currency or re.search(r"[.,]\d\d$", self.text) is not None

    @property
    def is_count(self) -> bool:
        """Whether it is a small whole number that no currency stands before."""
        return self.text.isdecimal() and 2 <= int(self.text[:5]) <= MOST_PIECES and not self.has_currency

    @property
    def factor(self) -> int:
        """What the number is multiplied by."""
        return 1_000 if self.thousands else 1


@dataclass(frozen=True, slots=True)
class PriceText:
    """The amounts in a text, each as a text with one number and what it is multiplied by.

    `pieces` is how many they are the price of together. With `of_range` that end counts; without it all amounts must be equal.
    """

    amounts: tuple[tuple[str, int], ...]
    pieces: int = 1
    of_range: OfRange | None = None


def has_currency(text: str) -> bool:
    """Whether a currency's sign or code stands in a text."""
    return _ANY_CURRENCY.search(text) is not None


def parts_of(text: str) -> list[Part]:
    """The numbers in a text but percentages, with what stands around them."""
    text = _EUROS_AND_CENTS.sub("€", " ".join(text.split()))
    matches = list(_NUMBER.finditer(text))
    ends = [0, *(match.end() for match in matches)]
    starts = [*(match.start() for match in matches), len(text)]
    parts: list[Part] = []
    rest = ""
    for place, match in enumerate(matches):
        before, after = rest + text[ends[place] : starts[place]], text[match.end() : starts[place + 1]]
        rest = ""
        if _PERCENT.match(after):
            rest = _SIGN_BEFORE.sub("", before) + " "
            continue
        parts.append(Part(match.group(), before, after, bool(_THOUSANDS.match(after))))
    return parts


def price_text(text: str, of_range: OfRange | None = None) -> PriceText | None:
    """What a text says of a price; None if it has no number. `of_range` is which end of a range, or which limit, counts.

    Raises UnclearAmountError.
    """
    parts = parts_of(text)
    if any(_LARGE.match(part.after) for part in parts):
        raise UnclearAmountError("an amount with a word for a large number")
    if len(parts) < 2:
        return _one(parts[0], of_range) if parts else None
    if len(parts) == 2 and (found := _two(parts[0], parts[1], of_range)) is not None:
        return found
    if not all(part.looks_like_money for part in parts):  # buy 1 get 1
        raise UnclearAmountError(SEVERAL)
    return PriceText(tuple((part.text, part.factor) for part in parts))  # the same amount twice is one price


def _one(part: Part, of_range: OfRange | None) -> PriceText | None:
    if _TIMES.match(part.after):
        raise UnclearAmountError("a number of pieces without a price")
    if _ABOUT.search(part.before):
        raise UnclearAmountError("not an exact amount")
    limit: OfRange | None = None
    if _LEAST.search(part.before) or _AND_MORE.match(part.after):
        limit = "lowest"
    elif _MOST.search(part.before):
        limit = "highest"
    if limit and of_range is None:
        raise UnclearAmountError(f"the {limit} amount of several; 'of_range: {limit}' takes it")
    return PriceText(((part.before + part.text + part.after, part.factor),)) if limit in (None, of_range) else None


def _two(first: Part, second: Part, of_range: OfRange | None) -> PriceText | None:
    """What two numbers say together; None if nothing that is known."""
    between = first.after
    if _TIMES.match(between):
        raise UnclearAmountError("an amount several times, as of instalments")
    if _FOR.match(between) and first.is_count and second.looks_like_money:
        return PriceText(((second.text, second.factor),), int(first.text))
    if _RANGE.match(between):
        if of_range is None:
            raise UnclearAmountError("a range of amounts; 'of_range: lowest' or 'highest' takes one of them")
        factor = max(first.factor, second.factor)  # of 50-60k too
        return PriceText(((first.text, factor), (second.text, second.factor)), of_range=of_range)
    if _MEASURE.fullmatch(between.strip()) and not second.has_currency:
        if second.text == "1":
            return PriceText(((first.text, first.factor),))
        raise UnclearAmountError(f"the price of {second.text}{second.after[:10].rstrip()}")
    return None
