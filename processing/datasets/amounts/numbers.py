"""Numbers as machines and as people write them: `1299.00`, `1.299,00 €`, `$1,299`, `1 299,50`, `CHF 12.–`.

price-parser finds the amount and the currency. What is added here: the sign, which it leaves out, other apostrophes, points that cannot
group thousands, texts of which it would take the beginning only, texts with several numbers (`price_texts`), and a bound for the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING

from processing.datasets.amounts.price_texts import SEVERAL, OfRange, PriceText, UnclearAmountError, has_currency, parts_of, price_text

if TYPE_CHECKING:
    from price_parser import Price

MAX_NUMBER_CHARACTERS = 100
MAX_EXPONENT = 40  # beyond the digits of any column
CACHED_NUMBERS = 4_096  # texts: a shop's prices recur on its pages, and reading one takes 0.02 ms
_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_APOSTROPHES = str.maketrans(dict.fromkeys("\u2019\u02bc\u2032\u00b4`", "'"))  # group thousands in Switzerland
# Python, JavaScript and calculators write 1_000, 0x10 and 1e5: the digits before these signs are not the number
_OTHER_NOTATION = re.compile(r"\d(?:_|[eE][+-]?)\d|(?<!\d)0[xX][0-9a-fA-F]")
_AFTER_ZERO = re.compile(r"(?<![\d.,'])0([.,])\d{3}(?![\d.,'])")  # thousands never begin with 0
_GROUPED = re.compile(r"(?<=\d)([.,' ])\d{3}(?:\1\d{3})*(?!\1)([.,])\d+(?![\d.,'])")  # 12,500.125: the other sign is the decimal one
_THREE_DIGITS = re.compile(r"(?<![\d.,'])\d{1,3}\.\d{3}(?![\d.,'])")
# a sign stands before everything, or directly before the amount: "Price – 12" is no negative price
_MINUS = re.compile(r"(?:^[-\u2212\u2013]\s?|(?<!\w)[-\u2212\u2013](?=\S))[^\d\s]{0,4}\s?(?=[.,]?\d)")
# A currency's sign with the one currency that it stands for in CLDR's English: "$" alone is the US dollar, other dollars are written A$.
_SIGNS = {
    "$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "JP¥": "JPY", "CN¥": "CNY", "￥": "JPY", "円": "JPY", "元": "CNY",
    "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "NT$": "TWD", "MX$": "MXN", "R$": "BRL",
    "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₪": "ILS", "₫": "VND", "₱": "PHP", "฿": "THB", "₦": "NGN", "₸": "KZT",
    "TL": "TRY", "Rp": "IDR", "RM": "MYR", "lei": "RON", "Lei": "RON",
    "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "лв": "BGN", "руб": "RUB", "Euro": "EUR", "EURO": "EUR", "Rs": "INR", "Fr": "CHF", "SFr": "CHF",
}  # fmt: skip
_THOUSANDTHS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})  # currencies with three digits behind the point
_CODE = re.compile(r"[A-Z]{3}")


class Thousandths(Enum):
    """Whether three digits behind a point, as in `1.299`, are thousandths; otherwise they are thousands.

    `ALONE` is where no currency stands beside them: `1.299 €` is a price of thousands.
    """

    NEVER = "never"
    ALONE = "alone"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Amount:
    """A number, and the currency that was written with it: its ISO 4217 code, or the sign where it stands for several."""

    value: Decimal
    currency: str | None = None


def read_plain_number(text: str) -> Decimal | None:
    """The number that a text is as machines write it, with a point and no grouping; None for any other text."""
    text = text.strip()
    if len(text) > MAX_NUMBER_CHARACTERS or not text.isascii() or not _PLAIN.fullmatch(text):
        return None
    number = Decimal(text)
    return number if number.is_zero() or abs(number.adjusted()) <= MAX_EXPONENT else None


@lru_cache(maxsize=CACHED_NUMBERS)
def read_written_number(
    text: str,
    decimal_separator: str | None = None,
    thousandths: Thousandths = Thousandths.NEVER,
    *,
    is_price: bool = False,
    of_range: OfRange | None = None,
) -> Amount | None:
    """The number in a text as people write it; None where there is none, or the text is longer than a number ever is.

    `decimal_separator` says what `1.299` is where both could be meant. Without it, `thousandths` does. Behind `0.` or `0,` three
    digits are always decimals. A number in another notation, like `1_000`, is none. With a currency in it, or if it `is_price`, a text is
    the price of one piece: `2 for $5` is 2.50. `of_range` is which end of a range counts. Of other texts the first number is taken.

    Raises UnclearAmountError for a price that is not a single one.
    """
    text = text.strip().translate(_APOSTROPHES)
    if len(text) > MAX_NUMBER_CHARACTERS or not any(map(str.isdigit, text)):  # "free" is no amount
        return None
    if _OTHER_NOTATION.search(text):
        plain = read_plain_number(text)
        return None if plain is None else Amount(plain)
    if is_price or has_currency(text):
        price = price_text(text, of_range)
        return None if price is None else _one_price(text, price, decimal_separator, thousandths)
    parts = parts_of(text)
    return _first_number(text, parts[0].factor if parts else 1, decimal_separator, thousandths)


def _one_price(text: str, price: PriceText, decimal_separator: str | None, thousandths: Thousandths) -> Amount | None:
    """The price of one piece."""
    found = [_first_number(part, factor, decimal_separator, thousandths) for part, factor in price.amounts]
    amounts = [amount for amount in found if amount is not None]
    if not amounts:
        return None
    values = {amount.value for amount in amounts}
    if len(values) > 1 and price.of_range is None:
        raise UnclearAmountError(SEVERAL)
    currency = amounts[0].currency or currency_code(_price(text).currency)
    return Amount(_of_one(max(values) if price.of_range == "highest" else min(values), price.pieces), currency)


def _of_one(value: Decimal, pieces: int) -> Decimal:
    """The price of one of several pieces. Raises UnclearAmountError where it has more digits than any price."""
    one = value / pieces
    if one * pieces != value:
        raise UnclearAmountError(f"the price of {pieces} together, and that of one is no exact number")
    return one


def _price(text: str, decimal_separator: str | None = None) -> Price:
    from price_parser import Price  # slow to import, and most crawls have no prices

    return Price.fromstring(text, decimal_separator=decimal_separator)


def _first_number(text: str, factor: int, decimal_separator: str | None, thousandths: Thousandths) -> Amount | None:
    """The first number in a text."""
    if decimal_separator is None:
        after_zero, grouped = _AFTER_ZERO.search(text), _GROUPED.search(text)
        if after_zero is not None:
            decimal_separator = after_zero[1]
        elif grouped is not None:
            decimal_separator = grouped[2]
        elif thousandths is not Thousandths.NEVER and _THREE_DIGITS.search(text) and _has_thousandths(text, thousandths):
            decimal_separator = "."
    price = _price(text, decimal_separator=decimal_separator)
    if price.amount is None:
        return None
    amount = price.amount * factor
    return Amount(-amount if _is_negative(text) else amount, currency_code(price.currency))


def _has_thousandths(text: str, thousandths: Thousandths) -> bool:
    currency = currency_code(_price(text).currency)
    return thousandths is Thousandths.ALWAYS or currency is None or currency in _THOUSANDTHS


def _is_negative(text: str) -> bool:
    minus, digit = _MINUS.search(text), re.search(r"\d", text)
    return minus is not None and digit is not None and minus.start() < digit.start()


def currency_code(written: str | None) -> str | None:
    """The ISO 4217 code that a currency's sign or name stands for; what is not known stays as it is written."""
    if written is None:
        return None
    written = written.strip().rstrip(".")
    return written if _CODE.fullmatch(written) else _SIGNS.get(written, written)
