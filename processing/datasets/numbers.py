"""Numbers as machines and as people write them: `1299.00`, `1.299,00 €`, `$1,299`, `1 299,50`, `CHF 12.–`.

price-parser finds the amount and the currency. What is added here: the sign, which it leaves out, and a bound for the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from price_parser import Price

MAX_NUMBER_CHARACTERS = 100
MAX_EXPONENT = 40  # beyond the digits of any column
CACHED_NUMBERS = 4_096  # texts: a shop's prices recur on its pages, and reading one takes 0.02 ms
_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
# a sign stands before everything, or directly before the amount: "Price – 12" is no negative price
_MINUS = re.compile(r"(?:^[-\u2212\u2013]\s?|(?<!\w)[-\u2212\u2013](?=\S))[^\d\s]{0,4}\s?(?=[.,]?\d)")
# A currency's sign with the one currency that it stands for in CLDR's English: "$" alone is the US dollar, other dollars are written A$.
_SIGNS = {
    "$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "JP¥": "JPY", "CN¥": "CNY", "￥": "JPY", "円": "JPY", "元": "CNY",
    "A$": "AUD", "AU$": "AUD", "C$": "CAD", "CA$": "CAD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD", "NT$": "TWD", "MX$": "MXN", "R$": "BRL",
    "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH", "₪": "ILS", "₫": "VND", "₱": "PHP", "฿": "THB", "₦": "NGN", "₸": "KZT",
    "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "лв": "BGN", "руб": "RUB", "Euro": "EUR", "EURO": "EUR", "Rs": "INR", "Fr": "CHF", "SFr": "CHF",
}  # fmt: skip
_CODE = re.compile(r"[A-Z]{3}")


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
def read_written_number(text: str, decimal_separator: str | None = None) -> Amount | None:
    """The first number in a text as people write it; None where there is none, or the text is longer than a number ever is.

    `decimal_separator` says what `1.299` is where both could be meant; without it a group of three digits is thousands.
    """
    text = text.strip()
    if len(text) > MAX_NUMBER_CHARACTERS or not any(map(str.isdigit, text)):  # "free" is no amount
        return None
    price = Price.fromstring(text, decimal_separator=decimal_separator)
    if price.amount is None:
        return None
    return Amount(-price.amount if _is_negative(text) else price.amount, currency_code(price.currency))


def _is_negative(text: str) -> bool:
    minus, digit = _MINUS.search(text), re.search(r"\d", text)
    return minus is not None and digit is not None and minus.start() < digit.start()


def currency_code(written: str | None) -> str | None:
    """The ISO 4217 code that a currency's sign or name stands for; what is not known stays as it is written."""
    if written is None:
        return None
    written = written.strip().rstrip(".")
    return written if _CODE.fullmatch(written) else _SIGNS.get(written, written)
