"""Makes the rows of one page for one dataset. Everything that reads stored pages calls `read_rows`. It runs inside a page worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from processing.datasets.functions import function_rows, load_function
from processing.datasets.page_content import document_rows, page_content_rows
from processing.datasets.page_view import PageView, TooMuchError
from processing.datasets.rows import RawRow, RowTyper, size_of
from processing.datasets.selectors import SelectorReader
from processing.datasets.structured_data import LostObject, StructuredDataReader
from processing.pdf.document import PdfDocument
from runtime.patterns import PatternTimeoutError, url_patterns
from runtime.user_modules import error_text
from schemas.datasets.dataset import Dataset
from schemas.datasets.page_rows import PageRows, Row
from schemas.errors import CrawlhouseError
from storage.urls.host_key import host_key

MAX_ROWS = 10_000  # of one page, for one dataset
MAX_CHARACTERS = 5_000_000  # of all rows of one page for one dataset
MAX_READERS = 50  # datasets whose readers a worker keeps


def _bounded(rows: Iterator[RawRow | LostObject]) -> Iterator[tuple[RawRow | LostObject, int]]:
    """The rows with their sizes."""
    characters = 0
    for count, row in enumerate(rows):
        size = len(row.text) if isinstance(row, LostObject) else size_of(row)
        characters += size
        if count == MAX_ROWS:
            raise TooMuchError(f"more than {MAX_ROWS:,} rows on one page")
        if characters > MAX_CHARACTERS:
            raise TooMuchError(f"rows of more than {MAX_CHARACTERS:,} characters on one page")
        yield row, size


class PageReader:
    """Reads pages for one dataset; made once, used for many."""

    def __init__(self, dataset: Dataset, folders: Sequence[str] = ()) -> None:
        """`folders` are where the user's modules are. Raises what `load_function` raises."""
        assert dataset.source is not None
        self._dataset = dataset
        self._typer = RowTyper(dataset)
        self._match = url_patterns(dataset.match)
        self._selectors = SelectorReader(dataset) if dataset.source.selectors else None
        self._structured = StructuredDataReader(dataset) if dataset.source.structured_data else None
        self._options = dataset.source.pages
        self._function = load_function(dataset.source.function, folders) if dataset.source.function else None

    def matches(self, url: str) -> bool:
        """Whether pages of a URL have rows: one of the patterns is found in it. One that takes too long is not found."""
        return not self._match or any(pattern.search_or(url, default=False) for pattern in self._match)

    @property
    def reads_whole_pages(self) -> bool:
        """Whether its source is `pages`, which reads the article too and therefore comes last."""
        return self._options is not None

    def rows(self, view: PageView) -> PageRows:
        """The rows of a page. Errors of the page or the user's function are returned, not raised. The worker limits time and memory."""
        return self._made(view.page.url, lambda: self._raw_rows(view))

    def document_rows(self, url: str, document: PdfDocument) -> PageRows:
        """The rows of a PDF document; none if the source is not `pages`."""
        options = self._options
        return PageRows(self._dataset.name) if options is None else self._made(url, lambda: document_rows(document, options))

    def _made(self, url: str, raw_rows: Callable[[], Iterator[RawRow | LostObject]]) -> PageRows:
        name = self._dataset.name
        if not self.matches(url):
            return PageRows(name)
        host = host_key(url)
        try:
            made = [self._row(raw, host, url, size) for raw, size in _bounded(raw_rows())]
        except TooMuchError as error:
            return PageRows(name, error=str(error))
        except PatternTimeoutError as error:
            return PageRows(name, error=f"the pattern {str(error)!r} takes too long on this page")
        except MemoryError:
            raise
        except Exception as error:  # of a user's function, or of an XPath on this page
            return PageRows(name, error=error_text(error))
        return PageRows(name, made)

    def _row(self, raw: RawRow | LostObject, host: str, url: str, size: int) -> Row:
        return self._typer.lost_row(raw.detail, raw.text) if isinstance(raw, LostObject) else self._typer.row(raw, host, url, size)

    def _raw_rows(self, view: PageView) -> Iterator[RawRow | LostObject]:
        if self._options is not None:
            return page_content_rows(view, self._options)
        if self._selectors is not None:
            return self._selectors.rows(view)
        if self._structured is not None:
            return self._structured.rows(view)
        assert self._function is not None
        return iter(function_rows(self._function, view.page))


@lru_cache(maxsize=MAX_READERS)
def page_reader(definition: str, folders: tuple[str, ...] = ()) -> PageReader:
    """The reader of a dataset that is given as JSON (`Dataset.model_dump_json()`): a text is quick to send and to look up."""
    return PageReader(Dataset.model_validate_json(definition), folders)


def read_rows(view: PageView, definitions: Iterable[str], folders: tuple[str, ...] = ()) -> list[PageRows]:
    """The rows of one page for each of the datasets that read pages, all from one parse.

    A dataset that cannot be read at all, because its function is not there, is an error of every page: `check_definition` finds it before.
    """
    found: dict[int, PageRows] = {}
    readers: dict[int, PageReader] = {}
    for number, definition in enumerate(definitions):
        try:
            readers[number] = page_reader(definition, folders)
        except CrawlhouseError as error:
            found[number] = PageRows(Dataset.model_validate_json(definition).name, error=str(error))
    for number in sorted(readers, key=lambda number: readers[number].reads_whole_pages):
        found[number] = readers[number].rows(view)
    return [found[number] for number in sorted(found)]


def read_document_rows(url: str, document: PdfDocument, definitions: Iterable[str]) -> list[PageRows]:
    """The rows of one PDF document for each of the datasets of whole pages."""
    readers = [page_reader(definition) for definition in definitions]
    return [reader.document_rows(url, document) for reader in readers if reader.reads_whole_pages]
