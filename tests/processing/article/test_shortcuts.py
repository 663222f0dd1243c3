"""Cheap tests that decide most cases before a costly one: they never decide otherwise than it would."""

from __future__ import annotations

import pytest

from processing.article.body.confidence import plausibility
from processing.article.body.phrases import SUBSCRIPTION, SUBSCRIPTION_SIGNS
from processing.article.metadata.surroundings import in_boilerplate, in_list_of_pages
from processing.article.outline.walk import read_outline
from processing.article.tree.parse import Node, parse
from schemas.article import Block, BlockKind

SENTENCE = "The ferry between the two towns runs twice a day in winter and on every hour of the summer. "


def inside(name: str) -> Node:
    """A paragraph in an element with a class."""
    node = parse(f'<div class="{name}"><p>text</p></div>').css_first("p")
    assert node is not None
    return node


@pytest.mark.parametrize("name", ["related", "Most-Read", "mostread", "widget", "side-NAV", "nav", "card", "post cards", "cookie-respond"])
def test_names_of_boilerplate(name: str) -> None:
    assert in_boilerplate(inside(name))


@pytest.mark.parametrize("name", ["elementor-widget", "navigate", "discard", "postcards", "story", "nextpage"])
def test_names_that_only_look_like_boilerplate(name: str) -> None:
    assert not in_boilerplate(inside(name))


@pytest.mark.parametrize(("name", "listed"), [("More-Articles", True), ("morefrom", True), ("sidebar", False), ("card", False)])
def test_names_of_lists_of_pages(name: str, listed: bool) -> None:
    assert in_list_of_pages(inside(name)) is listed


@pytest.mark.parametrize(
    "text",
    """our newsletter|nyhetsbrev|nieuwsbrief|boletin|boletín|lettre d'info|whatsapp-kanal|whatsappchannel|telegramcanal|your inbox|news-app
nachrichtenapp|our app|the full story|a subscription|all subscribers|the briefing""".replace("\n", "|").split("|"),
)
def test_each_subscription_has_a_sign(text: str) -> None:
    assert SUBSCRIPTION.search(text)
    assert any(sign in text for sign in SUBSCRIPTION_SIGNS)


@pytest.mark.parametrize(
    ("text", "filler"),
    [(SENTENCE * 12, " \n\t" * 3_000), ("渡船は冬には一日に二回、夏には毎時間、二つの町の間を運航しています。" * 10, "短い")],
    ids=["indented", "Japanese"],
)
def test_a_misnamed_element_with_most_of_the_text_is_read(text: str, filler: str) -> None:
    """The text that counts is in long runs, however much stands around it in short ones."""
    links = f"<a href=/x>{filler}</a>" * 20
    body = parse(f"<body><p>{SENTENCE}</p><div class=sidebar>{links}<p>{text}</p></div><div class=promo>{links}</div></body>").body
    texts = [block.text for block in read_outline(body).text_blocks]
    assert text.strip() in texts
    assert len(texts) == (2 if filler.isspace() else 3)  # the links of the misnamed element, but not those of the other one


def test_the_declared_body_is_found_anywhere_in_the_text() -> None:
    words = " ".join(f"word{number}" for number in range(60))
    blocks = (*(Block(BlockKind.PARAGRAPH, SENTENCE),) * 8, Block(BlockKind.PARAGRAPH, words))
    outline = read_outline(parse(f"<p>{'</p><p>'.join(block.text for block in blocks)}</p>").body)
    assert plausibility(outline, blocks, words) == plausibility(outline, blocks, None) > plausibility(outline, blocks[:-1], words)
