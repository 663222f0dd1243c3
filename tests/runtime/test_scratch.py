"""Temporary folders are deleted at the end, those of killed processes by the next process. Nothing else is deleted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runtime.scratch import PREFIX, remove_stale, scratch_folder
from schemas.config.settings import Settings
from storage.objects.open import open_store
from storage.objects.s3 import S3Store

HOLD = """
import sys, time
from pathlib import Path
from runtime.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("written")
    print(folder, flush=True)
    time.sleep(300)
"""


def test_the_folder_of_a_killed_process_is_deleted_by_the_next_one(tmp_path: Path) -> None:
    holders = [subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    dead, alive = [Path(str(holder.stdout and holder.stdout.readline()).strip()) for holder in holders]
    holders[0].send_signal(signal.SIGKILL)
    holders[0].communicate()
    others = [tmp_path / f"{PREFIX}of-the-user", tmp_path / "crawlhouse"]
    for other in others:
        other.mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "crawlhouse")
    with scratch_folder(tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert not dead.exists()
        assert (alive / "half").exists()
        assert all(other.exists() for other in others)
    assert not folder.exists()
    assert remove_stale(tmp_path) == 0
    holders[1].kill()
    holders[1].communicate()
    assert remove_stale(tmp_path) == 1


def test_half_written_objects_are_deleted_when_they_are_old(sqlite_settings: Settings) -> None:
    store = open_store(sqlite_settings)
    store.put_bytes("warc/a", b"whole")
    folder = Path(sqlite_settings.store_url()) / "warc"
    old, new, other = folder / f".{'0' * 16}.part", folder / f".{'1' * 16}.part", folder / ".keep"
    for path in (old, new, other):
        path.write_bytes(b"half")
    moment = time.time() - 86_400
    for path in (old, other, folder / "a"):
        os.utime(path, (moment, moment))
    assert store.delete_unfinished(datetime.now(UTC) - timedelta(hours=1)) == 1
    assert sorted(folder.iterdir()) == sorted([new, other, folder / "a"])


def test_unfinished_uploads_are_aborted_when_they_are_old(s3_settings: Settings) -> None:
    store = open_store(s3_settings)
    assert isinstance(store, S3Store)
    bucket, _, prefix = s3_settings.store_url().removeprefix("s3://").partition("/")
    uploads = {"Bucket": bucket, "Prefix": prefix}
    store._client.create_multipart_upload(Bucket=bucket, Key=f"{prefix}/warc/half")
    assert store.delete_unfinished(datetime.now(UTC) + timedelta(hours=1)) == 1
    assert "Uploads" not in store._client.list_multipart_uploads(**uploads)
