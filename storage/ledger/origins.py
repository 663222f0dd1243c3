"""By what a process run made its rows, as the ledger has it. Read without SQLAlchemy: `crawlhouse show` asks it of one run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import TypeAdapter

from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.runs import Replacement, RunKind
from schemas.yaml_files.bounds import PINNED
from storage.database.plain_rows import read_plain_rows

QUERY = "SELECT code_version, config_hash, config, replacement, published_at FROM process_runs WHERE process_run = ?"
_REPLACEMENT = TypeAdapter(Replacement)


@dataclass(frozen=True, slots=True)
class RunOrigin:
    """The code and the crawl's configuration of a process run, and what it replaces, if anything."""

    code_version: str
    config_hash: str
    crawl: Crawl
    replacement: Replacement | None
    published_at: datetime | None

    @property
    def kind(self) -> RunKind:
        """The kind of the run, as in the table `runs`."""
        return RunKind.PROCESS if self.replacement is None else self.replacement.kind


def read_origin(settings: Settings, process_run: str) -> RunOrigin | None:
    """The origin of a process run; None if the database does not know it. Raises UnavailableError, StorageError."""
    for code_version, config_hash, config, replacement, published_at in read_plain_rows(
        settings, "frontier", "The database", QUERY, [process_run]
    ):
        return RunOrigin(
            code_version=code_version,
            config_hash=config_hash,
            crawl=Crawl.model_validate_json(config, context=PINNED),
            replacement=_REPLACEMENT.validate_json(replacement) if replacement else None,
            published_at=None if published_at is None else datetime.fromtimestamp(published_at, UTC),
        )
    return None
