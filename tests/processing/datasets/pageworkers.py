"""What a page worker does for datasets, as extraction does it: one item in, one dataclass out."""

from __future__ import annotations

from dataclasses import dataclass

from processing.datasets.page_rows import read_rows
from processing.datasets.page_view import PageView
from schemas.datasets.page_rows import PageRows
from schemas.page import Page


@dataclass(frozen=True, slots=True)
class Work:
    """A page, and the datasets that read it, as JSON."""

    page: Page
    definitions: tuple[str, ...]
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of each dataset."""

    rows: list[PageRows]


def read(work: Work) -> Result:
    """The rows of one page."""
    return Result(read_rows(PageView(work.page), work.definitions, work.folders))
