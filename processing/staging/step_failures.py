"""Which datasets' steps broke on a segment, so that the gate holds back their rows of its crawl run."""

from __future__ import annotations

import json
from collections.abc import Mapping

from schemas.keys import extracted_failures_key
from storage.objects.store import ObjectStore


def write_failures(store: ObjectStore, process_run: str, segment: str, failures: Mapping[str, str]) -> None:
    """Store why steps broke, by dataset; nothing for none."""
    if failures:
        store.put_bytes(extracted_failures_key(process_run, segment), json.dumps(dict(failures)).encode())


def read_failures(store: ObjectStore, process_run: str, segment: str) -> dict[str, str]:
    """What `write_failures` stored of a segment."""
    key = extracted_failures_key(process_run, segment)
    return dict(json.loads(store.get_bytes(key))) if store.info(key) is not None else {}
