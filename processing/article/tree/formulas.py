"""The text of formulas: their TeX where they carry it, otherwise MathML written in one line."""

from __future__ import annotations

import re
from collections.abc import Callable

from selectolax.lexbor import LexborHTMLParser

from processing.article.tree.characters import folded_text
from processing.article.tree.parse import Node

MAX_DEPTH = 60  # nested elements of a formula; deeper ones are read as plain text
MAX_FORMULA_CHARACTERS = 2000
MAX_MATHML_CHARACTERS = 20_000  # the time of parsing grows with the square of the depth
_STYLE = re.compile(r"^\{\\(?:displaystyle|textstyle|scriptstyle)\s*(.*)\}$", re.DOTALL)
_TEX = re.compile(r"tex", re.IGNORECASE)
_IMAGE_NAMES = re.compile(r"(?:^|[\s_-])(?:latex|tex|math|formula|mwe-math\S*)(?:[\s_-]|$)", re.IGNORECASE)
_IMAGE_SOURCES = re.compile(
    r"//latex\.codecogs\.com/|/latex\.php\?|/cgi-bin/mathtex|/mimetex|[?&]cht=tx|/media/math/render/", re.IGNORECASE
)
_UNSEEN_OPERATORS = {"\u2061": "", "\u2062": "·", "\u2063": ",", "\u2064": " "}  # application, multiplication, separation, addition
_ONE = re.compile(r"[+\-−]?[\w.,]+|\S")  # needs no brackets beside an operator


def formula_text(node: Node) -> str:
    """The text of a `<math>`: its TeX, or its numbers, letters and signs in one line."""
    attributes = node.attributes
    tex = attributes.get("alttext") or ""
    if not tex.strip():
        notes = (child for child in node.css("annotation") if _TEX.search(child.attributes.get("encoding") or ""))
        tex = next((text for note in notes if (text := note.text().strip())), "")
    return _plain(tex) if tex.strip() else folded_text(_linear(node, 0))[:MAX_FORMULA_CHARACTERS]


def script_formula(node: Node) -> str:
    """The TeX of a `<script type="math/tex">`, or AsciiMath or MathML, that no sibling shows already; empty for other scripts."""
    kind = node.attrs.get("type")
    if not kind or not kind.lower().startswith(("math/tex", "math/asciimath", "math/mml")):
        return ""
    if kind.lower().startswith("math/mml"):
        return _mathml_in(node.text())
    before = node.prev
    while before is not None and before.tag == "-text":
        before = before.prev
    shown = before is not None and "MathJax" in (before.attributes.get("class") or "") and before.css_first("math") is not None
    return "" if shown else _plain(node.text())


def _mathml_in(markup: str) -> str:
    """The formula in a text of MathML; empty for none, and for one with more elements than formulas have."""
    if len(markup) > MAX_MATHML_CHARACTERS:
        return ""
    formula = LexborHTMLParser(markup).css_first("math")
    return formula_text(formula) if formula is not None else ""


def image_formula(node: Node) -> str:
    """The `alt` of an image that shows a formula, unless the formula stands beside it; empty for other images."""
    attributes = node.attributes
    alt, names, source = attributes.get("alt"), attributes.get("class"), attributes.get("src")
    if not alt or not ((names and _IMAGE_NAMES.search(names)) or (source and _IMAGE_SOURCES.search(source))):
        return ""
    before = node.prev
    return "" if before is not None and before.tag != "-text" and before.css_first("math") is not None else _plain(alt)


def shows_formula(node: Node) -> bool:
    """Whether an image shows the formula that stands before it as text."""
    attributes = node.attributes
    before = node.prev
    if before is None or before.tag == "-text" or not _IMAGE_SOURCES.search(attributes.get("src") or ""):
        return False
    return before.css_first("math") is not None


def _plain(tex: str) -> str:
    text = folded_text(tex)[:MAX_FORMULA_CHARACTERS]
    styled = _STYLE.match(text)
    return styled[1].strip() if styled else text


def _linear(node: Node, depth: int) -> str:
    """MathML in one line. `x^2` and `1/2` say what raised and stacked parts mean."""
    if depth > MAX_DEPTH:
        return node.text()
    if node.tag == "-text":
        return (node.text_content or "").strip()
    if node.tag in {"annotation", "annotation-xml"}:
        return ""
    if node.tag == "mtext":
        return node.text()
    parts = [text for child in node.iter(include_text=True) if (text := _linear(child, depth + 1))]
    if node.tag == "mfenced":
        opening, closing = (node.attributes.get(side, sign) or "" for side, sign in (("open", "("), ("close", ")")))
        return f"{opening}{','.join(parts)}{closing}"
    write = _SHAPES.get(node.tag or "")
    return write(parts) if write else _joined(parts)


def _joined(parts: list[str]) -> str:
    """Parts beside each other; a space keeps two numbers apart, as in `1 1/2`, or the sign of an operator that nobody sees."""
    text, between = "", " "
    if len(parts) == 1:
        return parts[0]
    for part in parts:
        if part in _UNSEEN_OPERATORS:
            between = _UNSEEN_OPERATORS[part]
            continue
        text += f"{between}{part}" if text[-1:].isdigit() and part[:1].isdigit() else part
        between = " "
    return text


def _bracketed(text: str) -> str:
    return text if _ONE.fullmatch(text) else f"({text})"


def _signed(*signs: str) -> Callable[[list[str]], str]:
    """A base and what stands around it, each behind its sign."""

    def write(parts: list[str]) -> str:
        added = zip(signs, map(_bracketed, parts[1:]), strict=False)
        return "".join([_bracketed(parts[0]) if "/" in signs else parts[0], *(sign + part for sign, part in added)]) if parts else ""

    return write


_SHAPES: dict[str, Callable[[list[str]], str]] = {
    "mfrac": _signed("/"),
    "msup": _signed("^"),
    "msub": _signed("_"),
    "msubsup": _signed("_", "^"),
    "munder": _signed("_"),
    "mover": _signed("^"),
    "munderover": _signed("_", "^"),
    "msqrt": lambda parts: f"√{_bracketed(_joined(parts))}",
    "mroot": lambda parts: f"√[{''.join(parts[1:])}]{_bracketed(parts[0])}" if parts else "",
    "mtr": ", ".join,
    "mtable": "; ".join,
    "mspace": lambda _: " ",
}
