"""`crawlhouse rename` and `crawlhouse delete`: what becomes of a crawl's state when its name goes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from crawlhouse.output.console import say
from schemas.errors import ConfigError, ConflictError, NotFoundError

if TYPE_CHECKING:
    from schemas.config.settings import Settings

RENAME_EXAMPLES = """
Examples:

  crawlhouse rename my_news our_news
"""
DELETE_EXAMPLES = """
Examples:

  crawlhouse delete my_news

  crawlhouse delete my_news --yes
"""
OldName = Annotated[str, typer.Argument(metavar="OLD")]
NewName = Annotated[str, typer.Argument(metavar="NEW")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A crawl's name.")]


def rename(old: OldName, new: NewName) -> None:
    """Rename a crawl: its file, golden pages, frontier and site memory. It must have no open run, and every closed run must be processed.

    What was captured and published so far keeps the old name, for it is part of keys and rows. Repeating it after an interruption ends it.
    """
    from schemas.config.settings import load_settings

    settings = load_settings()
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
    say(f"{old} is {new} now: {count or 0:,} URLs moved. What was captured and published so far keeps the name {old}.")


def _check_golden(old: str, new: str, settings: Settings) -> None:
    from schemas.config.golden_page import golden_folder

    before, after = golden_folder(settings.crawls, old), golden_folder(settings.crawls, new)
    if before.exists() and after.exists():
        raise ConflictError(f"{after} exists already. Choose another name, or remove that folder.")


def _rename_golden(old: str, new: str, settings: Settings) -> None:
    from schemas.config.golden_page import golden_folder

    if golden_folder(settings.crawls, old).is_dir():
        golden_folder(settings.crawls, old).rename(golden_folder(settings.crawls, new))


def delete(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Forget a crawl's frontier: which URLs it knows, when they are due, what became of each. It must have no open run.

    Its workers' statistics go too: the manifests of its runs have them summed up. The captures, the published rows, the ledger of its
    runs and the crawl's file stay: removing these is never done by this command. With the file still there, its next run begins from the
    seeds.
    """
    from schemas.config.settings import load_settings
    from storage.frontier.admin.changes import open_frontier_admin
    from storage.frontier.admin.selection import Selection

    settings = load_settings()
    _check_known(name)
    steering = open_frontier_admin(settings)
    known = sum(steering.counts(Selection(crawl=name)).values())
    if known and not yes:
        _confirm(name, known)
    try:
        count = steering.delete_crawl(name)
    except NotFoundError:
        from schemas.config.crawl_file import NAME

        if not NAME.fullmatch(name) or not _delete_statistics(name, settings):  # of a deletion that was cut off
            raise
        count = 0
    _delete_statistics(name, settings)
    say(f"{count:,} URLs of {name} are forgotten; its captures and rows stay.")
    path = settings.crawls / f"{name}.yaml"
    if path.exists():
        say(f"{path} is still there: the next run begins from its seeds. Remove it if there is to be none.")


def _delete_statistics(crawl: str, settings: Settings) -> int:
    """Delete what the workers of a crawl counted; how many objects that were."""
    from schemas.keys import statistics_prefix
    from storage.objects.open import open_store

    store = open_store(settings)
    keys = [info.key for info in store.list(statistics_prefix(crawl))]
    for key in keys:
        store.delete(key)
    return len(keys)


def _confirm(name: str, known: int) -> None:
    if not sys.stdin.isatty():
        raise ConfigError(f"{known:,} URLs of {name} would be forgotten. Say --yes, since nobody can be asked here.")
    typer.confirm(f"Forget {known:,} URLs of {name}?", abort=True)


def _check_name(name: str) -> None:
    from schemas.config.crawl_file import NAME

    if not NAME.fullmatch(name):
        raise ConfigError(f"{name!r} names no crawl: a name is lower-case letters, digits and _, like 'my_news'.")


def _check_known(name: str) -> None:
    """Raises NotFoundError for what can be no crawl's name."""
    from schemas.config.crawl_file import NAME

    if not NAME.fullmatch(name):
        raise NotFoundError(f"There is no crawl {name!r}: a name is lower-case letters, digits and _. See `crawlhouse frontier list`.")


def _rename_state(old: str, new: str, settings: Settings) -> int | None:
    """How many URLs moved; None where the frontier knows no such crawl."""
    from storage.frontier.admin.changes import open_frontier_admin
    from storage.ledger.ledger import open_ledger

    ledger = open_ledger(settings)
    waiting = ledger.closed_unpublished(old)
    if waiting:
        raise ConflictError(f"{old} has {len(waiting)} runs that are not processed. Run `crawlhouse process {old}` first.")
    _copy_memory(old, new, ledger.memory_version(old), settings)
    try:
        return open_frontier_admin(settings).rename_crawl(old, new)
    except NotFoundError:
        return None


def _copy_memory(old: str, new: str, version: int, settings: Settings) -> None:
    from schemas.keys import memory_key
    from storage.objects.open import open_store

    store = open_store(settings)
    if version and store.info(memory_key(old, version)) is not None:
        store.put_bytes(memory_key(new, version), store.get_bytes(memory_key(old, version)))
