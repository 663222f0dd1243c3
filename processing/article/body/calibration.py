"""The confidence of an article: how likely its text is right, as it was on labelled pages.

`python -m benchmarks.pages.train_confidence` fits the weights of a logistic regression over the measures below and stores them in
confidence.json. "Right" means an F1 of at least .9.
"""

from __future__ import annotations

import json
from functools import cache
from math import exp
from pathlib import Path

from processing.article.body.confidence import ReadText
from processing.article.kinds import CODE, HEADING
from processing.article.outline.outline import Outline

WEIGHTS = Path(__file__).with_name("confidence.json")
PLAUSIBLE = 0.9  # a text that passes the cheap tests less well loses as large a share of its confidence
SHORT_TEXT = 100  # characters: a last block with fewer may be a label
MANY_HEADLINES = 5
LAST_BLOCKS = 3
_STOPS = frozenset('.!?:”"’…)。！？')


def calibrated(plausibility: float, measures: dict[str, float]) -> float:
    """The confidence, from 0 to 1. `plausibility` is the result of the cheap tests (`body.confidence`)."""
    weights = _weights()
    score = weights["intercept"] + sum([weights[name] * value for name, value in measures.items()])
    return round(min(1.0, plausibility / PLAUSIBLE) / (1 + exp(-score)), 3)


def measure(outline: Outline, container: int, read: ReadText, *, sure: bool) -> dict[str, float]:
    """The measures of an article's text, each from 0 to 1. `sure`: the page's type is declared, or certain without the model."""
    text = read.blocks
    letters, count = read.letters + 1, len(text) + 1
    last = text[-LAST_BLOCKS:]
    return {
        "sure": float(sure),
        "linked": read.linked / letters,
        "code": sum([len(block.text) for block in text if block.kind is CODE]) / letters,
        "whole_sentences": sum([block.text[-1] in _STOPS for block in text]) / count,
        "short_end": sum([len(block.text) < SHORT_TEXT for block in last]) / LAST_BLOCKS,
        **_place(outline, container, letters),
    }


def _place(outline: Outline, container: int, letters: int) -> dict[str, float]:
    """What share of the container and of the page the article is, what stands above it, and how many main headings the page has."""
    text_blocks, element = outline.text_blocks, outline.elements[container]
    prose = sum([block.prose for block in text_blocks])
    heads = sum([block.level == 1 and block.kind is HEADING for block in text_blocks])
    return {
        "of_container": min(1.0, letters / (sum([block.length for block in text_blocks[element.start : element.end]]) + 1)),
        "of_page": min(1.0, letters / (sum([block.length for block in text_blocks]) + 1)),
        "prose_above": sum([block.prose for block in text_blocks[: element.start]]) / (prose + 1),
        "headlines": min(heads, MANY_HEADLINES) / MANY_HEADLINES,
    }


@cache
def _weights() -> dict[str, float]:
    return dict(json.loads(WEIGHTS.read_text(encoding="utf-8")))
