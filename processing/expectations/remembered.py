"""Answers that are known already: what Great Expectations said of the same rows and expectations in the same process run.

A run is judged again where others published before it. Mostly its rows are the same then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from processing.expectations.batches import Batch
from schemas.keys import judged_key
from storage.objects.store import ObjectStore

Values = dict[str, Any]  # JSON


class RememberedAnswers:
    """The answers of one process run, in its staging."""

    def __init__(self, store: ObjectStore, process_run: str) -> None:
        self._store, self._process_run = store, process_run

    def get(self, digest: str, failed: Path) -> Values | None:
        """The answer to a batch, or None. The indices of rows at fault are written to `failed`, as the process that judges does."""
        key = self._key(digest, "json")
        if self._store.info(key) is None:
            return None
        failed.write_bytes(self._store.get_bytes(self._key(digest, "parquet")))
        return dict(json.loads(self._store.get_bytes(key)))

    def put(self, digest: str, answer: Mapping[str, Any], failed: Path) -> None:
        """Remember the answer to a batch."""
        self._store.put_bytes(self._key(digest, "parquet"), failed.read_bytes())
        self._store.put_bytes(self._key(digest, "json"), json.dumps(answer).encode())

    def _key(self, digest: str, kind: str) -> str:
        return judged_key(self._process_run, digest, kind)


def digest_of(batch: Batch) -> str:
    """A digest of all that an answer depends on: the rows, what is expected of them, and the version of Great Expectations."""
    asked = [version("great_expectations"), batch.rows, batch.expectations, batch.measures]
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode())
    for path in batch.files.values():
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
