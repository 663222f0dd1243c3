"""What comes back from a child is data of the expected types, or is refused."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runtime.child_results import ResultDecoder, ResultError, encode_result
from schemas.article import Article, Block, BlockKind
from schemas.outcomes import Reason, Rejected

NOW = datetime(2026, 3, 1, 8, 30, 5, 123456, tzinfo=UTC)
REJECTED = Rejected("u", "w", 7, "extract", Reason.HUB)
ARTICLE = Article("https://a.example/", (Block(BlockKind.HEADING, "One", 2, 0.25),), title="One", published_at=NOW, authors=("A", "B"))


class Evil:
    """A pickle that writes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._path,)


@pytest.mark.parametrize("value", [ARTICLE, REJECTED, None, "text", 7, {"at": NOW, "tags": ["a", None]}])
def test_results_come_back_as_they_were(value: object) -> None:
    assert ResultDecoder((Article, Rejected)).decode(encode_result(None, value)) == (None, value)


def test_half_a_surrogate_pair_is_replaced() -> None:
    _, found = ResultDecoder((Article,)).decode(encode_result(None, Article("u", (Block(BlockKind.CODE, "a\ud800b"),), published_at=NOW)))
    assert (found.blocks[0].text, found.published_at) == ("a?b", NOW)


def test_a_pickle_is_refused_and_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(ResultError):
        ResultDecoder((Article,)).decode(pickle.dumps(Evil(tmp_path / "loaded")))
    assert not list(tmp_path.iterdir())


def test_another_shape_than_the_type_says_is_refused() -> None:
    with pytest.raises(ResultError):
        ResultDecoder((Article,)).decode(encode_result(None, REJECTED).replace(b"\xa8Rejected", b"\xa7Article"))
    with pytest.raises(ResultError):
        ResultDecoder((Article,)).decode(b"\x93\xc0\xa2\x86\x86\xc0")
