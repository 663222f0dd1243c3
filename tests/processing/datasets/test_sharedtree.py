"""One parse of a page serves its datasets and its article."""

from processing.article.article import read_article
from processing.datasets.page_rows import PageReader
from processing.datasets.page_view import PageView
from schemas.config.crawl import SiteRules
from schemas.datasets.dataset_file import parse_dataset
from schemas.page import Page

PROSE = "".join(
    f"<p>Sentence number {number} of a text that is long enough to be an article, with some more words in it.</p>" for number in range(9)
)
PAGE = Page("https://a.example/p/1", f"<title>T</title><article><h1>Heading</h1><aside class=price>12,50 €</aside>{PROSE}</article>")
DATASET = parse_dataset("source: {selectors: {price: {css: .price, type: 'decimal(12,2)'}}}\nkey: url\n", "prices")


def test_the_article_is_read_from_the_tree_of_the_datasets() -> None:
    rules = SiteRules(remove=("aside",))
    view = PageView(PAGE)
    (row,) = PageReader(DATASET).rows(view).rows  # before the article, whose rules cut out what they remove
    assert row.values == {"price": "12.50"}
    assert read_article(PAGE, rules, tree=view.tree) == read_article(PAGE, rules)
    assert view.tree.css_first("aside") is None
