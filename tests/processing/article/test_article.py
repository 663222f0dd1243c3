"""The door: a page in, an article or a reason out."""

from processing.article.article import read_article
from schemas.article import Article
from schemas.outcomes import Reason, Rejected
from schemas.page import Page

PROSE = "".join(
    f"<p>Sentence number {n} of a story that is long enough to be taken for one, with commas, clauses and {n} facts.</p>" for n in range(9)
)


def test_an_article_has_its_paragraphs() -> None:
    html = f"<html><head><title>Nine facts</title></head><body><article><h1>Nine facts</h1>{PROSE}</article></body></html>"
    article = read_article(Page("https://news.example/1", html))
    assert isinstance(article, Article)
    assert [block.text for block in article.blocks if "Sentence number" in block.text] == [
        f"Sentence number {n} of a story that is long enough to be taken for one, with commas, clauses and {n} facts." for n in range(9)
    ]


def test_an_empty_page_is_rejected_with_a_reason() -> None:
    outcome = read_article(Page("https://news.example/2", ""))
    assert isinstance(outcome, Rejected)
    assert outcome.reason is Reason.NO_ARTICLE
