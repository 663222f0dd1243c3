"""Reads a refresh, in a header or a meta element: another URL to which browsers go after some seconds.

Source: HTML Standard, "shared declarative refresh steps".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

QUICK_SECONDS = 10  # chosen: nobody can read a page in less, so it is there to lead to another
IMMEDIATE_SECONDS = 1  # chosen: nobody sees the page at all
MAX_CHARACTERS = 2_100  # a URL ends at 2,000
REFRESH = re.compile(r"\s*(\d{0,9})(?:\.[\d.]{0,20})?\s*(?:[;,\s]\s*(?:url\s*=\s*)?(.*))?\Z", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Refresh:
    """The reference as written, empty for the page itself.

    `is_redirect`: it is followed so soon that the page is only a step to it; `is_immediate`: at once.
    """

    reference: str
    is_redirect: bool
    is_immediate: bool = False


def read_refresh(text: str | None) -> Refresh | None:
    """The refresh in a header or in the content of a meta element; None if it neither names a URL nor loads the page again at once."""
    found = REFRESH.match((text or "")[:MAX_CHARACTERS])
    reference = (found[2] or "").strip() if found else ""
    if found is None:
        return None
    quote = reference[:1]
    if quote in {'"', "'"}:
        reference = reference[1:].partition(quote)[0].strip()
    seconds = int(found[1] or 0)
    if not reference and (seconds or not found[1]):  # others show themselves; one that loads again without a pause waits for its cookie
        return None
    return Refresh(reference, seconds <= QUICK_SECONDS, seconds <= IMMEDIATE_SECONDS)
