"""Texts that are folded in their bytes, many at once, are those of the definition, in every script."""

from __future__ import annotations

import random

import pyarrow as pa

from processing.clean.folding import PIECE_BYTES, folded_texts

# blanks of every length in UTF-8; letters whose other case is longer, shorter or as long; a ligature; characters without cases
CHARACTERS = "aB_9.  \t\n\x1c\x85\xa0\u2003\u3000’ßéÉİıſK\u2126ẞΣςЯя好ひﬁＡꙀ😀\U00010400\U0001e900"


def test_folded_texts_are_those_of_the_definition() -> None:
    chance = random.Random(5)
    texts = ["".join(chance.choices(CHARACTERS, k=chance.randrange(12))) for _ in range(3_000)]
    texts += [f"a{chr(point)}B" for point in range(0x20000) if not 0xD800 <= point < 0xE000]
    folded = [" ".join(text.casefold().split()).encode() for text in texts]
    array = pa.array(texts)
    assert folded_texts(array) == folded
    assert folded_texts(array[1_000:2_000]) == folded[1_000:2_000]


def test_texts_are_folded_in_pieces_and_may_be_empty() -> None:
    long = "Many  Words " * (PIECE_BYTES // 10)
    assert folded_texts(pa.array(["", long, "", "Ende"])) == [b"", " ".join(long.lower().split()).encode(), b"", b"ende"]
    assert folded_texts(pa.array(["", ""])) == [b"", b""]
    assert folded_texts(pa.array([], pa.string())) == []
