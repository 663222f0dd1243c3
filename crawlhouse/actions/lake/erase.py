"""What `crawlhouse erase` and `takedown add --erase` do: count, ask, erase, and show the receipt."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import typer

from crawlhouse.output.console import progress_line, say, write_json, write_line
from crawlhouse.output.row_formats import ReportFormat
from processing.erase.erasing import Preview, erase, preview
from processing.erase.receipt import Receipt
from schemas.config.settings import Settings, make_home
from schemas.errors import ConfigError, ConflictError
from schemas.numbers import plural
from spiders.closing.left_spools import sweep_spools
from storage.ledger.ledger import open_ledger
from storage.outages import patience, wait_out


@dataclass(frozen=True, slots=True)
class EraseWishes:
    """How to erase: who decides and why, seconds of grace for queries, and what is printed."""

    who: str
    reason: str
    grace_seconds: float
    dry_run: bool = False
    confirmed: bool = False
    form: ReportFormat = ReportFormat.TABLE


def entries_of(urls: Sequence[str], hosts: Sequence[str], patterns: Sequence[str]) -> list[str]:
    """The entries of the takedown list. Raises ConfigError for a kind that does not fit its option, and for none at all."""
    for url in urls:
        if "://" not in url or url.endswith("*"):
            raise ConfigError(f"{url!r} is not a URL. Name a host with --host, and URLs with the same beginning with --pattern 'URL*'.")
    for pattern in patterns:
        if "://" not in pattern or not pattern.endswith("*"):
            raise ConfigError(f"{pattern!r} is not a pattern: it is the beginning of a URL with * at the end. Quote it.")
    for host in hosts:
        if "/" in host:
            raise ConfigError(f"{host!r} is not a host, like example.com or *.example.com.")
    if not (urls or hosts or patterns):
        raise ConfigError("Name what is to be erased: URLs, --host or --pattern.")
    return [*urls, *patterns, *hosts]


def run_erase(entries: Sequence[str], wishes: EraseWishes, settings: Settings) -> None:
    """Erase what the entries cover. Raises ConfigError without a reason, ConflictError if something is left, and what `erase` raises."""
    make_home(settings)
    if not wishes.dry_run and not wishes.reason.strip():
        raise ConfigError("Say why with --reason: it is stored in the receipt.")
    is_asked = sys.stdin.isatty() and not wishes.confirmed
    with patience(settings):
        if wishes.dry_run or is_asked:
            _show_preview(wait_out(preview, entries, settings), wishes)
            if wishes.dry_run:
                return
            typer.confirm("Erase all this for good?", abort=True)
        _sweep_spools(settings)
        with progress_line() as update:
            receipts = wait_out(erase, entries, wishes.who, wishes.reason, settings, update, wishes.grace_seconds)
    for receipt in receipts:
        _show_receipt(receipt, wishes.form)
    left = [sentence for receipt in receipts for sentence in receipt.waiting]
    if left:
        raise ConflictError(" ".join(left))


def _sweep_spools(settings: Settings) -> None:
    """Remove what crashed workers left on this machine of runs that are closed."""
    ledger = open_ledger(settings)
    try:
        sweep_spools(settings, ledger)
    finally:
        ledger.close()


def _show_preview(found: Preview, wishes: EraseWishes) -> None:
    if wishes.form is not ReportFormat.TABLE:
        write_json(asdict(found))
        return
    write_line(f"{plural(found.records, 'capture')} of the archive and {plural(found.urls, 'URL')} of the frontier would be erased.")
    for name, count in sorted(found.rows.items()):
        write_line(f"  {plural(count, 'row')} of {name}")
    for page in found.found_on:
        write_line(f"  {page} links to it; its own captures stay.")


def _show_receipt(receipt: Receipt, form: ReportFormat) -> None:
    if form is not ReportFormat.TABLE:
        write_json(asdict(receipt))
        return
    for line in receipt.lines():
        write_line(line)
    say(f"The receipt is stored as {receipt.key()}.")
