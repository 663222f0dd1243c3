"""What every room knows of URLs: the ports that a URL need not name."""

from __future__ import annotations

DEFAULT_PORTS = {"http": 80, "https": 443}
