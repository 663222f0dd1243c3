"""Reads and writes the lake's files in S3: one client for each process, one request for a small file, metadata read only once."""

from __future__ import annotations

import io
from threading import Lock

import pyarrow as pa
from cachetools import LRUCache
from pyarrow.fs import FileSystem
from pyiceberg.io import S3_ENDPOINT, S3_REGION, InputStream, OutputStream
from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO

from storage.lake.reader.lake_objects import s3_client

METADATA = (".json", ".avro")
CACHE_BYTES = 16 * 1024 * 1024  # chosen: the metadata of all tables, and little of a process's memory


class LakeFileIO(PyArrowFileIO):
    """Iceberg's files in S3, by Arrow. All tables of a process share a client, and metadata is read only once.

    Iceberg gives every file a new name. So a file is written without asking whether it exists, and a file that was read does not change.
    """

    def _initialize_s3_fs(self, netloc: str | None) -> FileSystem:
        return s3_client(self.properties[S3_REGION], self.properties.get(S3_ENDPOINT))

    def new_input(self, location: str) -> PyArrowFile:
        """A file to read."""
        return self._file(location)

    def new_output(self, location: str) -> PyArrowFile:
        """A file to write."""
        return self._file(location)

    def _file(self, location: str) -> PyArrowFile:
        scheme, bucket, path = self.parse_location(location, self.properties)
        kind = _Metadata if location.endswith(METADATA) else _File
        return kind(location, path, self.fs_by_scheme(scheme, bucket))


class _Cache:
    """The metadata files that were used last, at most `CACHE_BYTES` together."""

    def __init__(self) -> None:
        self._files: LRUCache[str, bytes] = LRUCache(CACHE_BYTES, getsizeof=len)
        self._lock = Lock()

    def get(self, location: str) -> bytes | None:
        with self._lock:
            return self._files.get(location)

    def put(self, location: str, data: bytes) -> None:
        if len(data) <= CACHE_BYTES:
            with self._lock:
                self._files[location] = data


_cache = _Cache()


class _File(PyArrowFile):
    def create(self, overwrite: bool = False) -> OutputStream:
        return super().create(overwrite=True)


class _Metadata(_File):
    def __len__(self) -> int:
        data = _cache.get(self.location)
        return super().__len__() if data is None else len(data)

    def open(self, seekable: bool = True) -> InputStream:
        data = _cache.get(self.location)
        if data is None:
            with super().open() as stream:
                data = stream.read()
            _cache.put(self.location, data)
        opened: InputStream = pa.BufferReader(data)
        return opened

    def create(self, overwrite: bool = False) -> OutputStream:
        return _Written(self)

    def write(self, data: bytes) -> None:
        """Write the whole file."""
        with super().create() as stream:
            stream.write(data)
        _cache.put(self.location, data)


class _Written(io.BytesIO):
    """A metadata file that is written when it is closed."""

    def __init__(self, file: _Metadata) -> None:
        super().__init__()
        self._file = file

    def close(self) -> None:
        if not self.closed:
            data = self.getvalue()
            super().close()
            self._file.write(data)
