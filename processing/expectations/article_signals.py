"""The columns that the package's own expectations of `articles` judge: lengths and flags instead of texts."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

_COLUMNS = ["article_id", "version", "url", "host", "text_digest", "text_length", "word_count", "duplicate_kind"]
_SIGNALS = ["duplicate_word_fraction", "link_density"]
NEEDED_COLUMNS = [*_COLUMNS, *_SIGNALS, "title", "duplicate_of", "fetched_at", "published_at"]
"""The columns of article rows from which `suite_rows` makes the columns of the suite."""


def suite_rows(articles: pa.Table) -> pa.Table:
    """The columns that the suite checks."""
    rows = articles.select(_COLUMNS + _SIGNALS)
    duplicate_of = articles["duplicate_of"]
    latest = pc.add(articles["fetched_at"], pa.scalar(2 * 86_400_000_000, pa.duration("us")))
    flags = {
        "title_length": pc.fill_null(pc.utf8_length(articles["title"]), 0),
        "has_duplicate_of": pc.is_valid(duplicate_of),
        "has_duplicate_kind": pc.is_valid(articles["duplicate_kind"]),
        "is_own_duplicate": pc.fill_null(pc.equal(duplicate_of, articles["article_id"]), fill_value=False),
        "published_in_future": pc.fill_null(pc.greater(articles["published_at"], latest), fill_value=False),
    }
    for name, column in flags.items():
        rows = rows.append_column(name, column)
    return rows
