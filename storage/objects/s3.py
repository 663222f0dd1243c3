"""The object store in S3 or a compatible server, by boto3."""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import boto3
from boto3.exceptions import S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore import exceptions as failures
from botocore.config import Config
from botocore.loaders import Loader, create_loader
from botocore.session import get_session

from schemas.credentials.redaction import redacted, redacted_url
from schemas.errors import StorageError, StoreOutageError, UnavailableError
from storage.objects.store import ObjectInfo, missing_object, valid_key
from storage.outages import waits

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef

logging.getLogger("botocore.credentials").setLevel(logging.WARNING)  # it says for every client where its keys are from
PART_BYTES = 8 * 1024 * 1024  # of a multipart upload; S3 allows 5 MiB at least
READ_BYTES = 4 * 1024 * 1024  # of one range request; chosen: one request for most objects, little memory
READ_ATTEMPTS = 3
LIST_KEYS = 1000  # a page; S3 does not give more
MAX_ATTEMPTS = 5  # boto3's own, together up to 15 seconds; longer outages are waited for by `storage.outages`
TRANSFER = TransferConfig(multipart_threshold=2 * PART_BYTES, multipart_chunksize=PART_BYTES, max_concurrency=2)

ABSENT = {"404", "NoSuchKey", "NotFound"}
PRESENT = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}
UNCONDITIONAL_ONLY = {"501", "NotImplemented", "InvalidRequest", "InvalidArgument"}
NO_BUCKET = {"NoSuchBucket"}
REFUSED = {"403", "401", "AccessDenied", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}
FAILING = {"500", "502", "503", "504", "InternalError", "ServiceUnavailable", "SlowDown", "RequestTimeout", "BadGateway"}
UNREACHED = (failures.ConnectionError, failures.HTTPClientError)
NO_CREDENTIALS = (failures.NoCredentialsError, failures.PartialCredentialsError, failures.CredentialRetrievalError)
BROKEN_READ = (failures.ReadTimeoutError, failures.ResponseStreamingError, failures.IncompleteReadError)


class S3Store:
    """Objects in a bucket, their keys below an optional prefix. Credentials come from boto3's usual places."""

    def __init__(self, bucket: str, prefix: str, endpoint: str, region: str) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._url = f"s3://{bucket}/{self._prefix}"
        self._where = f"{self._url} at {redacted_url(endpoint)}" if endpoint else self._url
        self._conditional = True
        with self._translated_errors(""):
            self._client: S3Client = _session().client("s3", endpoint_url=endpoint or None, region_name=region, config=_config(endpoint))

    @waits
    def put_bytes(self, key: str, data: bytes, if_absent: bool = False) -> bool:
        """Write an object; see ObjectStore.

        If the server has no conditional writes, it is asked first whether the object exists. Two writers may do that at the same time.
        """
        name = self._name(key)
        with self._translated_errors(key):
            if if_absent and self._conditional:
                try:
                    return self._put_new(name, data)
                except failures.ClientError as error:
                    if _code(error) not in UNCONDITIONAL_ONLY:
                        raise
                    self._conditional = False
            if if_absent and self.info(key) is not None:
                return False
            self._client.put_object(Bucket=self._bucket, Key=name, Body=data, ContentMD5=_content_md5(data))
            return True

    @waits
    def put_file(self, key: str, path: Path) -> None:
        """Write an object from a file, a large one in parts; see ObjectStore."""
        name, size = self._name(key), path.stat().st_size
        with self._translated_errors(key):
            self._client.upload_file(str(path), self._bucket, name, Config=TRANSFER)
        stored = self.info(key)
        if stored is None or stored.size != size:
            raise StorageError(f"{self._where} holds {stored.size if stored else 0} of the {size} bytes of {key}. Run again.")

    def get_bytes(self, key: str) -> bytes:
        """A whole object; see ObjectStore."""
        with self.open(key) as stream:
            return stream.read()

    @waits
    def read_range(self, key: str, offset: int, length: int) -> bytes:
        """A part of an object; see ObjectStore."""
        return self._read(key, offset, length)[0] if length > 0 else b""

    def open(self, key: str) -> BinaryIO:
        """An object as a stream of range requests, so that after a broken connection only one part is read again; see ObjectStore.

        The first part is read at once, and its response has the size: a small object is one request.
        """
        first, size = self._read(key, 0, READ_BYTES)
        return cast("BinaryIO", io.BufferedReader(_ObjectReader(self, key, first, size), READ_BYTES))

    @waits
    def info(self, key: str) -> ObjectInfo | None:
        """Key and size or None; see ObjectStore."""
        name = self._name(key)
        with self._translated_errors(key):
            try:
                return ObjectInfo(key, self._client.head_object(Bucket=self._bucket, Key=name)["ContentLength"])
            except failures.ClientError as error:
                if _code(error) not in ABSENT:
                    raise
        return None

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """Objects by prefix; see ObjectStore."""
        folder = prefix.rpartition("/")[0]
        if folder:
            valid_key(folder)
        return self._pages(prefix)

    @waits
    def delete(self, key: str) -> None:
        """Remove an object; see ObjectStore."""
        name = self._name(key)
        with self._translated_errors(key):
            self._client.delete_object(Bucket=self._bucket, Key=name)

    @waits
    def delete_unfinished(self, before: datetime) -> int:
        """Abort old multipart uploads, which take space; see ObjectStore. If the server cannot list them, nothing is done."""
        deleted = 0
        with self._translated_errors(""):
            try:
                for page in self._client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=self._prefix):
                    for upload in page.get("Uploads", ()):
                        if upload["Initiated"] < before:
                            self._client.abort_multipart_upload(Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"])
                            deleted += 1
            except failures.ClientError as error:
                if _code(error) not in UNCONDITIONAL_ONLY | ABSENT | REFUSED:
                    raise
        return deleted

    @waits
    def check(self) -> None:
        """Write, read and remove a small object; see ObjectStore."""
        name, sent = f"{self._prefix}.check-{secrets.token_hex(8)}", b"crawlhouse"
        with self._translated_errors(""):
            self._client.put_object(Bucket=self._bucket, Key=name, Body=sent)
            returned = self._client.get_object(Bucket=self._bucket, Key=name)["Body"].read()
            self._client.delete_object(Bucket=self._bucket, Key=name)
        if returned != sent:
            raise StorageError(f"s3://{self._bucket} returned other bytes than it was given. Check the store.")

    def _name(self, key: str) -> str:
        return self._prefix + valid_key(key)

    def _put_new(self, name: str, data: bytes) -> bool:
        try:
            self._client.put_object(Bucket=self._bucket, Key=name, Body=data, ContentMD5=_content_md5(data), IfNoneMatch="*")
        except failures.ClientError as error:
            if _code(error) in PRESENT:
                return False
            raise
        return True

    @waits
    def _read(self, key: str, offset: int, length: int) -> tuple[bytes, int]:
        """A part of an object and the object's size; the size is `offset` if the object ends before it."""
        name = self._name(key)
        with self._translated_errors(key):
            for attempt in range(READ_ATTEMPTS):
                try:
                    return self._get(name, offset, length)
                except BROKEN_READ:
                    if attempt == READ_ATTEMPTS - 1:
                        raise
        raise AssertionError

    def _get(self, name: str, offset: int, length: int) -> tuple[bytes, int]:
        try:
            response = self._client.get_object(Bucket=self._bucket, Key=name, Range=f"bytes={offset}-{offset + length - 1}")
        except failures.ClientError as error:
            if _code(error) in {"416", "InvalidRange"}:
                return b"", offset
            raise
        with response["Body"] as body:
            data = body.read()
        size = response.get("ContentRange", "").rpartition("/")[2]
        return data, int(size) if size.isdigit() else offset + len(data)

    def _pages(self, prefix: str) -> Iterator[ObjectInfo]:
        token = ""
        while True:
            page = self._page(prefix, token)
            for entry in page.get("Contents", ()):
                key = entry["Key"].removeprefix(self._prefix)
                if not key.startswith(".") and "/." not in key:
                    yield ObjectInfo(key, entry["Size"])
            token = page.get("NextContinuationToken", "")
            if not token:
                return

    @waits
    def _page(self, prefix: str, token: str) -> ListObjectsV2OutputTypeDef:
        more = {"ContinuationToken": token} if token else {}
        with self._translated_errors(prefix):
            return self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix + prefix, MaxKeys=LIST_KEYS, **more)  # type: ignore[arg-type]

    @contextmanager
    def _translated_errors(self, key: str) -> Iterator[None]:
        try:
            yield
        except NO_CREDENTIALS as error:
            raise UnavailableError(
                f"No credentials for {self._where}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile of ~/.aws in AWS_PROFILE."
            ) from error
        except UNREACHED as error:
            raise StoreOutageError(
                f"{self._where} does not answer ({redacted(str(error))}). Start it, or correct CRAWLHOUSE_S3_ENDPOINT."
            ) from error
        except failures.ClientError as error:
            raise self._error_of_code(key, _code(error), redacted(str(error))) from error
        except S3UploadFailedError as error:
            cause = error.__context__
            code = _code(cause) if isinstance(cause, failures.ClientError) else ""
            raise self._error_of_code(key, code, redacted(str(error))) from error
        except (failures.BotoCoreError, ValueError) as error:
            raise UnavailableError(
                f"{self._where} cannot be used: {redacted(str(error))}. Correct CRAWLHOUSE_STORE or CRAWLHOUSE_S3_ENDPOINT."
            ) from error

    def _error_of_code(self, key: str, code: str, message: str) -> UnavailableError | StorageError:
        if code in NO_BUCKET:
            return UnavailableError(f"{self._where}: there is no bucket '{self._bucket}'. Create it, or correct CRAWLHOUSE_STORE.")
        if code in REFUSED:
            return UnavailableError(f"{self._where} refuses access ({code}). Correct AWS_ACCESS_KEY_ID and its rights on the bucket.")
        if code in ABSENT:
            return missing_object(self._where, key)
        if code in FAILING:
            return StoreOutageError(f"{self._where} fails{f' at {key}' if key else ''}: {message}. Look at its log and at its disk.")
        return StorageError(f"{self._where} failed at {key}: {message}.")


def _session() -> boto3.Session:
    """A session that reads the credentials again, but botocore's descriptions of AWS only once a process: they take a third of a second."""
    session = get_session()
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    return boto3.Session(botocore_session=session)


@cache
def _loader(data_path: str | None) -> Loader:
    return create_loader(data_path)


class _ObjectReader(io.RawIOBase):
    """A seekable reader of one object. `BufferedReader` around it reads large parts."""

    def __init__(self, store: S3Store, key: str, first: bytes, size: int) -> None:
        self._store = store
        self._key = key
        self._first = first
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def readall(self) -> bytes:
        data = bytearray()
        while part := self.read(READ_BYTES):
            data += part
        return bytes(data)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        length = min(len(buffer), self._size - self._position)
        if self._position < len(self._first):
            length = min(length, len(self._first) - self._position)
            data = self._first[self._position : self._position + length]
        else:
            data = self._store.read_range(self._key, self._position, length)
        if len(data) < length:
            raise StorageError(f"{self._key} gave {len(data)} of {length} bytes at offset {self._position}: it changed or is damaged.")
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


def _config(endpoint: str) -> Config:
    """Retries and timeouts. Only AWS is asked for checksums, which many other servers lack, unless the environment says otherwise."""
    config = Config(retries={"mode": "standard", "max_attempts": MAX_ATTEMPTS}, connect_timeout=10, read_timeout=60)
    if not endpoint:
        return config
    options = {}
    if "AWS_REQUEST_CHECKSUM_CALCULATION" not in os.environ:
        options["request_checksum_calculation"] = "when_required"
    if "AWS_RESPONSE_CHECKSUM_VALIDATION" not in os.environ:
        options["response_checksum_validation"] = "when_required"
    style = Config(s3={"addressing_style": "path"}, **options)  # type: ignore[arg-type]
    return config.merge(style)


def _content_md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def _code(error: failures.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
