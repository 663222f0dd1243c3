"""What `crawlhouse rename` and `crawlhouse delete` do: move or remove the state that a crawl has under its name."""

from __future__ import annotations

import sys

import typer

from crawlhouse.output.console import say
from schemas.config.crawl_file import NAME
from schemas.config.golden_page import golden_folder
from schemas.config.settings import Settings
from schemas.errors import ConfigError, ConflictError, NotFoundError
from schemas.keys import memory_key, statistics_prefix
from schemas.numbers import plural
from storage.frontier.admin.changes import open_frontier_admin
from storage.frontier.admin.selection import Selection
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store


def rename_crawl(settings: Settings, old: str, new: str) -> None:
    """Rename a crawl. Running it again after an interruption completes it. Raises NotFoundError, ConflictError, ConfigError."""
    _check_known(old)
    _check_name(new)
    before, after = settings.crawls / f"{old}.yaml", settings.crawls / f"{new}.yaml"
    if before.exists() and after.exists():
        raise ConflictError(f"{after} exists already. Choose another name, or remove that file.")
    _check_golden(old, new, settings)
    count = _rename_state(old, new, settings)
    if count is None and not before.exists():
        raise NotFoundError(f"There is no crawl {old!r}: neither {before} nor anything of it in the frontier.")
    if before.exists():
        _rename_golden(old, new, settings)
        before.rename(after)
    say(f"{old} is {new} now: {plural(count or 0, 'URL')} moved. What was captured and published so far keeps the name {old}.")


def delete_crawl(settings: Settings, name: str, *, confirmed: bool) -> None:
    """Delete a crawl's frontier and statistics. Asks first, unless `confirmed`. Raises NotFoundError, ConflictError, ConfigError."""
    _check_known(name)
    frontier = open_frontier_admin(settings)
    known = sum(frontier.counts(Selection(crawl=name)).values())
    if known and not confirmed:
        _confirm(name, known)
    try:
        count = frontier.delete_crawl(name)
    except NotFoundError:
        if not NAME.fullmatch(name) or not _delete_statistics(name, settings):  # a deletion that was interrupted leaves statistics only
            raise
        count = 0
    _delete_statistics(name, settings)
    say(f"{plural(count, 'URL')} of {name} forgotten; its captures and rows stay.")
    path = settings.crawls / f"{name}.yaml"
    if path.exists():
        say(f"{path} is still there: the next run begins from its seeds. Remove it if there is to be none.")


def _check_golden(old: str, new: str, settings: Settings) -> None:
    before, after = golden_folder(settings.crawls, old), golden_folder(settings.crawls, new)
    if before.exists() and after.exists():
        raise ConflictError(f"{after} exists already. Choose another name, or remove that folder.")


def _rename_golden(old: str, new: str, settings: Settings) -> None:
    if golden_folder(settings.crawls, old).is_dir():
        golden_folder(settings.crawls, old).rename(golden_folder(settings.crawls, new))


def _rename_state(old: str, new: str, settings: Settings) -> int | None:
    """How many URLs moved. None if the frontier knows no such crawl."""
    ledger = open_ledger(settings)
    unpublished = ledger.closed_unpublished(old)
    if unpublished:
        raise ConflictError(f"{old} has {plural(len(unpublished), 'run')} to be processed. Run `crawlhouse process {old}` first.")
    _copy_memory(old, new, ledger.memory_version(old), settings)
    try:
        return open_frontier_admin(settings).rename_crawl(old, new)
    except NotFoundError:
        return None


def _copy_memory(old: str, new: str, version: int, settings: Settings) -> None:
    store = open_store(settings)
    if version and store.info(memory_key(old, version)) is not None:
        store.put_bytes(memory_key(new, version), store.get_bytes(memory_key(old, version)))


def _delete_statistics(crawl: str, settings: Settings) -> int:
    """Delete the statistics of a crawl's workers. Returns how many objects that were."""
    store = open_store(settings)
    keys = [info.key for info in store.list(statistics_prefix(crawl))]
    for key in keys:
        store.delete(key)
    return len(keys)


def _confirm(name: str, known: int) -> None:
    if not sys.stdin.isatty():
        raise ConfigError(f"{plural(known, 'URL')} of {name} would be forgotten. Say --yes, since nobody can be asked here.")
    typer.confirm(f"Forget {plural(known, 'URL')} of {name}?", abort=True)


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ConfigError(f"{name!r} names no crawl: a name is lower-case letters, digits and _, like 'my_news'.")


def _check_known(name: str) -> None:
    """Raises NotFoundError for a text that cannot be a crawl's name."""
    if not NAME.fullmatch(name):
        raise NotFoundError(f"There is no crawl {name!r}: a name is lower-case letters, digits and _. See `crawlhouse frontier list`.")
