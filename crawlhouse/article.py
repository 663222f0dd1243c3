"""`crawlhouse.extract`: the article of one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schemas.article import Article


def extract(html: str, url: str) -> Article | None:
    """The article of an HTML page, read in this process and without limits; None if the page has no text of its own.

    Look at `page_type`: pages of other types that have prose are returned too. The lake's articles are also compared with the other pages
    of their site, which removes more boilerplate.
    """
    from processing.article.article import read_article
    from schemas.outcomes import Rejected
    from schemas.page import Page

    article = read_article(Page(url=url, html=html))
    return None if isinstance(article, Rejected) else article
