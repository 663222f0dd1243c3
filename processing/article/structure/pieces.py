"""Fold the white space of inline pieces, so that their text is the text of the outline's block."""

from __future__ import annotations

import re
from collections.abc import Iterable

from processing.article.structure.structure import Piece
from processing.article.tree.characters import without_invisible

_BLANKS = re.compile(r"\s+")


def folded_pieces(raw: Iterable[Piece]) -> list[Piece]:
    """The pieces with white space folded over their borders, none at both ends, and neighbours with equal marks joined."""
    pieces: list[Piece] = []
    ends_blank = True
    for piece in raw:
        if piece.is_break or piece.image:
            ends_blank = _add_other(pieces, piece)
            continue
        text = _BLANKS.sub(" ", without_invisible(piece.text))
        if ends_blank:
            text = text.lstrip(" ")
        if text:
            ends_blank = text.endswith(" ")
            _add_text(pieces, Piece(text, piece.marks))
    return _without_end(pieces)


def plain(pieces: Iterable[Piece]) -> str:
    """The text of folded pieces: a line break is a blank, an image has none."""
    text = "".join(" " if piece.is_break else piece.text for piece in pieces if not piece.image)
    return " ".join(text.split()) if "  " in text else text.strip()


def join_drop_cap(pieces: list[Piece]) -> None:
    """Join the large first letter of a paragraph with its word, as the outline does."""
    text = plain(pieces)
    if text[1:2] != " " or not text[2:3].islower():
        return
    first = pieces[0]
    if len(first.text) > 1:
        first.text = first.text[0] + first.text[2:]
    elif len(pieces) > 1:
        pieces[1].text = pieces[1].text.removeprefix(" ")


def _add_other(pieces: list[Piece], piece: Piece) -> bool:
    """Add a line break or an image; whether blanks behind it go."""
    if not piece.is_break:
        pieces.append(Piece(_BLANKS.sub(" ", piece.text).strip(), piece.marks, piece.image))
        return False
    if not pieces:
        return True
    last = pieces[-1]
    if not last.is_break and not last.image:
        last.text = last.text.rstrip(" ")
        if not last.text:
            pieces.pop()
    if pieces and not pieces[-1].is_break:
        pieces.append(Piece("", (), "", is_break=True))
    return True


def _add_text(pieces: list[Piece], piece: Piece) -> None:
    last = pieces[-1] if pieces else None
    if last is not None and last.marks == piece.marks and not last.image and not last.is_break:
        last.text += piece.text
    else:
        pieces.append(piece)


def _without_end(pieces: list[Piece]) -> list[Piece]:
    while pieces and not pieces[-1].image:
        pieces[-1].text = pieces[-1].text.rstrip(" ")
        if pieces[-1].text:
            break
        pieces.pop()
    return pieces
