"""Plots as SVG: small bars of the last runs, bars of counts that add up, and the way from due URLs to rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

BAR, GAP, HEIGHT = 4, 1, 22  # of a sparkline, in pixels
LONGEST = 100.0  # a bar's length, in percent of its place
FLOW_WIDTH, FLOW_HEIGHT = 720.0, 260.0
NODE = 12.0  # width of a node of the flow
LEAST_BAND = 1.5  # pixels: a count of one among millions stays visible


def sparkline(values: Sequence[int], bad: Sequence[int], label: str) -> Markup:
    """Bars of the last runs, oldest first: `values`, and on top of each, `bad` in red. Each kind of bar is one path: there may be many."""
    highest = max([1, *(good + wrong for good, wrong in zip(values, bad, strict=True))])
    scale, good_path, bad_path = HEIGHT / highest, [], []
    for place, (good, wrong) in enumerate(zip(values, bad, strict=True)):
        x, low = place * (BAR + GAP), round(good * scale, 1)
        if good:
            good_path.append(f"M{x} {HEIGHT}v-{max(low, 1)}h{BAR}v{max(low, 1)}z")
        if wrong:
            bad_path.append(f"M{x} {HEIGHT - low:g}v-{max(round(wrong * scale, 1), 1)}h{BAR}v{max(round(wrong * scale, 1), 1)}z")
    width = max(1, len(values) * (BAR + GAP))
    return Markup(  # noqa: S704 numbers, and an escaped label
        f'<svg class="spark" width="{width}" height="{HEIGHT}" viewBox="0 0 {width} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f'<path class="good-bar" d="{"".join(good_path)}"/><path class="bad-bar" d="{"".join(bad_path)}"/></svg>'
    )


@dataclass(frozen=True, slots=True)
class BarPart:
    """A part of a bar: its name, its count, and its place and width in percent."""

    name: str
    count: int
    x: float
    width: float


def bar(counts: Mapping[str, int], longest: int) -> tuple[BarPart, ...]:
    """The parts of a bar that are not zero, in their order. `longest` is the total of the longest bar."""
    parts, x = [], 0.0
    for name, count in counts.items():
        width = count / max(longest, 1) * LONGEST
        if count:
            parts.append(BarPart(str(name), count, round(x, 2), round(width, 2)))
        x += width
    return tuple(parts)


@dataclass(frozen=True, slots=True)
class FlowNode:
    """A count in the flow: its name, its class in the style sheet, and its place in pixels."""

    name: str
    count: int
    style: str
    x: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class FlowBand:
    """What goes from one node to another, as the path of an SVG."""

    style: str
    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Flow:
    """The accounting of a run as a flow: every column adds up to what enters it."""

    nodes: tuple[FlowNode, ...]
    bands: tuple[FlowBand, ...]
    width: float
    height: float
    summary: str


def flow(columns: Sequence[Sequence[tuple[str, int, str]]], entered: Sequence[int]) -> Flow:
    """Columns of (name, count, style) from left to right; the first entry of a column is what the next column divides, if it is not zero.

    `entered` has, for each column after the first, the number that it divides. Every column has its own scale, so that each fills the
    height: records are not URLs.
    """
    nodes: list[FlowNode] = []
    bands: list[FlowBand] = []
    step = (FLOW_WIDTH - NODE) / max(len(columns) - 1, 1)
    source: FlowNode | None = None
    for place, column in enumerate(columns):
        shown = [entry for entry in column if entry[1]]
        placed = _column(shown, place * step, sum(count for _, count, _ in shown))
        nodes += placed
        if source is not None:
            bands += _bands(source, placed, entered[place - 1])
        source = placed[0] if column and column[0][1] else None
        if source is None:
            break
    return Flow(tuple(nodes), tuple(bands), FLOW_WIDTH, FLOW_HEIGHT, "; ".join(f"{node.count:,} {node.name}" for node in nodes))


def _column(entries: Sequence[tuple[str, int, str]], x: float, total: int) -> list[FlowNode]:
    gap = 18.0  # room for the label of a thin node
    room = FLOW_HEIGHT - gap * len(entries)
    placed, y = [], 14.0
    for name, count, style in entries:
        height = max(count / max(total, 1) * room, LEAST_BAND)
        placed.append(FlowNode(name, count, style, round(x, 1), round(y, 1), round(height, 1)))
        y += height + gap
    return placed


def _bands(source: FlowNode, targets: Sequence[FlowNode], total: int) -> list[FlowBand]:
    bands, y = [], source.y
    for target in targets:
        height = target.count / max(total, 1) * source.height
        left, right = source.x + NODE, target.x
        middle = (left + right) / 2
        top = f"M{left} {y:.1f}C{middle} {y:.1f} {middle} {target.y} {right} {target.y}"
        down = f"V{target.y + target.height:.1f}C{middle} {target.y + target.height:.1f} {middle} {y + height:.1f} {left} {y + height:.1f}Z"
        bands.append(FlowBand(target.style, top + down, f"{target.count:,} of {total:,} {source.name}: {target.name}"))
        y += height
    return bands


@dataclass(frozen=True, slots=True)
class Series:
    """A line over runs: points as an SVG path in a box of 300 by 60, with the lowest and the highest value."""

    name: str
    path: str
    dots: tuple[tuple[float, float, str], ...]
    low: float
    high: float
    last: float


def series(name: str, values: Sequence[tuple[str, float | None]]) -> Series | None:
    """A line through (label, value), oldest first. Missing values are gaps. None without a value."""
    known = [value for _, value in values if value is not None]
    if not known:
        return None
    low, high = min(known), max(known)
    width, height = 300.0, 60.0
    path, dots, pen = "", [], "M"
    for place, (label, value) in enumerate(values):
        if value is None:
            pen = "M"
            continue
        x = 4 + (width - 8) * (place / max(len(values) - 1, 1))
        y = height - 4 - (height - 8) * ((value - low) / (high - low) if high > low else 0.5)
        path += f"{pen}{x:.1f} {y:.1f}"
        dots.append((round(x, 1), round(y, 1), f"{label}: {value:,.3g}"))
        pen = "L"
    return Series(name, path, tuple(dots), low, high, known[-1])
