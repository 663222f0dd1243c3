"""Opens the object store that the settings name."""

from __future__ import annotations

from pathlib import Path

from schemas.config.settings import Settings
from schemas.errors import ConfigError
from storage.objects.directory import DirectoryStore
from storage.objects.store import ObjectStore


def open_store(settings: Settings) -> ObjectStore:
    """The object store that `settings.store_url()` names: `s3://bucket/prefix`, or a directory (made at the first write)."""
    url = settings.store_url()
    if not url.startswith("s3://"):
        return DirectoryStore(Path(url), settings.home)
    from storage.objects.s3 import S3Store  # boto3 is imported only if it is used

    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    if not bucket:
        raise ConfigError(f"CRAWLHOUSE_STORE={url} names no bucket. Write s3://bucket or s3://bucket/prefix.")
    return S3Store(bucket, prefix, settings.s3_endpoint, settings.s3_region)
