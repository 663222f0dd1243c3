"""Any WARC to one file of rows: every response, with or without the site memory, whole after a kill."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from processing.files.markdown_files import file_name
from processing.files.warc_files import OUTPUT, extract_files
from processing.files.warc_sources import find_sources
from schemas.errors import ConfigError, NotFoundError
from tests import PROJECT

HOST = "https://post.example"
FURNITURE = "Follow this topic and get an e-mail whenever the newsroom of the Harbour Post publishes something new about it."


def article(number: int) -> str:
    prose = "".join(
        f"<p>Paragraph {part} of story {number}: the ferry number {number * 31 + part} came back to the harbour in the morning, "
        f"and {number + part} people who had waited on pier {number} saw it arrive between the two lights of the old port.</p>"
        for part in range(8)
    )
    return (
        f"<!doctype html><html lang='en'><head><title>How ferry {number} came back to the harbour | Harbour Post</title>"
        "<meta property='og:site_name' content='Harbour Post'><meta property='og:type' content='article'>"
        f"<meta property='article:published_time' content='2025-03-0{number % 9 + 1}T23:30:00-05:00'>"
        "<meta name='author' content='Ada Marsh'></head>"
        f"<body><article><h1>How ferry {number} came back to the harbour</h1>{prose}<p>{FURNITURE}</p></article></body></html>"
    )


def response(url: str, body: bytes, status: str = "200 OK", content_type: str = "text/html; charset=utf-8") -> bytes:
    http = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    head = (
        f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2025-06-01T00:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, url)}>\r\nContent-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(http)}\r\n\r\n"
    )
    return head.encode() + http + b"\r\n\r\n"


def write_warc(path: Path, *, compressed: bool = True, articles: int = 6) -> Path:
    records = [
        *(response(f"{HOST}/city/how-ferry-{n}-came-back-to-the-harbour", article(n).encode()) for n in range(articles)),
        response(f"{HOST}/gone", b"gone", "404 Not Found"),
        response(f"{HOST}/moved", b"", "301 Moved Permanently"),
        response(f"{HOST}/file.pdf", b"%PDF-1.7", content_type="application/pdf"),
        response(f"{HOST}/empty", b""),
        response(f"{HOST}/missing", b"<title>Page not found</title><h1>404</h1><p>Sorry.</p>"),
        response(f"{HOST}/noise", b"<html><p>" + bytes(128 + (i * i * 7 + i * 13) % 128 for i in range(3000))),
    ]
    path.write_bytes(b"".join(gzip.compress(record, mtime=0) if compressed else record for record in records))
    return path


REASONS = {"empty_body": 1, "http_error": 1, "not_html": 1, "redirect": 1, "soft_404": 1, "undecodable": 1}


@pytest.mark.parametrize("compressed", [True, False])
def test_every_response_record_becomes_a_row(tmp_path: Path, compressed: bool) -> None:
    warc = write_warc(tmp_path / "pages.warc", compressed=compressed)
    told: list[tuple[int, int]] = []
    output = tmp_path / "out.parquet"
    counts = extract_files([warc], output, workers=1, progress=lambda read, total: told.append((read, total)))
    assert counts == {"article": 6} | REASONS
    assert told[-1] == (warc.stat().st_size,) * 2
    table = pq.read_table(output)
    assert table.schema.names == OUTPUT.names
    rows = table.to_pylist()
    assert len(rows) == 12
    assert [row["status"] for row in rows] == ["article"] * 6 + ["rejected"] * 6
    first = rows[0]
    assert (first["title"], first["authors"], first["language"]) == ("How ferry 0 came back to the harbour", ["Ada Marsh"], "en")
    assert (first["charset"], first["charset_source"], first["published_zone"]) == ("utf-8", "http", "-05:00")
    assert first["text"].startswith("Paragraph 0 of story 0: the ferry")
    assert (first["warc_filename"], first["warc_record_offset"] > 0) == ("pages.warc", False)
    assert rows[1]["warc_record_offset"] > 0
    assert all(row["reason"] is None for row in rows[:6])
    assert not list(tmp_path.glob("*.parts"))


def test_the_site_memory_sees_all_pages_first(tmp_path: Path) -> None:
    warcs = [write_warc(tmp_path / f"{name}.warc.gz", articles=count) for name, count in (("a", 4), ("b", 4))]
    with_memory, single = tmp_path / "with.jsonl", tmp_path / "single.jsonl"
    extract_files(warcs, with_memory, workers=1)
    extract_files(warcs, single, site_memory=False, workers=1)
    cleaned = [json.loads(line) for line in with_memory.read_text().splitlines()]
    alone = [json.loads(line) for line in single.read_text().splitlines()]
    assert len(cleaned) == len(alone) == 20
    assert all(FURNITURE in row["text"] for row in alone if row["status"] == "article")
    assert all(FURNITURE not in row["text"] and row["furniture_blocks"] == 1 for row in cleaned if row["status"] == "article")
    assert cleaned[0]["published_at"] == "2025-03-01T23:30:00-05:00"


def test_a_damaged_file_is_read_to_its_end(tmp_path: Path) -> None:
    warc = write_warc(tmp_path / "x.warc.gz")
    data = bytearray(warc.read_bytes())
    middle = data.index(b"\x1f\x8b", len(data) // 3)
    data[middle + 30 : middle + 60] = b"\x00" * 30
    warc.write_bytes(data)
    counts = extract_files([warc], tmp_path / "out.parquet", workers=1)
    assert counts["damaged_record"] >= 1
    assert counts["article"] >= 4


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    warc = write_warc(tmp_path / "x.warc.gz")
    for name, workers in (("a", 1), ("b", 2)):
        extract_files([warc], tmp_path / f"{name}.parquet", workers=workers)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


@pytest.mark.chaos
def test_goes_on_after_a_kill(tmp_path: Path) -> None:
    warcs = [write_warc(tmp_path / f"{number}.warc.gz", articles=40) for number in range(12)]
    output, whole = tmp_path / "out.parquet", tmp_path / "whole.parquet"
    extract_files(warcs, whole, workers=1)
    script = (
        "import sys; from pathlib import Path; from processing.files.warc_files import extract_files; "
        "extract_files([Path(p) for p in sys.argv[2:]], Path(sys.argv[1]), workers=1)"
    )
    process = subprocess.Popen([sys.executable, "-c", script, str(output), *map(str, warcs)], cwd=PROJECT)
    parts = tmp_path / "out.parquet.parts"
    deadline = time.monotonic() + 60
    while len(list(parts.glob("*.done"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not output.exists()
    kept = {path.name: path.stat().st_mtime_ns for path in parts.glob("*.parquet")}
    assert 3 <= len(kept) < 12
    seen: list[dict[str, int]] = []
    extract_files(
        warcs, output, workers=1, progress=lambda *_: seen.append({p.name: p.stat().st_mtime_ns for p in parts.glob("*.parquet")})
    )
    assert kept.items() <= seen[-1].items()
    assert output.read_bytes() == whole.read_bytes()
    assert not parts.exists()


def test_mistakes_are_reported(tmp_path: Path) -> None:
    warc = write_warc(tmp_path / "x.warc.gz")
    with pytest.raises(ConfigError, match=r"must end in \.parquet, \.jsonl or \.md "):
        extract_files([warc], tmp_path / "out.csv")
    with pytest.raises(NotFoundError, match="There is no WARC file"):
        extract_files([tmp_path / "none.warc.gz"], tmp_path / "out.parquet")
    page = tmp_path / "page.html"
    page.write_text(article(1))
    with pytest.raises(ConfigError, match=r"page\.html is a web page, not a WARC file"):
        extract_files([page], tmp_path / "rows.jsonl")


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_an_arc_file_says_how_to_convert_it(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    arc = tmp_path / "old.arc.gz"
    arc.write_bytes(pack(b"filedesc://old.arc 0.0.0.0 20040531100000 text/plain 76\n1 0 Alexa Internet\n" + b"x" * 300))
    with pytest.raises(ConfigError, match="warcio recompress"):
        find_sources(arc)


def test_a_folder_of_markdown_files(tmp_path: Path) -> None:
    warcs, folder = [write_warc(tmp_path / "a.warc.gz")], tmp_path / "out.md"
    counts = extract_files(warcs, folder, workers=1)
    files = sorted(folder.iterdir())
    assert len(files) == counts["article"] == 6
    assert files[0].name == "000001-post-example-how-ferry-0-came-back-to-the-harbour.md"
    front, _, text = files[0].read_text(encoding="utf-8").removeprefix("---\n").partition("\n---\n\n")
    metadata = yaml.safe_load(front)
    assert (metadata["title"], metadata["authors"]) == ("How ferry 0 came back to the harbour", ["Ada Marsh"])
    assert metadata["published_at"] == "2025-03-01T23:30:00-05:00"
    assert (metadata["warc_filename"], metadata["warc_record_offset"]) == ("a.warc.gz", 0)
    assert text.count("Paragraph") == 8
    assert FURNITURE not in text
    with pytest.raises(ConfigError, match="there already"):
        extract_files(warcs, folder, workers=1)
    assert len(list(tmp_path.iterdir())) == 2


def test_names_of_markdown_files_in_ascii() -> None:
    assert file_name({"url": "https://www.ort.example/a", "title": "Große Straße: Øl & 港"}) == "www-ort-example-grosse-strasse-l"
    assert file_name({"url": "https://ort.example/a", "title": None}) == "ort-example"


def test_columns_with_markdown_and_chunks_on_request(tmp_path: Path) -> None:
    output = tmp_path / "rows.jsonl"
    extract_files([write_warc(tmp_path / "a.warc.gz")], output, workers=1, markdown=True, chunks=500)
    rows = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    found = next(row for row in rows if row["status"] == "article")
    assert [chunk["position"] for chunk in found["chunks"]] == list(range(len(found["chunks"])))
    assert "\n\n".join(chunk["text"] for chunk in found["chunks"]) == found["markdown"]
    assert list(OUTPUT.names) == [name for name in found if name not in {"markdown", "chunks"}]
    assert next(row for row in rows if row["reason"] == "http_error")["markdown"] is None
