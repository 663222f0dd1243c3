"""Raised and lowered text beside numbers: exponents, marks of notes, fractions and cents must not become digits of the number."""

from __future__ import annotations

import re
from collections.abc import Mapping

from processing.article.tree.characters import folded_text
from processing.article.tree.parse import Node
from processing.article.tree.short import beginning, short_texts

MAX_RAISED_CHARACTERS = 20  # longer raised text is text like any other
MAX_SIGN_LETTERS = 2  # of TM, SM
_SMALL = frozenset(("small", "font"))
_SIGNS = {"sup": "^", "sub": "_"}
_NUMBER_BEFORE = re.compile(r"\d(?:[^\w\s]*|\s[%‰€])$")  # a number, perhaps with the sentence's full stop behind it
_DIGIT_BEFORE = re.compile(r"\d$")
_PRICE_BEFORE = re.compile(r"[$€£¥]\s?[\d.,]*\d$")
_MARK = re.compile(r"[\d*†‡§,;\s–-]+|[a-z]")
_SEVERAL_MARKS = re.compile(r"\d+(?:\s?[,;–-]\s?\d+)+|\d{1,2}\)")  # 12–14, 1,2 and 1)
_ORDINAL = re.compile(r"st|nd|rd|th|[eé]r?|re|i?[eè]re|[ei]?[eè]?me|[aoºª]s?|os|as|er[ao]?s?|te[nrs]?|ste[nrs]?", re.IGNORECASE)
_NOTE_NAMES = re.compile(r"foot-?note|note-?ref|reference|cite|citation|fn(?:ref|r|-|$)|endnote", re.IGNORECASE)
_FRACTIONS = frozenset("¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞")
_HOUR_BEFORE = re.compile(r"\dh\s?\d{1,2}$")
_DENOMINATOR = re.compile(r"[/⁄]([2-9]|1\d)(?!\d)")  # of a fraction in a line of text; a larger one is seldom
_PRICE_NAMES = re.compile(r"pri[cs]e|preis|prix|preço|precio|prezzo|amount|(?<![a-z])cena", re.IGNORECASE)
MAX_PRICE_ANCESTORS = 3
_INLINE_AROUND = frozenset(("span", "b", "strong", "em", "i", "bdi", "font", "big", "small", "mark", "data", "a"))
MAX_INLINE_ANCESTORS = 4
_CENTS = re.compile(r"fraction|(?:^|[-_\s])(?:cents?|decimals?)(?:$|[-_\s])", re.IGNORECASE)
_RAISED_NAMES = re.compile(
    r"(?:^|\s)(?:(sup|sub)(?:er|er-?script|-?script)?|exponent|(?:foot|end)?-?note(?:-?(?:ref|mark|number))?|fn-?ref)(?=\s|$)",
    re.IGNORECASE,
)
_RAISED_STYLE = re.compile(r"vertical-align:\s*(sup|sub)", re.IGNORECASE)
_BEHIND_TIME = re.compile(r"\s*(?:uhr|h\b|Uhr)", re.IGNORECASE)
_HOUR = re.compile(r"(?:^|\D)(?:1?\d|2[0-4])$")
_AT = re.compile(r"(?:^|\s)(?:um|ab|bis|von|at|godz\.|o|od|do|ore|kl\.|в|с|до|v|à|às)\s\d{1,2}$", re.IGNORECASE)  # before an hour
_BASE = re.compile(r"(?<![\d.,])(?:2|10)$")  # of most powers
_FACTOR_BEFORE = re.compile(r"[×·⋅*∙]\s?(?:2|10)$|\d\s?[x×]\s?(?:2|10)$")
LARGEST_POWER = 18  # a larger exponent of an amount of money is seldom
_MINUTES = re.compile(r"[0-5]\d")
_RANGE_BEHIND = re.compile(r"\s?(?:[-–]|bis|to|do|a)\s?(?:1?\d|2[0-4])$")  # of times: 8<sup>30</sup>–10<sup>00</sup>
_DEGREES_BEHIND = re.compile(r"\s?[CF]\b")
_YEAR_BEFORE = re.compile(r"(?<![\d.,])(?:1[5-9]\d\d|20\d\d)$")
_GROUPED = re.compile(r"\d\.\d{3}$")  # 1.299
_BEHIND_PRICE = re.compile(r"\s*(?:[€£]|EUR|Euro|kr\b|zł|Kč|CHF|USD)")


def raised_kind(node: Node, attributes: Mapping[str, str | None]) -> str:
    """`sup` or `sub` for a span that is raised or lowered by its class or style; empty for others."""
    found = _RAISED_NAMES.search(attributes.get("class") or "") or _RAISED_STYLE.search(attributes.get("style") or "")
    return (found[1] or "sup").lower() if found and is_simple(node) else ""


def is_simple(node: Node) -> bool:
    """Whether an element holds nothing but a text, or an element with nothing but a text."""
    child = node.first_child
    if child is not None and child.next is None and child.tag != "-text":
        child = child.first_child
    return child is not None and child.next is None and child.tag == "-text"


def cents(node: Node, attributes: Mapping[str, str | None], before: str) -> str | None:
    """The two digits of a price behind its whole number, where only the class says what they are: `19.99`, not `1999`."""
    if not before[-1:].isdigit() or not _CENTS.search(attributes.get("class") or "") or not is_simple(node):
        return None
    text = node.text(strip=True)
    return f".{text}" if len(text) == 2 and text.isdecimal() else None


def raised_text(before: str, node: Node, *, anchored: bool = False, kind: str | None = None) -> str | None:
    """How a `<sup>`, `<sub>` or `<small>` is written behind the text `before`. None: like any other text.

    `anchored`: it stands in a link within the page, so it is the mark of a note. `kind` is the `raised_kind` of a span.
    """
    tag = kind or node.tag
    if tag in _SMALL:
        return _small_text(before, node)
    text = folded_text(_own_text(node))
    if not text or len(text) > MAX_RAISED_CHARACTERS:
        return None
    if tag == "sup" and (anchored or _is_note(node)):
        return note_mark(before, text)
    behind = _text_behind(node)
    if not ends_with_number(before):
        return f"{text} " if text[-1].isdecimal() and behind[:1].isdecimal() else None
    return _lowered(before, text, behind) if tag == "sub" else _exponent(before, text, behind, node)


def note_mark(before: str, text: str) -> str | None:
    """The mark of a note behind a number, in square brackets. None: it touches no number, or it has brackets."""
    if not ends_with_number(before) or not text[0].isalnum():
        return None
    text = text.removesuffix(")")
    return f"[{text}]" if _MARK.fullmatch(text) else f" {text}"


def ends_with_number(before: str) -> bool:
    """Whether a text ends with a number, perhaps with a sign or the sentence's full stop behind it."""
    return _NUMBER_BEFORE.search(before) is not None


def is_raised_number(text: str) -> bool:
    """Whether a text is only the mark of a note."""
    return _MARK.fullmatch(text.strip("[]() ")) is not None


def _small_text(before: str, node: Node) -> str | None:
    """How a number in small type is written behind another number: as a price's cents, or apart. None: like any other text."""
    if not before[-1:].isdigit() or not is_simple(node) or (node.tag == "font" and not node.attributes.get("size")):
        return None
    text, behind = folded_text(node.text()), _text_behind(node)
    if not text.isdecimal():
        return None
    end = " " if behind[:1].isdigit() else ""
    return f"{_cents(before, text)}{end}" if _is_price(before, text, behind) else f" {text}{end}"


def _exponent(before: str, text: str, behind: str, node: Node) -> str | None:
    touches = _DIGIT_BEFORE.search(before) is not None
    if touches and text in {"0", "o", "O"} and _DEGREES_BEHIND.match(behind):
        return "°"
    if _stays(before, text, behind):
        return None
    if not touches or _SEVERAL_MARKS.fullmatch(text):
        return note_mark(before, text)
    if text.isdecimal() and (written := _digits(before, text, behind, node)):
        return written
    if len(text) > MAX_SIGN_LETTERS and text.isalpha():
        return f" {text}"
    return f"^{text}" + (" " if behind[:1].isdigit() else "")


def _stays(before: str, text: str, behind: str) -> bool:
    """Whether raised text is written as it is: ordinals, units, signs, TM, cents behind their decimal sign."""
    if _ORDINAL.fullmatch(text.rstrip(".")) or _is_unit(before, text) or (not text[0].isalnum() and text[0] not in "+-−–"):
        return True
    return _is_cents(before, text, behind) or (1 < len(text) <= MAX_SIGN_LETTERS and text.isalpha())


def _digits(before: str, text: str, behind: str, node: Node) -> str | None:
    """How raised digits that are no exponent of the number before them are written."""
    if _is_numerator(text, node, behind):
        return f" {text}"  # behind a whole number
    if _is_price(before, text, behind):
        return _cents(before, text) if not _is_power(before, text, node) else None
    if _is_minutes(before, text, behind):
        return f":{text}"
    is_amount = len(text) == 1 and _PRICE_BEFORE.search(before) is not None and not _BASE.search(before)  # £350<sup>2</sup> million
    return note_mark(before, text) if is_amount or _YEAR_BEFORE.search(before) else None


def _is_price(before: str, text: str, behind: str) -> bool:
    """Whether two digits behind a number are the cents of a price."""
    return len(text) == 2 and (_PRICE_BEFORE.search(before) is not None or _BEHIND_PRICE.match(behind) is not None)


def _is_power(before: str, text: str, node: Node) -> bool:
    """Whether two digits are an exponent, though of an amount of money: `10<sup>12</sup> €`. `2<sup>15</sup> €` is a price."""
    if not _BASE.search(before) or text[0] == "0":
        return False
    return _FACTOR_BEFORE.search(before) is not None or (before.endswith("10") and int(text) <= LARGEST_POWER and not _is_in_price(node))


def _is_in_price(node: Node) -> bool:
    """Whether the raised text is in an element that is named a price."""
    around = node.parent
    for _ in range(MAX_PRICE_ANCESTORS):
        if around is None:
            break
        if _PRICE_NAMES.search(around.attributes.get("class") or ""):
            return True
        around = around.parent
    return False


def _cents(before: str, text: str) -> str:
    return f",{text}" if _GROUPED.search(before) else f".{text}"


def _is_minutes(before: str, text: str, behind: str) -> bool:
    """Whether two digits behind an hour are its minutes: no exponent begins with 0, and others say so by the words around them."""
    if not _MINUTES.fullmatch(text) or not _HOUR.search(before):
        return False
    if text[0] == "0" or _BEHIND_TIME.match(behind):
        return True
    said = _RANGE_BEHIND.fullmatch(behind) or _AT.search(before)
    return said is not None and not _BASE.search(before)  # from 10<sup>12</sup> to 10<sup>15</sup>


def _own_text(node: Node) -> str:
    """The text of raised text, with a sign where raised or lowered text stands in it: 10^100."""
    if is_simple(node):
        return node.text()
    if short_texts(node, MAX_RAISED_CHARACTERS) is None:  # it is text like any other
        return ""
    parts = (part for part in node.traverse(include_text=True, skip_empty=True) if part.tag == "-text")
    return "".join([_sign(part, node) + (part.text_content or "") for part in parts])


def _sign(part: Node, node: Node) -> str:
    around = part.parent
    return _SIGNS.get(around.tag or "", "") if around is not None and around.mem_id != node.mem_id else ""


def _is_unit(before: str, text: str) -> bool:
    """Whether raised text stays as it is: a fraction of one character, the hour or the minute of a time."""
    return text in _FRACTIONS or text in {"h", "min"} or (text == "m" and _HOUR_BEFORE.search(before) is not None)


def _is_numerator(text: str, node: Node, behind: str) -> bool:
    """Whether a raised number is that of a fraction behind a whole number, not an exponent that is divided: 10<sup>6</sup>/10."""
    if not behind or behind[0] not in "/⁄":
        return False
    line = node.next
    if behind[0] == "⁄" or (line is not None and behind.strip() in {"/", "⁄"} and line.next is not None and line.next.tag == "sub"):
        return True
    if line is not None and line.next is not None and line.next.tag == "sup":
        return False  # 10<sup>6</sup>/10<sup>3</sup>
    denominator = _DENOMINATOR.match(behind)
    return denominator is not None and int(text) < int(denominator[1])


def _is_cents(before: str, text: str, behind: str) -> bool:
    """Whether two raised digits behind a decimal sign are a price's cents: `19,<sup>99</sup> €`."""
    is_part = len(text) == 2 and text.isdecimal() and before[-1] in ",."
    return is_part and (_PRICE_BEFORE.search(before[:-1]) is not None or _BEHIND_PRICE.match(behind) is not None)


def _lowered(before: str, text: str, behind: str) -> str | None:
    """A base or an index behind a number: `10_2`."""
    return f"_{text}" if text[0].isalnum() and _DIGIT_BEFORE.search(before) and text.isdecimal() else None


def _is_note(node: Node) -> bool:
    link = node.css_first("a")
    if link is not None and link.attributes.get("href"):  # no exponent is a link
        return True
    attributes = node.attributes
    return bool(attributes) and any(_NOTE_NAMES.search(attributes.get(key) or "") for key in ("class", "id", "role"))


def _text_behind(node: Node) -> str:
    """The text behind an element, also where it is the last one in inline elements."""
    around: Node | None = node
    for _ in range(MAX_INLINE_ANCESTORS):
        if around is None:
            break
        if (following := around.next) is not None:
            return beginning(following, 20)
        around = around.parent
        if around is None or around.tag not in _INLINE_AROUND:
            break
    return ""
