"""Articles from pages: `read_article` is the door; it does no I/O and keeps no state."""

from __future__ import annotations

from processing.article.article import read_article

__all__ = ["read_article"]
