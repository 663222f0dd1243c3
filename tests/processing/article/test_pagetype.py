"""What pages are, on pages made for it."""

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from processing.article.body.forms import mark_other_articles
from processing.article.metadata.metadata import Metadata, read_metadata
from processing.article.outline.container import find_container
from processing.article.outline.outline import Outline
from processing.article.outline.walk import read_outline
from processing.article.page_body.declared import MAX_LINKS, declared_tokens
from processing.article.page_body.kinds import kind_words
from processing.article.page_body.kinds import load_model as page_kinds_model
from processing.article.page_body.page_body import best_blocks, smoothed, with_code_and_tables
from processing.article.pagetype.features import page_features
from processing.article.pagetype.model import load_model, read_model
from processing.article.pagetype.pagetype import page_type, sure_article
from processing.article.structure.walk import read_structure
from processing.article.tree.parse import Tree, parse
from schemas.article import PageType
from schemas.errors import ConfigError
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


def read(html: str, url: str) -> tuple[Tree, Page, Metadata, Outline, int]:
    page = Page(url=url, html=html, fetched_at=datetime(2025, 6, 1, tzinfo=UTC))
    tree = parse(html)
    metadata, outline = read_metadata(tree, page), read_outline(tree.body)
    mark_other_articles(outline, metadata.title)
    return tree, page, metadata, outline, find_container(outline)


def kind(body: str, url: str, head: str = "") -> PageType:
    html = f"<!doctype html><html lang='en'><head>{head}</head><body>{NAVIGATION}{body}<footer>About us</footer></body></html>"
    return page_type(*read(html, url))


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


JAPANESE = "港の朝は静かだった。渡し船が十年ぶりに帰ってきたとき、桟橋に集まった人々の数を誰も予想していなかった、と船長は火曜日に語った。"
CHINESE = (
    "港口在那天早晨非常安静，没有人料到码头上会聚集那么多人，渡轮终于在多年之后回到了这座城市。市长在仪式上说，这条航线将每天往返四次。"
)
BRIEF = "<main><h1>Ferry to sail again from Monday</h1><p class='date'>4 March 2025</p>" + f"<p>{SENTENCE}</p>" * 3 + "</main>"
BARE = "<h1>Why the ferry came back</h1>" + f"<p>{SENTENCE * 3}</p>" * 6
PORTAL = (
    TEASERS
    + "<section><h2>Sport</h2>"
    + "".join(f"<a href='/t{i}'><h3>Match {i} ended in a draw</h3></a>" for i in range(20))
    + "</section>"
)


@pytest.mark.parametrize(
    ("body", "url"),
    [
        (f"<article><h1>多年之后渡轮重新回到旧港口</h1><time datetime='2025-03-04'>3月4日</time>{f'<p>{CHINESE * 2}</p>' * 7}</article>",
         "https://post.example/2025/03/04/81231.html"),
        (f"<div><h1>霧が晴れて渡し船が港に戻る</h1>{f'<p>{JAPANESE}</p>' * 4}</div>", "https://small.example/city/20260219/30136.html"),
        (BRIEF, "https://post.example/news/ferry-to-sail-again-from-monday"),
        (BARE, "https://small.example/texts/why-the-ferry-came-back"),
        (ARTICLE, "https://post.example/amp/city/why-the-ferry-came-back"),
        (ARTICLE, "https://post.example/city/why-the-ferry-came-back?print=1"),
    ],
)  # fmt: skip
def test_articles_of_all_sorts(body: str, url: str) -> None:
    assert kind(body, url) is PageType.ARTICLE


def test_what_both_markups_call_an_article_is_one_unless_they_call_it_more() -> None:
    head = "<meta property='og:type' content='article'><script type='application/ld+json'>{}</script>"
    url = "https://docs.example/docs/configuration"
    assert kind(MANUAL * 3, url) is PageType.DOCUMENTATION
    assert kind(MANUAL * 3, url, head.format('{"@type": "NewsArticle"}')) is PageType.ARTICLE
    assert kind(MANUAL * 3, url, head.format('[{"@type": "BlogPosting"}, {"@type": "TechArticle"}]')) is PageType.DOCUMENTATION


@pytest.mark.parametrize("url", ["https://post.example/", "https://post.example/tag/harbour", "https://post.example/author/ada-marsh"])
def test_home_pages_and_tags_are_hubs(url: str) -> None:
    assert kind(PORTAL, url) is PageType.HUB


@pytest.mark.parametrize(
    ("title", "body", "expected"),
    [
        ("Page not found", "<h1>404</h1><p>Sorry, this page does not exist.</p>", PageType.SOFT_404),
        ("Seite nicht gefunden", "<h1>Leider</h1>", PageType.SOFT_404),
        ("Making sure you're not a bot!", "<h1>Making sure you're not a bot!</h1><p>Loading...</p>", PageType.WALL),
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
    features = page_features(*read(f"<html><body>{ARTICLE}</body></html>", "https://post.example/x"))
    model = load_model()
    assert features.keys() == set(model.features)
    assert all(0 <= value <= 1 for value in features.values())
    assert sum(model.probabilities(features).values()) == pytest.approx(1)


@pytest.mark.parametrize("html", ["", "<html></html>", "<frameset><frame src='/a'></frameset>", "<p>x", "<title>t</title>"])
def test_pages_of_nothing_have_features_and_a_type(html: str) -> None:
    everything = read(html, "https://post.example/x")
    assert all(0 <= value <= 1 for value in page_features(*everything).values())
    assert page_type(*everything) is not PageType.ARTICLE


def test_a_model_weighs_features_and_climbs_trees() -> None:
    data = {
        "types": ["article", "hub"],
        "article_threshold": 0.5,
        "intercept": [0.0, 0.0],
        "means": {"links": 0.25},
        "weights": {"prose": [2.0, 0.0], "links": [0.0, 0.0]},
        "trees": [[0, 0.5, -1.0, [1, 0.25, 3.0, -3.0]], 0.0],
    }
    model = read_model(data)

    def odds(**features: float) -> float:
        probabilities = model.probabilities(features)
        return math.log(probabilities["article"] / probabilities["hub"])

    assert odds(prose=0.5, links=1.0) == pytest.approx((1.0 - 1.0) / 2)  # up to the threshold: the low side
    assert odds(prose=1.0, links=0.25) == pytest.approx((2.0 + 3.0) / 2)
    assert odds(prose=1.0, links=1.0) == pytest.approx((2.0 - 3.0) / 2)
    assert odds(prose=1.0, links=math.nan) == pytest.approx((2.0 + 3.0) / 2)  # not known: as usual


def test_a_model_whose_trees_have_too_many_forks_is_refused() -> None:
    tree: object = 1.0
    for _ in range(9):
        tree = [0, 0.5, -1.0, tree]
    data = {"types": ["article"], "article_threshold": 0.5, "intercept": [0.0], "means": {}, "weights": {"prose": [1.0]}, "trees": [tree]}
    with pytest.raises(ConfigError, match="at most 9 leaves"):
        read_model(data)


def test_a_dated_page_with_an_articles_url_and_one_declaration_is_surely_an_article() -> None:
    og = "<meta property='og:type' content='article'><meta property='article:published_time' content='2025-03-04'>"
    html = f"<html><head>{og}</head><body>{ARTICLE}</body></html>"
    _, page, metadata, outline, container = read(html, "https://post.example/city/why-the-ferry-came-back")
    assert sure_article(metadata, outline, container, page.url) is not None
    assert sure_article(metadata, outline, container, "https://post.example/forum/why-the-ferry-came-back") is None
    assert sure_article(replace(metadata, published_at_source="url"), outline, container, page.url) is None
    product = replace(metadata, json_ld_types=frozenset({"Product"}))
    assert sure_article(product, outline, container, page.url) is None
    recipe = replace(metadata, json_ld_types=frozenset({"Recipe"}))
    assert sure_article(recipe, outline, container, "https://post.example/soup") is not None
    assert sure_article(replace(recipe, authors=()), outline, container, "https://post.example/soup") is None


def test_a_page_that_declares_nothing_needs_a_date_and_a_slug() -> None:
    html = f"<html><body>{ARTICLE}<time datetime='2025-03-04'>4 March</time></body></html>"
    _, page, metadata, outline, container = read(html, "https://post.example/city/why-the-ferry-came-back")
    assert sure_article(metadata, outline, container, page.url) == "date and URL"
    assert sure_article(metadata, outline, container, "https://post.example/services/why-the-ferry-came-back") is None
    assert sure_article(metadata, outline, container, "https://post.example/1234") is None


def test_prose_without_a_link_is_an_article() -> None:
    assert kind(
        f"<h2>Ferry</h2><p>{'The ferry sailed at six in the fog. ' * 10}</p>", "https://post.example/7", "<title>Ferry</title>"
    ) is (PageType.ARTICLE)


SHOP = """
<html><head><meta name="generator" content="ShopKit 4.2"><meta property="og:type" content="product">
<link rel="stylesheet" href="/assets/theme-7.css"><script src="https://cdn.shopkit.example/cart.js"></script></head>
<body class="template-product" id="top"><div itemscope itemtype="https://schema.org/Offer"></div>
<form action="/cart/add"><select name="option[size]"></select><button>Add to cart</button></form>
<a href="/collections/boats">Boats</a> <a href="https://www.elsewhere.example/x">Elsewhere</a> <a href="http://[broken">?</a>
</body></html>"""


def test_words_of_the_program_that_made_a_page() -> None:
    found = declared_tokens(parse(SHOP), "shop.example")
    assert {"g:ator:shopkit", "g:type:product", "m:offer", "b:template", "b:product", "x:cart", "y:theme", "y:0"} <= found
    assert {"f:cart", "f:add", "i:option_size", "B:add_to_cart", "r:stylesheet", "l:collections", "e:elsewhere.example"} <= found
    assert not {word for word in found if word.startswith(("l5:", "l20:"))}


def test_words_of_many_links_are_told_from_those_of_one() -> None:
    links = "".join(f"<a href='/thread/{number}'>x</a>" for number in range(MAX_LINKS + 10))
    found = declared_tokens(parse(f"<body>{links}<a href='/last'>x</a></body>"), "forum.example")
    assert {"l:thread", "l5:thread", "l20:thread"} <= found
    assert "l:last" not in found


def test_words_of_longer_texts_are_a_group_of_their_own() -> None:
    html = f"<body><h2>Boats</h2><p>Call us</p><p>{SENTENCE}</p></body>"
    tree, page, metadata, _, _ = read(html, "https://post.example/boats")
    seen, declared, text = kind_words(page.url, metadata, read_structure(tree, page.url), tree)
    assert {"u:boats", "h:boats", "s:call_us"} <= seen
    assert declared == declared_tokens(tree, "post.example")
    assert {"harbour", "ferry", "nobody"} <= text
    assert not {"call", "boats"} & text


def test_the_stored_model_has_weights_for_each_group_of_words() -> None:
    assert [bool(group.weights) for group in page_kinds_model().words] == [True, True, True]


def test_blocks_are_judged_with_those_beside_them_but_in_forums() -> None:
    unsure = np.array([0.8, 0.4, 0.8, 0.0, 0.0])
    assert smoothed(unsure, {"product": 1.0}).round(2).tolist() == [0.65, 0.5, 0.65, 0.1, 0.0]
    assert smoothed(unsure, {"forum": 0.5}).round(3).tolist() == [0.725, 0.45, 0.725, 0.05, 0.0]
    assert smoothed(unsure, {"forum": 1.0}).tolist() == unsure.tolist()
    assert smoothed(unsure[:1], {"product": 1.0}).tolist() == [0.8]


def test_more_blocks_of_lists_are_main_text_and_fewer_of_products() -> None:
    probabilities, words = np.array([0.9, 0.9, 0.42, 0.37, 0.2]), np.full(5, 20.0)
    assert best_blocks(probabilities, words, {"article": 1.0}) == [0, 1, 2]
    assert best_blocks(probabilities, words, {"collection": 1.0}) == [0, 1, 2, 3]
    assert best_blocks(probabilities, words, {"product": 1.0}) == [0, 1]
    assert best_blocks(np.full(5, 0.05), words, {"collection": 1.0}) == []


def test_code_and_tables_beside_main_text_are_main_text() -> None:
    post = "<div><p>I run this:</p><pre>x = 1</pre><pre>y = 2</pre></div><div><pre>z = 3</pre></div>"
    structure = read_structure(parse(post), "https://forum.example/t/5")
    assert [block.text for block in structure.blocks] == ["I run this:", "x = 1", "y = 2", "z = 3"]
    assert with_code_and_tables(structure, [0]) == [0, 1, 2]
