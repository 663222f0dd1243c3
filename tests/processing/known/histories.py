"""Random histories of a small lake, and the reference: a look-up that reads all of a table."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from processing.clean.identity import page_url, url_id
from processing.clean.minhash import text_signatures
from processing.clean.words import text_digest
from processing.known.known_lake import KnownLake
from processing.resolve.near_duplicates import NearIndex
from processing.resolve.records import RecordSummary
from schemas.datasets.dataset_file import parse_dataset
from schemas.datasets.tables import table_schema
from storage.lake.commit import commit
from storage.lake.lake import Lake
from storage.lake.removal import of_records
from storage.ledger.ledger import Ledger
from tests.storage.lakerows import rows_of, table_of

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
OFFERS = parse_dataset("{source: {items: true}, key: sku, fields: {sku: string, price: 'decimal(9,2)'}}", "offers")
URLS = [f"https://{host}.example/{name}" for host in ("a", "b") for name in range(5)]
VOCABULARY = [f"word{number}" for number in range(400)]
OUTCOMES = ("published", "known", "duplicate", "quarantined", "rejected")

Row = dict[str, Any]


def text_of(number: int, edits: int = 0) -> str:
    """One of some texts; with a few edits it is similar to the text, with many it is not."""
    said = random.Random(number).choices(VOCABULARY, k=80)
    for edit in range(edits):
        said[17 * (edit + 1) % 80] = f"edit{edit}"
    return " ".join(said)


@dataclass
class ScannedLake(KnownLake):
    """The same questions, answered by all published rows of the table each time, whatever was asked."""

    scanned: dict[str, pa.Table] = field(default_factory=dict)

    def _rows(self, name: str, _keys: object, is_shown: Callable[[pa.Table], Any] | None = None) -> pa.Table:
        rows = self._scanned(name)
        return rows if is_shown is None else rows.filter(pa.array(is_shown(rows)))

    def similar_originals(self, _signatures: Sequence[bytes]) -> pa.Table:
        return self._scanned("articles")

    def _scanned(self, name: str) -> pa.Table:
        if name not in self.scanned:
            self.scanned[name] = self._read(name)
        return self.scanned[name]

    def _read(self, name: str) -> pa.Table:
        indexed, table = self.indexed(name), self.tables[name]
        rows = table.scan(snapshot_id=self.snapshot_id(name), selected_fields=indexed.source).to_arrow().select(indexed.source)
        if name != "runs":
            runs = self.tables["runs"].scan(selected_fields=("process_run", "sequence")).to_arrow()
            published = dict(zip(runs["process_run"].to_pylist(), runs["sequence"].to_pylist(), strict=True))
            rows = rows.filter(pa.array([one in published for one in rows["process_run"].to_pylist()], pa.bool_()))
            if "sequence" in rows.schema.names:  # data files do not have it
                numbers = pa.array([published[one] for one in rows["process_run"].to_pylist()], pa.int64())
                rows = rows.set_column(rows.schema.get_field_index("sequence"), "sequence", numbers)
        kept = indexed.kept(rows)
        return pa.table([kept[one.name].cast(one.type) for one in indexed.schema if one.name in kept.schema.names], names=kept.schema.names)


@dataclass
class History:
    """A lake that random runs, removals and compactions change."""

    lake: Lake
    ledger: Ledger
    random: random.Random
    runs: int = 0
    records: list[tuple[str, int]] = field(default_factory=list)

    def publish(self, *, visible: bool = True) -> None:
        """A run of some captures, articles, offers and sightings; half done it has no row in `runs`."""
        self.runs += 1
        name, crawl_run = f"p{self.runs}", f"c-2026030{self.random.randint(1, 3)}T12000{self.random.randint(0, 9)}Z-{self.runs:06d}"
        places = [(f"warc/c/{crawl_run}/s.warc.gz", offset) for offset in range(self.random.randint(2, 6))]
        common = [
            {
                "process_run": name, "crawl_run": crawl_run, "crawl": self.random.choice("xy"), "sequence": self.runs,
                "warc_filename": file, "warc_record_offset": offset, "url": self.random.choice(URLS), "fetched_at": self._time(offset),
                "content_digest": f"d{self.random.randint(0, 3)}",
            }
            for file, offset in places
        ]  # fmt: skip
        self.records += places
        self._append("captures", name, map(self._capture, common))
        self._append("articles", name, map(self._article, common))
        self._append("sightings", name, [row for one in common for row in self._sightings(one)])
        self.lake.append("offers", [rows_of(table_schema(OFFERS), *map(self._offer, common))], name)
        if visible:
            runs = {"process_run": name, "crawl_run": crawl_run, "sequence": self.runs}
            self._append("runs", name, [{**runs, "statistics": '{"definitions": {"offers": {"digest": "d", "fields": ["sku"]}}}'}])

    def remove(self) -> None:
        """Take some records out of every table, as a takedown and a run that replaces do."""
        chosen = self.random.sample(self.records, 3)
        with self.ledger.publish_lock() as token:
            tables = [self.lake.table(name) for name in ("captures", "articles", "offers")]
            commit(self.lake, self.ledger, token, [self.lake.stage(one, [], f"r{self.runs}", of_records(chosen)) for one in tables])

    def snapshots(self) -> dict[str, int | None]:
        return {name: self.lake.snapshot_id(name) for name in ("captures", "articles", "sightings", "offers")}

    def summaries(self) -> list[RecordSummary]:
        """Records of a new run, of which many are in the lake in some way."""
        return [self._summary(number) for number in range(8)]

    def _time(self, minutes: int) -> datetime:
        return NOON + timedelta(days=self.runs + self.random.choice([0, 0, -2]), minutes=minutes, seconds=self.random.random())

    def _append(self, table: str, name: str, rows: Iterable[Row]) -> None:
        self.lake.append(table, [table_of(table, *rows)], name)

    def _capture(self, common: Row) -> Row:
        outcome, other = self.random.choice(OUTCOMES), self.random.choice(OUTCOMES)
        article = url_id(page_url(self.random.choice([common["url"], URLS[0]])))
        named = {"article_id": article, "article_version": self.random.randint(1, 3)} if outcome != "rejected" else {}
        kind = {"record_type": self.random.choice(["response", "revisit"]), "outcome": outcome}
        outcomes = [{"dataset": "articles", "outcome": outcome, "detail": "d"}, {"dataset": "offers", "outcome": other, "rows": 1}]
        return {**common, **named, **kind, "outcomes": self.random.choice([None, outcomes, outcomes[:1], outcomes[1:]])}

    def _article(self, common: Row) -> Row:
        text = text_of(self.random.randint(0, 5), self.random.choice([0, 0, 1, 2, 5, 30]))
        duplicate_of = self.random.choice([None, None, "other"])
        article = url_id(page_url(self.random.choice([common["url"], URLS[0]])))
        dated = {"published_at": self.random.choice([None, NOON])}
        version = 10 * self.random.randint(1, self.runs) + common["warc_record_offset"]
        own = {"article_id": article, "version": version, "host": "h", "text": text, "text_digest": text_digest(text)}
        return {**common, **own, **dated, "duplicate_of": duplicate_of, "memory_version": 1}

    def _offer(self, common: Row) -> Row:
        sku = self.random.choice("stuv")
        return {**common, "row_id": sku, "sku": sku, "version": self.random.randint(1, 3), "price": self.random.choice([1, 2])}

    def _sightings(self, common: Row) -> Iterable[Row]:
        same = {"process_run": common["process_run"], "crawl_run": common["crawl_run"], "sequence": self.runs}
        for dataset, key in (("articles", url_id(page_url(common["url"]))), ("offers", self.random.choice("stuv"))):
            seen, gone = self.random.choice([(common["fetched_at"], None)] * 3 + [(None, None), (None, common["fetched_at"])])
            yield {**same, "dataset": dataset, "row_id": key, "seen_at": seen, "gone_at": gone, "url": None if gone else common["url"]}

    def _summary(self, number: int) -> RecordSummary:
        url = self.random.choice([*URLS, "https://a.example/new"])
        text = text_of(self.random.randint(0, 6), self.random.choice([0, 0, 1, 2, 30]))
        claimed = self.random.choice([None, None, *URLS[:2]])
        return RecordSummary(
            record_id=("warc/c/now/s.warc.gz", number), url=url, fetched_at=self._time(number), kind="page",
            content_digest=f"d{self.random.randint(0, 3)}", reason=None, detail=None,
            refers_to=self.random.choice([None, *self.records[-9:]]), is_revisit=self.random.random() < 0.2,
            article_id=url_id(page_url(url)), text_digest=text_digest(text), signature=text_signatures([text])[0], quarantine_reason=None,
            quarantine_detail=None, page_id=url_id(page_url(url)), claimed_url=None if claimed == page_url(url) else claimed,
            crawl_run="now",
        )  # fmt: skip


def near_index(summaries: Sequence[RecordSummary]) -> NearIndex:
    """The index of a run's texts."""
    texts = {one.text_digest or "": one.signature or b"" for one in sorted(summaries, key=RecordSummary.rank)}
    return NearIndex(list(texts), list(texts.values()), 0.8)
