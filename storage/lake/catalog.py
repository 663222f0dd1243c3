"""The catalog of the lake: an SQL database that knows the current metadata file of each table."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import NamespaceAlreadyExistsError
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError

from schemas.config.settings import Settings, make_private_folder
from schemas.credentials.database_url import parse_database_url
from schemas.errors import CrawlhouseError, StorageError, UnavailableError
from schemas.keys import LAKE_PREFIX
from storage.database.errors import as_crawlhouse_error, first_line
from storage.database.private_files import make_private_file

NAMESPACE = "crawlhouse"
SQLITE_BUSY_SECONDS = 60  # to wait for another publisher's transaction
CREATION_ATTEMPTS = 5
logging.getLogger("pyiceberg.io").setLevel(logging.WARNING)  # it says for every file by what it is read
S3_FILES = "storage.lake.files.LakeFileIO"


def warehouse(settings: Settings) -> str:
    """The place of the tables' files: a directory or an `s3://` prefix."""
    return f"{settings.store_url()}/{LAKE_PREFIX}"


def open_catalog(settings: Settings) -> SqlCatalog:
    """The catalog with its namespace. Raises UnavailableError if the database does not answer, StorageError if there is no space."""
    url = settings.database_url("catalog")
    for attempt in range(1, CREATION_ATTEMPTS + 1):
        try:
            return _connected(url, settings)
        except IntegrityError:
            continue  # another process made the namespace
        except DBAPIError as error:
            # if two processes create the catalog's tables at the same time, one fails; its next attempt finds them
            if attempt == CREATION_ATTEMPTS or "exist" not in str(error.orig):
                raise _translated_errors(settings, error) from error
            time.sleep(0.1 * attempt)
        except OSError as error:
            raise StorageError(f"The lake's catalog under {settings.home} cannot be made: {error}. Free space or move the home.") from error
    raise UnavailableError("The lake's catalog is being made by another process. Try again.")


def _connected(url: str, settings: Settings) -> SqlCatalog:
    properties = {"uri": url, "warehouse": warehouse(settings), "pool_pre_ping": "true"}
    if url.startswith("sqlite"):
        make_private_folder(settings.home)
        make_private_file(settings.database_file("catalog"))
        properties["uri"] = f"{url}?timeout={SQLITE_BUSY_SECONDS}"
    if settings.store_url().startswith("s3://"):
        properties |= {"py-io-impl": S3_FILES, "s3.region": settings.s3_region}
        properties |= {"s3.endpoint": settings.s3_endpoint} if settings.s3_endpoint else {}
    catalog = SqlCatalog("crawlhouse", **properties)
    try:
        if not catalog.namespace_exists(NAMESPACE):
            catalog.create_namespace(NAMESPACE)
    except NamespaceAlreadyExistsError:
        pass
    except BaseException:
        catalog.close()
        raise
    return catalog


@contextmanager
def catalog_errors(settings: Settings) -> Iterator[None]:
    """For code that uses the catalog's database: turns the database's errors into UnavailableError and StorageError."""
    try:
        yield
    except (IntegrityError, ProgrammingError):
        raise
    except DBAPIError as error:
        raise _translated_errors(settings, error) from error


def _translated_errors(settings: Settings, error: DBAPIError) -> CrawlhouseError:
    server = parse_database_url(settings.database) if settings.database else None
    name = f"The catalog database {server.redacted() if server else settings.database_file('catalog')}"
    known = as_crawlhouse_error(error, name, SQLITE_BUSY_SECONDS, () if server is None else server.secrets())
    return known or StorageError(f"{name} cannot be used: {first_line(error)}. Correct CRAWLHOUSE_DATABASE, or restore it from a backup.")
