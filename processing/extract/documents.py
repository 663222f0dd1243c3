"""Read PDF documents for the datasets of whole pages. For articles they are no HTML."""

from __future__ import annotations

from collections.abc import Sequence

from processing.article.tree.parse import parse
from processing.datasets.page_rows import page_reader, read_document_rows
from processing.extract.rejections import rejected
from processing.extract.robots_meta import forbids_indexing
from processing.pdf.document import UnreadablePdfError, is_pdf, read_pdf
from schemas.datasets.dataset import Dataset
from schemas.datasets.page_rows import PageRows
from schemas.outcomes import Reason, Rejected
from storage.warc.content_coding import CodingError, decode_content
from storage.warc.reader import Record

MAX_DOCUMENT_BYTES = 64 * 1024 * 1024  # decompressed


def read_document(record: Record, product_token: str | None, definitions: Sequence[str]) -> list[PageRows] | Rejected:
    """The rows that a PDF gives, or an error for each dataset of whole pages; Rejected if its headers ask not to be indexed.

    `definitions` are those of all datasets. There are no rows for another kind of file, or without a dataset of whole pages.
    """
    wanted = [definition for definition in definitions if page_reader(definition).reads_whole_pages]
    if not wanted:
        return []
    try:
        body = decode_content(record.capture.body, record.capture.joined_header("content-encoding"), MAX_DOCUMENT_BYTES)
    except CodingError:
        return []
    if not is_pdf(body):
        return []
    if product_token and forbids_indexing(record.capture, parse(""), product_token):
        return rejected(record, "page_type", Reason.NOINDEX, "its headers ask not to index it")
    try:
        return read_document_rows(record.capture.url, read_pdf(body), wanted)
    except UnreadablePdfError as error:
        return [PageRows(Dataset.model_validate_json(definition).name, error=str(error)) for definition in wanted]
