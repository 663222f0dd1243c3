"""Write Chinese numerals in dates as digits: 二〇二五年三月七日."""

from __future__ import annotations

import re

_DIGITS = "零一二三四五六七八九"
_VALUES = {sign: value for value, sign in enumerate(_DIGITS)} | {"〇": 0, "○": 0}
_SIGNS = f"[{_DIGITS}〇○十百]"
_DATE = re.compile(
    rf"(?:{_SIGNS}{{1,6}}|\d{{1,4}}|元)\s?年\s?(?:{_SIGNS}{{1,3}}|\d{{1,2}})\s?月\s?(?:{_SIGNS}{{1,3}}|\d{{1,2}})\s?[日號号]"
)
_NUMERAL = re.compile(rf"{_SIGNS}{{1,6}}(?=\s?[年月日號号點点時时分])")


def with_digits(text: str) -> str:
    """A text that has a date of year, month and day, with digits in it."""
    return _NUMERAL.sub(lambda match: str(_number(match[0])), text) if "年" in text and _DATE.search(text) else text


def _number(numeral: str) -> int:
    """The number of a numeral: 三十一, or digit by digit, as years are written: 二〇二五."""
    if not {"十", "百"}.intersection(numeral):
        return int("".join(str(_VALUES[sign]) for sign in numeral))
    number, digit = 0, 0
    for sign in numeral:
        if sign in _VALUES:
            digit = _VALUES[sign]
        else:
            number, digit = number + (digit or 1) * (100 if sign == "百" else 10), 0
    return number + digit
