"""Write inline pieces as Markdown: emphasis, code, links, images, line breaks."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import groupby, takewhile

from processing.article.markdown.escape import address, code_span, escaped
from processing.article.structure.structure import CODE, EMPHASIS, LINK, STRONG, Mark, Piece

BREAK = "\\\n"
_DELIMITERS = {STRONG: ("**", "__"), EMPHASIS: ("_", "*")}
_LITERAL = frozenset("*_")  # beside a delimiter they would be part of it
_OUTSIDE = " "
_SIGN = "("  # stands for whatever a mark begins with


def inline_markdown(pieces: Sequence[Piece], *, is_line: bool = False) -> str:
    """The pieces of a block. `is_line`: it must be one line, as in a heading or a cell; a line break is a blank then."""
    return _written(pieces, 0, _OUTSIDE, _OUTSIDE, is_line=is_line).strip()


def image_markdown(piece: Piece, caption: str = "") -> str:
    """An image with its `alt`, and its caption as title."""
    title = ' "' + escaped(caption).replace('"', '\\"') + '"' if caption else ""
    return f"![{escaped(piece.text)}]({address(piece.image)}{title})"


def _written(pieces: Sequence[Piece], depth: int, before: str, after: str, *, is_line: bool) -> str:
    """Pieces whose first `depth` marks are written already; `before` and `after` are the characters around them."""
    groups = [(mark, list(group)) for mark, group in groupby(pieces, lambda piece: _mark_at(piece, depth))]
    text = ""
    for place, (mark, group) in enumerate(groups):
        behind = _first_character(groups[place + 1], depth) if place + 1 < len(groups) else after
        ahead = text[-1] if text else before
        if mark is None:
            text += "".join([_leaf(piece, is_line=is_line) for piece in group])
        else:
            text += _marked(mark, group, depth, ahead, behind, is_line=is_line)
    return text


def _mark_at(piece: Piece, depth: int) -> Mark | None:
    return piece.marks[depth] if depth < len(piece.marks) else None


def _first_character(group: tuple[Mark | None, list[Piece]], depth: int) -> str:
    """The first character that a group writes; a sign where it begins with a mark."""
    mark, pieces = group
    first = pieces[0]
    if first.is_break or first.image:
        return " " if first.is_break else "!"
    if first.text[:1].isspace():
        return " "
    return _SIGN if mark is not None else escaped(first.text)[:1] or " "


def _leaf(piece: Piece, *, is_line: bool) -> str:
    if piece.is_break:
        return " " if is_line else BREAK
    return image_markdown(piece) if piece.image else escaped(piece.text)


def _marked(mark: Mark, group: list[Piece], depth: int, ahead: str, behind: str, *, is_line: bool) -> str:
    """A group of pieces inside a mark. Blanks at its ends go out of it, because no mark may begin or end with one."""
    if mark.kind == CODE:
        return _code(group, depth)
    if mark.kind == LINK:
        inner = _written(group, depth + 1, "[", "]", is_line=True)
        return _between(inner, f"[{inner.strip()}]({address(mark.target)})") if mark.target and inner.strip() else inner
    for delimiter in _DELIMITERS[mark.kind]:
        inner = _written(group, depth + 1, delimiter[0], delimiter[0], is_line=is_line)
        text = inner.strip()
        outside = (" " if inner[:1].isspace() else ahead), (" " if inner[-1:].isspace() else behind)
        if outside[0] == delimiter[0]:  # the two would be one run
            continue
        if text and "\n" not in text and _can_open(delimiter[0], outside[0], text[0]) and _can_close(delimiter[0], text[-1], outside[1]):
            return _between(inner, f"{delimiter}{text}{delimiter}")
    if (parts := _without_outer_signs(group, depth)) is not None:
        opening, inside, closing = parts
        written = _marked(mark, inside, depth, opening[-1:] or ahead, closing[:1] or behind, is_line=is_line)
        return escaped(opening) + written + escaped(closing)
    return _written(group, depth + 1, ahead, behind, is_line=is_line)


def _without_outer_signs(group: list[Piece], depth: int) -> tuple[str, list[Piece], str] | None:
    """A group that no delimiter fits, because a word touches a sign at its end: the signs before it, its inside, the signs behind it."""
    inside = [Piece(piece.text, piece.marks, piece.image, piece.is_break) for piece in group]
    opening = _outer_signs(inside[0], depth)
    inside[0].text = inside[0].text.removeprefix(opening)
    closing = _outer_signs(inside[-1], depth, reverse=True)
    inside[-1].text = inside[-1].text.removesuffix(closing)
    inside = [piece for piece in inside if piece.text or piece.image or piece.is_break]
    return (opening, inside, closing) if inside and (opening or closing) else None


def _outer_signs(piece: Piece, depth: int, *, reverse: bool = False) -> str:
    """The signs at the beginning of a piece, or at its end, if no further mark is on it."""
    if piece.image or piece.is_break or len(piece.marks) > depth + 1:
        return ""
    text = piece.text[::-1] if reverse else piece.text
    signs = "".join(takewhile(lambda character: _is_sign(character) and character not in _LITERAL, text))
    return signs[::-1] if reverse else signs


def _code(group: list[Piece], depth: int) -> str:
    """Code as it is: other marks in it are left out. A link that is all of it goes around it."""
    text = "".join(" " if piece.is_break else piece.text for piece in group if not piece.image)
    if not text.strip():
        return text
    code = _between(text, code_span(text.strip()))
    inner = {mark.target for piece in group for mark in piece.marks[depth + 1 :] if mark.kind == LINK}
    if len(group) > 1 or len(inner) != 1 or not (target := inner.pop()):
        return code
    return _between(code, f"[{code.strip()}]({address(target)})")


def _between(inner: str, written: str) -> str:
    """What is written, between the blanks at the ends of what is inside."""
    return f"{' ' if inner[:1].isspace() else ''}{written}{' ' if inner[-1:].isspace() else ''}"


def _can_open(delimiter: str, ahead: str, first: str) -> bool:
    """Whether a run of delimiters begins emphasis (CommonMark 6.2): it is left-flanking, and `_` does not stand in a word."""
    left, right = _flanks(ahead, first)
    return left and (delimiter == "*" or not right or _is_sign(ahead))


def _can_close(delimiter: str, last: str, behind: str) -> bool:
    left, right = _flanks(last, behind)
    return right and (delimiter == "*" or not left or _is_sign(behind))


def _flanks(ahead: str, behind: str) -> tuple[bool, bool]:
    """Whether a run of delimiters between two characters is left-flanking and right-flanking."""
    left = not behind.isspace() and (not _is_sign(behind) or ahead.isspace() or _is_sign(ahead))
    right = not ahead.isspace() and (not _is_sign(ahead) or behind.isspace() or _is_sign(behind))
    return left, right


def _is_sign(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"
