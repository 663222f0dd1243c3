"""The spool of a worker that slept while its next self took over."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from schemas.errors import ConflictError, FencedError
from spiders.spool.spool import Spool


def test_a_folder_that_was_taken_over_ends_the_worker(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", cast("Any", None), "w", 1, "agent")
    batch = spool.open(0.0)
    batch.writer = cast("Any", SimpleNamespace())
    batch.lines.append("{}")
    spool.journal(batch, batch.take_lines())
    batch.lines.append("{}")
    shutil.rmtree(spool.folder)
    with pytest.raises(ConflictError, match="taken over by another process"):
        spool.journal(batch, batch.take_lines())


@pytest.mark.parametrize(("is_taken", "error"), [(True, FencedError), (False, FileNotFoundError)])
def test_a_segment_that_is_taken_over_while_it_is_uploaded(is_taken: bool, error: type[Exception], tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", cast("Any", None), "w", 1, "agent")
    batch = spool.open(0.0)
    path = spool.path(batch.name)
    path.touch()

    def close() -> None:
        if is_taken:
            path.unlink()
        raise FileNotFoundError(path)

    batch.writer = cast("Any", SimpleNamespace(close=close))
    with pytest.raises(error):
        spool.upload(batch, cast("Any", None))
