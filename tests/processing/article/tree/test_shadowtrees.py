"""Declarative shadow trees: what stands in the host is read where its slots show it."""

import pytest

from processing.article.structure.walk import read_structure
from processing.article.tree.parse import parse
from processing.article.tree.shadow import with_shadow_trees
from tests.cpu import growth

ROOT = "<x-a><template shadowrootmode=open>"


def blocks(html: str) -> list[str]:
    return [f"{block.kind.value}: {block.text}" for block in read_structure(parse(html), "https://valley.example/").blocks]


@pytest.mark.parametrize(
    ("html", "read"),
    [
        (
            f"{ROOT}<h3><slot name=t>No title</slot></h3><slot></slot></template><span slot=t>Title</span><p>Body</p></x-a>",
            ["heading: Title", "paragraph: Body"],
        ),
        (f"{ROOT}<p>before <slot></slot></p></template>light</x-a>", ["paragraph: before light"]),
        (f"{ROOT}<p><slot>fallback</slot></p></template></x-a>", ["paragraph: fallback"]),
        (
            f"{ROOT}<slot></slot><p>end</p></template><x-b><template shadowroot=open><h3><slot>none</slot></h3></template>in</x-b></x-a>",
            ["heading: in", "paragraph: end"],
        ),
    ],
)
def test_slots_are_filled(html: str, read: list[str]) -> None:
    assert blocks(html) == read


def test_hostile_nesting_is_bounded() -> None:
    html = f"{ROOT}<p><slot></slot></p></template>" * 300 + "text"
    assert blocks(html)[-1].endswith("text")


def test_many_tags_without_an_end_take_linear_time() -> None:
    assert growth(lambda size: with_shadow_trees("<template " * (size // 10)), 60_000) < 10
