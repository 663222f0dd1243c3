"""Handles the errors of a command: one clear message on stderr and the error's exit code, never a traceback."""

from __future__ import annotations

import errno
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from crawlhouse.output.console import say_error
from schemas.credentials.redaction import redacted
from schemas.errors import ConfigError, ConflictError, CrawlhouseError, StorageError, UnavailableError
from schemas.printable import printable

EXIT_UNEXPECTED = 1
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141  # what a shell reports of a program ended by SIGPIPE

FULL_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
UNDECODED = re.compile("[\udc80-\udcff]")  # what Python makes of bytes of an argument that are no text
NO_PERMISSION = {errno.EACCES, errno.EPERM, errno.EROFS}


def exit_code_of(action: Callable[[], None]) -> int:
    """Run a command and return its exit code. An error that it raises is printed."""
    try:
        action()
        sys.stdout.flush()
    except SystemExit as ended:
        return _broken_pipe() if isinstance(ended.__context__, BrokenPipeError) else _exit_code(ended)
    except KeyboardInterrupt:
        say_error("Interrupted.")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        return _broken_pipe()
    except Exception as error:
        return _report(error)
    return 0


def known_error(error: BaseException) -> CrawlhouseError | None:
    """The error for the user, found in the chain of causes. None when the error is unexpected."""
    seen: BaseException | None = error
    while seen is not None:
        translated = _translated(seen)
        if translated is not None:
            return translated
        seen = seen.__cause__ or seen.__context__
    return None


def _report(error: Exception) -> int:
    known = known_error(error) or _argument_error()
    if known is not None:
        say_error(redacted(str(known)))
        return known.exit_code
    message = redacted(_first_line(error))
    say_error(f"Unexpected {type(error).__name__}: {message}\nThe traceback is in {_traceback_file(error)}; please report it.")
    return EXIT_UNEXPECTED


def _argument_error() -> CrawlhouseError | None:
    """The error for the user if an argument has bytes that are no text. File names may have such bytes; little else can take them."""
    unreadable = [one for one in sys.argv[1:] if UNDECODED.search(one)]
    return ConfigError(f"The argument {unreadable[0]!r} has bytes that are not UTF-8.") if unreadable else None


def _translated(error: BaseException) -> CrawlhouseError | None:
    if isinstance(error, CrawlhouseError):
        return error
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        return StorageError(f"The disk is full{_at(error)}. Free some space and run the same command again: nothing registered is lost.")
    if isinstance(error, OSError) and error.errno in NO_PERMISSION:
        return StorageError(f"No permission to write or read{_at(error)}. Correct its owner or mode, or set CRAWLHOUSE_HOME elsewhere.")
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return ConflictError(f"The port is taken by another program ({error.strerror}). Choose another with --port.")
    if isinstance(error, OSError) and "AWS Error" in str(error):  # Arrow's file system, which Iceberg reads and writes through
        return UnavailableError(f"The store does not answer: {_first_line(error)}. Check CRAWLHOUSE_STORE, its endpoint and credentials.")
    return _database_error(error)


def _database_error(error: BaseException) -> CrawlhouseError | None:
    """The error for the user if it is SQLAlchemy's. It is recognised by its class name, so that SQLAlchemy need not be imported."""
    if not any(kind.__name__ == "DBAPIError" and kind.__module__.startswith("sqlalchemy.") for kind in type(error).__mro__):
        return None
    from sqlalchemy.exc import DBAPIError

    from storage.database.errors import as_crawlhouse_error

    return as_crawlhouse_error(error, "The database") if isinstance(error, DBAPIError) else None


def _at(error: OSError) -> str:
    return f" at {error.filename}" if error.filename else ""


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _exit_code(ended: SystemExit) -> int:
    if ended.code is None:
        return 0
    return ended.code if isinstance(ended.code, int) else EXIT_UNEXPECTED


def _broken_pipe() -> int:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's last flush would complain
    return EXIT_BROKEN_PIPE


def _traceback_file(error: Exception) -> Path:
    """Write the error's traceback to a file that only its user can read, and whose name nobody can guess."""
    handle, name = tempfile.mkstemp(prefix=f"crawlhouse-error-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-", suffix=".log")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(printable(redacted("".join(traceback.format_exception(error)))))
    return Path(name)
