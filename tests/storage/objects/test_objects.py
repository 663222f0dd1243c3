"""The same tests for both stores: a directory and a real S3 server."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from schemas.config.settings import Settings
from schemas.errors import ConfigError, StorageError, UnavailableError
from storage.objects import s3
from storage.objects.directory import DirectoryStore
from storage.objects.open import open_store
from storage.objects.store import ObjectInfo, ObjectStore


def test_an_object_is_read_back_whole_and_in_parts(store: ObjectStore) -> None:
    assert store.put_bytes("warc/a/b.warc.gz", b"0123456789")
    assert store.get_bytes("warc/a/b.warc.gz") == b"0123456789"
    assert store.read_range("warc/a/b.warc.gz", 3, 4) == b"3456"
    assert store.read_range("warc/a/b.warc.gz", 8, 40) == b"89"
    assert store.read_range("warc/a/b.warc.gz", 40, 4) == b""
    assert store.info("warc/a/b.warc.gz") == ObjectInfo("warc/a/b.warc.gz", 10)


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put_bytes("empty", b"")
    assert store.get_bytes("empty") == b""
    assert store.info("empty") == ObjectInfo("empty", 0)


def test_writing_again_replaces(store: ObjectStore) -> None:
    store.put_bytes("k", b"one")
    assert store.put_bytes("k", b"second")
    assert store.get_bytes("k") == b"second"


def test_if_absent_leaves_what_is_there(store: ObjectStore) -> None:
    assert store.put_bytes("k", b"one", if_absent=True)
    assert not store.put_bytes("k", b"second", if_absent=True)
    assert store.get_bytes("k") == b"one"


def test_of_many_writers_with_if_absent_one_wins(store: ObjectStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(lambda n: store.put_bytes("k", str(n).encode(), if_absent=True), range(16)))
    assert sum(won) == 1
    assert store.get_bytes("k") == str(won.index(True)).encode()


def test_a_large_file_goes_in_parts_and_comes_back_as_a_stream(store: ObjectStore, tmp_path: Path) -> None:
    data = os.urandom(2 * s3.PART_BYTES + 12345)
    path = tmp_path / "large"
    path.write_bytes(data)
    store.put_file("warc/large", path)
    assert store.info("warc/large") == ObjectInfo("warc/large", len(data))
    with store.open("warc/large") as stream:
        assert stream.read(10) == data[:10]
        stream.seek(s3.READ_BYTES - 3)
        assert stream.read(7) == data[s3.READ_BYTES - 3 : s3.READ_BYTES + 4]
        stream.seek(-5, os.SEEK_END)
        assert stream.read() == data[-5:]
        stream.seek(0)
        assert stream.read() == data
    assert path.read_bytes() == data


@pytest.mark.parametrize("page", [2, 1000])
def test_a_list_has_each_key_of_the_prefix_once(store: ObjectStore, page: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "LIST_KEYS", page)
    keys = ["a/b/2", "a/b/1", "a/b-c", "a/b.c/1", "a/bc/1", "a.b", "b/1", "ä/1"]
    for key in keys:
        store.put_bytes(key, b"x" * len(key))
    assert sorted(info.key for info in store.list("")) == sorted(keys)
    assert sorted(info.key for info in store.list("a/b")) == ["a/b-c", "a/b.c/1", "a/b/1", "a/b/2", "a/bc/1"]
    assert list(store.list("a/b/")) == [ObjectInfo("a/b/1", 5), ObjectInfo("a/b/2", 5)]
    assert list(store.list("none/")) == []


def test_a_list_of_more_than_one_page(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "LIST_KEYS", 10)
    for number in range(33):
        store.put_bytes(f"many/{number:04d}", b"")
    assert [info.key for info in store.list("many/")] == [f"many/{number:04d}" for number in range(33)]


def test_delete(store: ObjectStore) -> None:
    store.put_bytes("a/k", b"one")
    store.delete("a/k")
    store.delete("a/k")
    assert store.info("a/k") is None
    assert list(store.list("")) == []


def test_a_missing_object_is_named(store: ObjectStore) -> None:
    assert store.info("a/none") is None
    for read in (lambda: store.get_bytes("a/none"), lambda: store.open("a/none"), lambda: store.read_range("a/none", 0, 1)):
        with pytest.raises(StorageError, match="no object a/none"):
            read()
    with pytest.raises(StorageError, match="run the same command again"):
        store.get_bytes("staging/p-1/rows.parquet")


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", ".a", "a/.b", "a\\b", "a\nb", "k" * 1025])
def test_a_key_that_could_leave_the_store_is_refused(store: ObjectStore, key: str) -> None:
    for use in (lambda: store.put_bytes(key, b""), lambda: store.get_bytes(key), lambda: store.info(key), lambda: store.delete(key)):
        with pytest.raises(StorageError, match="not an object key"):
            use()


def test_check_leaves_nothing_behind(store: ObjectStore) -> None:
    store.check()
    assert list(store.list("")) == []


def test_a_write_that_fails_leaves_neither_object_nor_rest(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    store.put_bytes("a/k", b"old")
    code = (
        "import resource, signal, sys; from pathlib import Path; from storage.objects.directory import DirectoryStore\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "DirectoryStore(Path(sys.argv[1])).put_bytes('a/k', b'x' * 5000)"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path / "store")], capture_output=True, text=True, check=False)
    assert "StorageError" in ended.stderr
    assert store.get_bytes("a/k") == b"old"
    assert [path.name for path in (tmp_path / "store" / "a").iterdir()] == ["k"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DirectoryStore(tmp_path)
    full = Path.open

    def open_full(path: Path, mode: str = "r", *rest: int) -> object:
        return full(Path("/dev/full"), "wb") if "x" in mode else full(path, mode, *rest)

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(StorageError, match=f"disk of {tmp_path} is full"):
        store.put_bytes("k", b"x" * 100_000)


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = DirectoryStore(tmp_path / "file" / "store")
    with pytest.raises(UnavailableError, match="set CRAWLHOUSE_STORE"):
        store.check()


def test_no_bucket(s3_settings: Settings) -> None:
    gone = s3_settings.model_copy(update={"store": "s3://no-such-bucket"})
    store = open_store(gone)
    with pytest.raises(UnavailableError, match="no bucket 'no-such-bucket'"):
        store.check()
    with pytest.raises(UnavailableError, match="no bucket 'no-such-bucket'"):
        list(store.list(""))


def test_no_server(s3_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    gone = s3_settings.model_copy(update={"s3_endpoint": "http://127.0.0.1:1"})
    with pytest.raises(UnavailableError, match=r"does not answer.*CRAWLHOUSE_S3_ENDPOINT"):
        open_store(gone).check()


def test_no_credentials(s3_settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(UnavailableError, match="AWS_ACCESS_KEY_ID"):
        open_store(s3_settings).check()


def test_a_store_without_a_bucket_name(s3_settings: Settings) -> None:
    with pytest.raises(ConfigError, match="names no bucket"):
        open_store(s3_settings.model_copy(update={"store": "s3:///prefix"}))


def test_a_server_without_conditional_writes(s3_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(s3_settings)
    assert isinstance(store, s3.S3Store)
    monkeypatch.setattr(store, "_conditional", False)
    assert store.put_bytes("k", b"one", if_absent=True)
    assert not store.put_bytes("k", b"second", if_absent=True)
    assert store.get_bytes("k") == b"one"


def test_a_directory_store_does_not_load_boto3(tmp_path: Path) -> None:
    code = "import sys, storage.objects.store, storage.objects.directory; sys.exit('boto3' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_small_object_is_read_with_one_request(s3_settings: Settings) -> None:
    store = open_store(s3_settings)
    large = os.urandom(s3.READ_BYTES + 5)
    for key, data in (("small", b"0123456789"), ("large", large)):
        store.put_bytes(key, data)
    sent: list[str] = []
    store._client.meta.events.register("before-send.s3", lambda request, **_: sent.append(request.method))  # type: ignore[attr-defined]
    assert store.get_bytes("small") == b"0123456789"
    assert sent == ["GET"]
    with store.open("small") as stream:
        assert stream.seek(-4, os.SEEK_END) == 6
        assert stream.read() == b"6789"
        assert stream.seek(0) == 0
        assert stream.read(3) == b"012"
    assert sent == ["GET"] * 2
    assert store.get_bytes("large") == large
    assert sent == ["GET"] * 4


def test_two_s3_stores_read_the_descriptions_of_aws_once(s3_settings: Settings) -> None:
    first, second = (open_store(s3_settings)._client.meta.events for _ in range(2))  # type: ignore[attr-defined]
    assert first is not second, "each has a session, and so credentials, of its own"
    assert s3._session()._session.get_component("data_loader") is s3._session()._session.get_component("data_loader")
