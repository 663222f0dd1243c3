"""The default ports, which a URL need not name."""

from __future__ import annotations

DEFAULT_PORTS = {"http": 80, "https": 443}
