"""Cheap tests that decide most cases before a costly one: they never decide otherwise than it would."""

from __future__ import annotations

import re

import pytest

from processing.article.body.confidence import plausibility, read_text
from processing.article.body.openings import Phrases
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


ALTERNATIVES = (
    r"ads?|(?:mehr|weiter)\s?lesen|(?:view )?(?:full )?(?:gallery|show)|\d+ min|\[?email.protected\]?|\W{0,2}werbung|x?ray|[bc]ell|© foto"
    r"|(?:very )*old|(?:fo(?:o|b)|(?:bar)?baz) end|\||(?:un){1,2}do|p+lay"
)
TEXTS = """ad|ads|adss|mehrlesen|weiter lesen|lesen|view gallery|full show|view full show|show|7 min|min|email protected|[email protected]
werbung|*werbung|**werbung|***werbung|xray|ray|xxray|bell|cell|dell|© foto|foto|old|very old|very very old|veryold|foo end|fob end|bar end
barbaz end|baz end|undo|unundo|do|play|pplay|lay|(|""".replace("\n", "|").split("|")


@pytest.mark.parametrize("behind", ["", r"[\s.!]*"])
def test_phrases_by_their_first_letters_match_like_one_pattern(behind: str) -> None:
    phrases, whole = Phrases(ALTERNATIVES, behind), re.compile(f"(?:{ALTERNATIVES}){behind}")
    for text in ["|", *TEXTS, *(f"{text} !" for text in TEXTS)]:
        assert phrases.fullmatch(text) == bool(whole.fullmatch(text)), text
        assert phrases.match(text) == bool(whole.match(text)), text


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
    text = read_text(blocks)
    assert plausibility(outline, text, words) == plausibility(outline, text, None) > plausibility(outline, read_text(blocks[:-1]), words)
