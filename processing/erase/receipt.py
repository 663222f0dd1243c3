"""The receipt of an erasure: what was erased where, and which copies crawlhouse cannot erase. It has digests of the entries only."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from processing.erase.plan import Plan
from processing.erase.scope import Scope
from schemas.config.settings import Settings
from schemas.keys import ERASURES_PREFIX
from storage.objects.store import ObjectStore

S3 = "s3://"
OWN_SUFFIXES = frozenset({".yaml", ".yml", ".txt", ".py"})
PLURAL = re.compile(r"s(?= of |$)")  # of a place in `erased`: rows of captures, staged objects


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased, by place; who decided it, why and when.

    `entries` are SHA-256 digests of the entries of the takedown list. `waiting` says what is left until a run is closed: then the same
    command must be run again. `others` are copies that are not crawlhouse's to erase, and what names the URLs from outside.
    """

    erasure: str
    entries: tuple[str, ...]
    decided_by: str
    reason: str
    begun_at: str
    completed_at: str | None
    erased: dict[str, int]
    waiting: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    process_runs: tuple[str, ...] = field(default=())

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to erase."""
        return self.completed_at is not None

    def key(self) -> str:
        """Where it is stored."""
        return receipt_key(self.erasure, self.begun_at)

    def to_json(self) -> str:
        """The receipt as JSON."""
        return json.dumps(asdict(self), indent=2)

    def lines(self) -> Iterator[str]:
        """The receipt for people."""
        yield f"Erasure {self.erasure}, decided by {self.decided_by}: {self.reason or 'no reason given'}"
        for place, count in self.erased.items():
            yield f"  {count:,} {PLURAL.sub('', place, count=1) if count == 1 else place}"
        if not self.erased:
            yield "  nothing was stored"
        yield from (f"Not yet: {sentence}" for sentence in self.waiting)
        yield from (f"Not crawlhouse's to erase: {sentence}" for sentence in self.others)


def receipt_key(erasure: str, begun_at: str) -> str:
    """Where a receipt is."""
    stamp = "".join(character for character in begun_at[:19] if character.isdigit() or character == "T")
    return f"{ERASURES_PREFIX}{erasure}-{stamp}.json"


def make_receipt(plan: Plan, waiting: list[str], others: list[str], process_runs: list[str]) -> Receipt:
    """The receipt of a plan that was carried out."""
    return Receipt(
        plan.name,
        tuple(hashlib.sha256(entry.encode()).hexdigest() for entry in plan.entries),
        plan.decided_by,
        plan.reason,
        plan.begun_at,
        None if waiting else datetime.now(UTC).isoformat(timespec="seconds"),
        {place: count for place, count in sorted(plan.counts.items()) if count},
        tuple(waiting),
        tuple(others),
        tuple(process_runs),
    )


def store_receipt(receipt: Receipt, store: ObjectStore) -> str:
    """Store a receipt; its key."""
    store.put_bytes(receipt.key(), receipt.to_json().encode())
    return receipt.key()


def other_copies(scope: Scope, settings: Settings, store: ObjectStore) -> list[str]:
    """What crawlhouse cannot erase, a sentence each."""
    found = [
        *_backups(settings),
        "Copies that others made: exports, WACZ files, dumps and replicas of the database, copies of the store, messages that were sent.",
    ]
    if settings.store_url().startswith(S3):
        found.append("Earlier versions of objects, if the bucket keeps versions: delete those of the keys that changed.")
    if settings.database:
        found.append("The write-ahead log of PostgreSQL and its archives, until they are recycled; its tables were vacuumed.")
        found.append("An Airflow whose database is not a file of this home: its XComs and the configuration of its DAG runs.")
    if any(True for _ in store.list("adopted/")):
        found.append("The WARC files that were adopted: crawlhouse has its own copy of their records.")
    return [*found, *_own_files(scope, settings)]


def _backups(settings: Settings) -> list[str]:
    folder = settings.home / "backups"
    files = sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    if not files:
        return []
    return [f"Backups of the databases in {folder}: {', '.join(files)}. Delete them; erase again after you restored one."]


def _own_files(scope: Scope, settings: Settings) -> list[str]:
    """Files of the user's that name the URLs."""
    folders = [folder for folder in (settings.crawls, settings.datasets_folder()) if folder.is_dir()]
    found = {path for folder in folders for path in folder.rglob("*") if path.suffix in OWN_SUFFIXES and path.is_file()}
    paths = sorted(path for path in found if settings.home not in path.parents or settings.crawls.is_relative_to(settings.home))
    named = [path for path in paths if scope.mentions(path.read_text(encoding="utf-8", errors="replace"))]
    return [f"{path} names what was erased: take it out of the file." for path in named]
