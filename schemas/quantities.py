"""Quantities as people read them: sizes in bytes, and numbers with their noun."""

from __future__ import annotations

GB, MB = 1_000_000_000, 1_000_000


def format_bytes(count: float) -> str:
    """A size in MB, or in GB from one GB on, with one decimal: `12.3 MB`. The units are decimal, as in SI."""
    return f"{count / GB:,.1f} GB" if count >= GB else f"{count / MB:,.1f} MB"


def plural(number: float, noun: str) -> str:
    """A number with its noun: `1 visit`, `2 visits`."""
    return f"{number:,g} {noun}" + ("" if number == 1 else "s")
