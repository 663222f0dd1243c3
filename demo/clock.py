"""The demo site's clock: a number of ticks in a file, so that a running site and `make demo` share it."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
TICK = timedelta(hours=6)  # enough for some new and some changed articles
FILE = "demo-clock"
SHOP = "shop"  # the folder of the shop's clock, in the site's home


def time_at(clock: int) -> datetime:
    """The site's time at a tick."""
    return START + clock * TICK


def read(home: Path) -> int:
    """The clock under `home`. 0 if there is none."""
    try:
        return int((home / FILE).read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return 0


def write(home: Path, clock: int) -> None:
    """Set the clock. Readers see the old value or the new one, never a part of it."""
    home.mkdir(parents=True, exist_ok=True)
    temporary = home / f".{FILE}.{os.getpid()}"
    temporary.write_text(f"{clock}\n", encoding="ascii")
    temporary.replace(home / FILE)


def advance(home: Path, ticks: int = 1) -> int:
    """Advance the clock and return its new value. A running site follows within a second."""
    clock = read(home) + ticks
    write(home, clock)
    return clock


def main() -> None:
    """`python -m demo.clock show|advance --home DIR [--ticks N]`."""
    parser = argparse.ArgumentParser(prog="python -m demo.clock", description="The demo site's clock.")
    parser.add_argument("verb", choices=["show", "advance"])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--ticks", type=int, default=1)
    options = parser.parse_args()
    print(advance(options.home, options.ticks) if options.verb == "advance" else read(options.home))


if __name__ == "__main__":
    main()
