"""Detect the language of a text."""

from __future__ import annotations

import re

import pycld2

SAMPLE_CHARACTERS = 2_000  # enough for the detector; bounds its time
MIN_CHARACTERS = 20  # shorter texts are too little for the detector
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_RENAMED = {"iw": "he", "jw": "jv", "in": "id", "zh-Hant": "zh"}


def detect_language(text: str, declared: str | None = None) -> str | None:
    """The ISO 639-1 code of a text's language, from its first characters; None when the detector is not sure.

    `declared` is the language that the page names (for example `de-AT`), a hint only.
    """
    sample = text[:SAMPLE_CHARACTERS]
    if not sample.replace("\n", " ").isprintable():  # which takes a tenth of the time
        sample = _UNPRINTABLE.sub(" ", sample)
    if len(sample.strip()) < MIN_CHARACTERS:
        return None
    hint = re.split(r"[-_]", declared.strip())[0].lower() if declared else None
    try:
        reliable, _, found = pycld2.detect(sample, isPlainText=True, bestEffort=True, hintLanguage=hint)
    except pycld2.error:
        return None
    code = str(found[0][1])
    if code == "un" or (not reliable and code != hint):
        return None
    return _RENAMED.get(code, code.partition("-")[0])
