"""What pages are, on pages made for it."""

from datetime import UTC, datetime

import pytest

from processing.article.metadata import read_metadata
from processing.article.pagefeatures import page_features
from processing.article.pagetype import page_type, type_shares
from processing.article.pagetypeweights import WEIGHTS
from processing.article.parse import parse
from schemas.article import PageType
from schemas.page import Page

SENTENCE = "The harbour was quiet on the morning the ferry came back, and nobody had expected the crowd that gathered on the pier. "
NAVIGATION = (
    "<nav><ul>" + "".join(f"<li><a href='/{name}'>{name.title()}</a></li>" for name in ("city", "sport", "culture")) + "</ul></nav>"
)
ARTICLE = (
    "<article><h1>Why the ferry came back to the harbour</h1><p class='byline'>By Ada Marsh</p><time datetime='2025-03-04'>March 4</time>"
    "<div class='entry-content'>" + f"<p>{SENTENCE * 3}</p>" * 8 + "</div></article>"
)
TEASERS = "<h1>City</h1>" + "".join(
    f"<article class='card'><h2><a href='/s{i}'>Another story of the city, number {i}</a></h2><time>March {i}</time></article>"
    for i in range(1, 25)
)
PRODUCT = (
    "<h1>Brass compass</h1><span class='price'>$49.00</span><div class='quantity'></div><button class='add-to-cart'>Add to cart</button>"
    "<div class='product-detail'><p>Made of brass. In stock, free shipping.</p></div>"
)
THREAD = "<h1>Which compass?</h1>" + "".join(
    f"<div class='postbit post-number'><p>I have had mine for {i} years and it is fine, really.</p><a>Reply</a><a>Quote</a></div>"
    for i in range(12)
)
MANUAL = (
    "<main class='md-content docusaurus'><h1>Configuration</h1><div class='toc'></div>"
    + "<h2>Options</h2><p>The option sets the port on which the server listens for requests.</p><pre><code>port = 80</code></pre>" * 8
    + "<a>Edit this page</a></main>"
)


def kind(body: str, url: str, head: str = "") -> PageType:
    html = f"<!doctype html><html lang='en'><head>{head}</head><body>{NAVIGATION}{body}<footer>About us</footer></body></html>"
    page = Page(url=url, html=html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC))
    tree = parse(html)
    return page_type(tree, page, read_metadata(tree, page))


@pytest.mark.parametrize(
    ("body", "url", "expected"),
    [
        (ARTICLE, "https://post.example/city/why-the-ferry-came-back-to-the-harbour", PageType.ARTICLE),
        (ARTICLE, "https://post.example/?p=81231", PageType.ARTICLE),
        (TEASERS, "https://post.example/category/city/", PageType.HUB),
        (TEASERS, "https://post.example/", PageType.HUB),
        (PRODUCT, "https://shop.example/products/brass-compass", PageType.PRODUCT),
        (THREAD, "https://forum.example/threads/which-compass.1234/", PageType.FORUM),
        (MANUAL, "https://docs.example/docs/configuration", PageType.DOCUMENTATION),
    ],
)
def test_shapes(body: str, url: str, expected: PageType) -> None:
    assert kind(body, url) is expected


@pytest.mark.parametrize(
    ("title", "body", "expected"),
    [
        ("Page not found", "<h1>404</h1><p>Sorry, this page does not exist.</p>", PageType.SOFT_404),
        ("Seite nicht gefunden", "<h1>Leider</h1>", PageType.SOFT_404),
        ("Just a moment...", "<div id='challenge-platform'></div><p>Checking your browser</p>", PageType.WALL),
        ("Log in | Post", "<form><input name='user'><input type='password'></form>", PageType.WALL),
        ("Before you continue", "<p>We value your privacy. Accept all cookies.</p>", PageType.WALL),
    ],
)
def test_walls_and_soft_errors(title: str, body: str, expected: PageType) -> None:
    assert kind(body, "https://post.example/city/why-the-ferry-came-back", f"<title>{title}</title>") is expected


def test_an_article_about_errors_is_an_article() -> None:
    url = "https://post.example/tech/why-the-page-not-found-error-is-here-to-stay"
    assert kind(ARTICLE, url, "<title>Why the 404 page not found error is here to stay</title>") is PageType.ARTICLE


def test_every_feature_has_a_weight_and_the_other_way_round() -> None:
    html = f"<html><body>{ARTICLE}</body></html>"
    page, tree = Page(url="https://post.example/x", html=html), parse(html)
    features = page_features(tree, page, read_metadata(tree, page))
    assert features.keys() == WEIGHTS.keys() - {"constant"}
    assert sum(type_shares(features).values()) == pytest.approx(1)
