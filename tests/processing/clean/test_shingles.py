"""The shingles that are found in the bytes of many texts are those of their words, in every script."""

from __future__ import annotations

import random

import numpy as np

from processing.clean.minhash import text_signatures
from processing.clean.shingles import LONG_WORD, PIECE_BYTES, Shingles, read_shingles
from processing.clean.words import words

# word characters, blanks and marks of every length in UTF-8; letters whose lower case is longer; scripts without spaces; a lone surrogate
CHARACTERS = (
    "aB_9 .,-\n\t\r\x00\x1c\x85\u2028\u00a0\u200b'’ßéÉİǅΣςабв你好ひらกขကក٣²½"
    "\U0001f600\U00010400\U00020001\U0003ffff\U00040000\U000e0100\ud800"
)


def test_words_are_those_of_the_definition() -> None:
    chance = random.Random(7)
    for number in range(400):
        texts = ["".join(chance.choices(CHARACTERS, k=chance.randrange(60))) for _ in range(chance.randrange(6))]
        if number % 4 == 0:
            texts = [text.encode("ascii", "ignore").decode() for text in texts]
        found, of_texts = read_shingles(texts), [words(text) for text in texts]
        assert found.words.tolist() == [len(one) for one in of_texts]
        assert found.letters.tolist() == [sum(map(len, one)) for one in of_texts]
        assert found.counts.tolist() == [len(_runs(one)) for one in of_texts]


def test_equal_shingles_have_equal_hashes_and_others_have_others() -> None:
    chance = random.Random(8)
    vocabulary = ["the", "THE", "café", "x" * 8, "x" * 9, "y" * LONG_WORD, "y" * (LONG_WORD + 1), "z" * 300, "z" * 301, "日"]
    texts = [" ".join(chance.choices(vocabulary, k=chance.randrange(9))) for _ in range(300)]
    hashes: dict[tuple[str, ...], int] = {}
    for text, found in zip(texts, _of_each(read_shingles(texts)), strict=True):
        alone = read_shingles([text]).hashes  # with other texts, or alone
        assert found.tolist() == alone.tolist() == sorted(set(alone.tolist()))
    for run in {run for text in texts for run in _runs(words(text))}:
        hashes[run] = int(read_shingles([" ".join(run)]).hashes[0])
    assert len(set(hashes.values())) == len(hashes)
    for text, found in zip(texts, _of_each(read_shingles(texts)), strict=True):
        assert found.tolist() == sorted(hashes[run] for run in _runs(words(text)))


def test_texts_that_are_read_in_pieces_are_read_whole() -> None:
    long = " ".join(f"word{number}" for number in range(PIECE_BYTES // 8))
    texts = ["", long, "a few words", long + " at the end", ""]
    assert read_shingles(texts).words.tolist() == [len(words(text)) for text in texts]
    assert text_signatures(texts) == [text_signatures([text])[0] for text in texts]
    assert read_shingles([]).hashes.tolist() == []


def _runs(tokens: list[str]) -> set[tuple[str, ...]]:
    return {tuple(tokens[start : start + 5]) for start in range(max(len(tokens) - 4, 1))} if tokens else set()


def _of_each(shingles: Shingles) -> list[np.ndarray[tuple[int], np.dtype[np.uint64]]]:
    return np.split(shingles.hashes, np.cumsum(shingles.counts)[:-1])
