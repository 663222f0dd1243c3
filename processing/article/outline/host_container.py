"""The signature of a container, and how a known signature finds the container on the host's other pages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from processing.article.outline.outline import Element, Outline

MAX_STEPS = 4  # up from an element without names to one that has some
PLAUSIBLE_LENGTH = 600  # characters of prose: a known container with less holds no article
PLAUSIBLE_SHARE = 0.4  # of the page's prose


def signature(outline: Outline, index: int) -> str | None:
    """An element's tag with its stable names, such as `div.entry-content`; without names, the path from the nearest named ancestor.

    Names with digits are left out: they differ between pages. None where nothing is named.
    """
    steps: list[str] = []
    while index >= 0 and len(steps) <= MAX_STEPS:
        element = outline.elements[index]
        names = _stable_names(element)
        steps.append(".".join([element.tag, *names]))
        if names:
            return ">".join(reversed(steps))
        index = element.parent
    return None


def find_known_container(outline: Outline, known: Sequence[str]) -> int | None:
    """The index of the only element with a known signature and enough prose; the first signature that fits.

    None where no element is plausible. Several elements with one signature are posts or teasers, so they do not count.
    """
    if not known:
        return None
    sums = [0, *accumulate(0 if block.boilerplate else block.prose for block in outline.text_blocks)]
    for wanted in known:
        tag, *names = wanted.rpartition(">")[2].split(".")
        found = [
            index
            for index, element in enumerate(outline.elements)
            if element.tag == tag and all(name in element.names for name in names) and signature(outline, index) == wanted
        ]
        if len(found) == 1:
            element = outline.elements[found[0]]
            if sums[element.end] - sums[element.start] >= max(PLAUSIBLE_LENGTH, PLAUSIBLE_SHARE * sums[-1]):
                return found[0]
    return None


def _stable_names(element: Element) -> list[str]:
    return sorted(
        {name for name in element.names.split() if name.isascii() and not any(map(str.isdigit, name)) and not set(name) & set(".>")}
    )
