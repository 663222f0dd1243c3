"""Draws a landscape for each story, so that pages have pictures and the project contains no picture files."""

from __future__ import annotations

import zlib
from random import Random


def svg(path: str) -> bytes:
    """An SVG picture that depends on its path alone."""
    random = Random(path)
    hue = random.randint(0, 359)
    hills = "".join(_hill(random, hue, layer) for layer in range(3))
    x, y, radius = random.randint(80, 560), random.randint(50, 140), random.randint(18, 46)
    sun = f'<circle cx="{x}" cy="{y}" r="{radius}" fill="hsl({hue + 40},80%,85%)"/>'
    sky = f'<rect width="640" height="360" fill="hsl({hue},45%,72%)"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 360">{sky}{sun}{hills}</svg>'.encode()


def _hill(random: Random, hue: int, layer: int) -> str:
    top = 170 + layer * 55
    points = " ".join(f"{x},{top + random.randint(-40, 40)}" for x in range(0, 641, 80))
    return f'<polygon points="0,360 {points} 640,360" fill="hsl({hue},{30 + layer * 6}%,{52 - layer * 13}%)"/>'


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


# One grey pixel: 1 x 1, eight bits, no interlace.
PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _png_chunk(b"IHDR", bytes((0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0)))
    + _png_chunk(b"IDAT", zlib.compress(b"\x00\x80"))
    + _png_chunk(b"IEND", b"")
)
