"""A health check for containers: `python -P -m crawlhouse.airflow.health COMPONENT URL` asks a health page of Airflow; exit code 0 or 1.

`airflow jobs check` does the same, but each call takes three seconds of CPU.
"""

from __future__ import annotations

import json
import sys
import urllib.request

SECONDS = 9.0


def is_healthy(component: str, url: str) -> bool:
    """Whether the page at `url` says that a component (`scheduler`, `dag_processor`, `triggerer`, `metadatabase`) is healthy."""
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as response:  # noqa: S310 the address is the operator's own
            return bool(json.load(response)[component]["status"] == "healthy")
    except (OSError, ValueError, LookupError, TypeError) as error:
        print(f"{url}: {error!r}", file=sys.stderr)
        return False


if __name__ == "__main__":
    sys.exit(not is_healthy(*sys.argv[1:3]))
