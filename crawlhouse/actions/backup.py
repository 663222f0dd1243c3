"""What `crawlhouse backup` and `crawlhouse restore` do."""

from __future__ import annotations

from crawlhouse.output.console import progress_line, say
from schemas.config.settings import Settings
from schemas.numbers import plural
from storage.backup import BackupReport, back_up, restore
from storage.ledger.ledger import open_ledger
from storage.ledger.unknown_segments import count_unknown_segments
from storage.objects.open import open_store


def run_backup(settings: Settings, target: str) -> None:
    """Back up and print what was copied. Raises what `storage.backup.back_up` raises."""
    with progress_line() as update:
        done = back_up(settings, target, update)
    say(f"Backup in {target}: {_text(done)}.")


def run_restore(settings: Settings, source: str) -> None:
    """Restore and print what was copied. Raises what `storage.backup.restore` raises."""
    with progress_line() as update:
        done = restore(settings, source, update)
    say(f"Restored from {source}: {_text(done)}.")
    for crawl, count in _unknown(settings).items():
        say(
            f"The store has {plural(count, 'segment')} of {crawl} that this backup does not know. `crawlhouse adopt {crawl}` makes runs of "
            "what is there."
        )


def _unknown(settings: Settings) -> dict[str, int]:
    ledger = open_ledger(settings)
    try:
        return count_unknown_segments(ledger, open_store(settings))
    finally:
        ledger.close()


def _text(done: BackupReport) -> str:
    return f"{plural(done.copied, 'object')} copied ({done.size / 1e6:,.1f} MB), {done.present:,} present before; the database is complete"
