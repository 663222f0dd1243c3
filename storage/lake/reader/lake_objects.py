"""Reads the lake's small files, of metadata and manifests, from a directory or from S3."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.config.settings import Settings

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem, S3FileSystem

S3, FILE = "s3://", "file://"
CACHED_FILES = 500  # chosen: the manifests of all tables of a large lake; small files that never change


def file_system(settings: Settings, location: str) -> FileSystem:
    """Arrow's file system for a location of the lake."""
    from pyarrow.fs import LocalFileSystem

    return s3_client(settings.s3_region, settings.s3_endpoint or None) if location.startswith(S3) else LocalFileSystem()


def path_of(location: str) -> str:
    """The path of a location in its file system."""
    return location.removeprefix(S3).removeprefix(FILE)


def read_object(settings: Settings, location: str) -> bytes:
    """A whole small file. Iceberg gives each file a new name, so one that was read does not change. Raises OSError."""
    return _read(location, settings.s3_region, settings.s3_endpoint or None)


@lru_cache(CACHED_FILES)
def _read(location: str, region: str, endpoint: str | None) -> bytes:
    if not location.startswith(S3):
        return Path(path_of(location)).read_bytes()
    with s3_client(region, endpoint).open_input_file(path_of(location)) as file:
        data: bytes = file.readall()
    return data


@cache
def s3_client(region: str, endpoint: str | None) -> S3FileSystem:
    """A process's client for a store. With `allow_delayed_open`, files smaller than a part are written by one request."""
    from pyarrow.fs import S3FileSystem

    return S3FileSystem(region=region, endpoint_override=endpoint, allow_delayed_open=True)
