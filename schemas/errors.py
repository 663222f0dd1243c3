"""Every error that crawlhouse raises on purpose, and the exit code with which it ends a command.

CrawlhouseError                 exit 1
├── ConfigError                 exit 2   a crawl's YAML or an environment variable is wrong
│   └── ClockError                       this machine's clock differs too much from the database server's; others may do the work
├── NotFoundError               exit 3   no such crawl, run, URL, spider, home
├── UnavailableError            exit 4   the store, the database or a server does not answer
│   └── OutageError                      it answered before, or may answer soon: waiting may help
│       ├── StoreOutageError
│       └── DatabaseOutageError
├── StorageError                exit 5   the disk is full, an object is damaged or missing
├── ConflictError               exit 6   something else holds a lease, a lock or a port; or the database has another version
│   ├── FencedError                      a newer owner has the lease or the lock; stop at once, write nothing
│   │   └── RunClosedError               the run is not open any more; stop at once, write nothing
│   └── LakeMovedError                   a table changed after it was checked; nothing was committed, check again
├── AccountingError             exit 7   the equations of a run do not add up
├── GateError                   exit 8   the expectation suite failed; nothing was published
├── ThresholdError              exit 9   a crawl's own thresholds (min_pages, max_error_rate) were missed, or a command fetched nothing
├── SpiderError                 exit 10  a user's spider raised an error, or asked for what cannot be done
└── TimeLimitError              exit 11  a query took longer than the limit that was given for it

Messages are one or two sentences: what is wrong, with the value, and what to do.
"""

from __future__ import annotations

from schemas.printable import printable


class CrawlhouseError(Exception):
    """Base of all errors for the user. `str(error)` is the whole message. It is safe to print, even if it repeats text of a page."""

    exit_code = 1

    def __str__(self) -> str:
        return printable(super().__str__())


class ConfigError(CrawlhouseError):
    """A crawl's YAML or an environment variable is wrong."""

    exit_code = 2


class ClockError(ConfigError):
    """This machine's clock differs from the database server's by a minute or more. A machine with a right clock can do the same work."""


class NotFoundError(CrawlhouseError):
    """No such crawl, run, URL, spider or home."""

    exit_code = 3


class UnavailableError(CrawlhouseError):
    """The store, the database or a server does not answer."""

    exit_code = 4


class OutageError(UnavailableError):
    """A server does not answer now and may do so soon. `was_waited_for`: somebody has waited for it in vain."""

    was_waited_for = False


class StoreOutageError(OutageError):
    """The object store does not answer, or says that it cannot do its work now."""


class DatabaseOutageError(OutageError):
    """The database does not answer, ended the connection, or was busy with others."""


class StorageError(CrawlhouseError):
    """The disk is full, or an object is damaged or missing."""

    exit_code = 5


class ConflictError(CrawlhouseError):
    """Something else holds what was asked for (a lease, a lock, a port), or the database has another version."""

    exit_code = 6


class FencedError(ConflictError):
    """A newer owner has the lease or the lock. The caller must stop without writing."""


class LakeMovedError(ConflictError):
    """A table of the lake changed after it was checked. Nothing was committed, and the caller checks again."""


class RunClosedError(FencedError):
    """The run is not open: it takes no more workers, URLs or segments. URLs that were not registered are due again in the next run."""


class AccountingError(CrawlhouseError):
    """The equations of a run do not add up."""

    exit_code = 7


class GateError(CrawlhouseError):
    """Rows broke an expectation or a step and are held back, or could not be judged; the message says what was published."""

    exit_code = 8


class ThresholdError(CrawlhouseError):
    """A crawl missed its own thresholds (`min_pages`, `max_error_rate`), or a command fetched nothing that was due."""

    exit_code = 9


class SpiderError(CrawlhouseError):
    """A user's spider raised an error, or asked for what cannot be done."""

    exit_code = 10


class TimeLimitError(CrawlhouseError):
    """A query took longer than the limit that was given for it."""

    exit_code = 11
