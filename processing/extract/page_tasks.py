"""The tasks of page workers: each record of a segment with what is to be made of it, and the options of its crawl; and their results.

Who gives tasks and takes results imports this, and nothing that reads pages (`processing.extract.reading`): that is imported by workers.

A revisit has no page. It is read again from the record that it refers to if the segment's `Again` says so
(`processing.extract.outdated_revisits`).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO

from processing.extract.referred_records import index_rows, read_referred, referred_id
from schemas.article import Article
from schemas.datasets.page_rows import PageRows
from schemas.errors import StorageError
from schemas.keys import WARC_SUFFIX
from schemas.outcomes import Rejected
from schemas.web.ai_preferences import NO_PREFERENCES, AiPreferences, header_preferences
from storage.index.rows import CaptureRow, read_index, record_places
from storage.objects.store import ObjectStore
from storage.urls.host_key import configured_host, host_key
from storage.warc.reader import MAX_BODY_BYTES, NO_RECORD, Record, read_record_at, read_records, record_in

if TYPE_CHECKING:
    from schemas.manifest import Segment

if TYPE_CHECKING:
    from schemas.config.crawl import Crawl, SiteRules

READ_TASK = "processing.extract.reading.read_task"  # what page workers call
MAX_STORED_BYTES = 32 * 1024 * 1024  # of a record that is sent whole; larger ones are cut where they are read from the segment
SEEK_BYTES = 1024 * 1024  # a longer way to the next record is not read
Containers = Mapping[str, tuple[str, ...]]  # by host: the signatures of the elements that hold its articles


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is made of pages: articles or not, and the rows of datasets, whose definitions are JSON.

    `functions` are definitions too, of datasets whose rows a function of the user's makes; `folders` have the user's modules. `markup`:
    articles have each block as Markdown, too.
    """

    articles: bool = True
    definitions: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    markup: bool = False


ARTICLES_ALONE = Wanted()
Again = Mapping[int, Wanted]  # by offset: the revisits of a segment that are read again, and for what
NOTHING_AGAIN: Again = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PageTask:
    """What a page worker needs for one record: the record, its row of the index and the crawl's options for it.

    `stored` are the record's bytes as they are in the segment, from which the worker reads it; of its body, `max_body_bytes` at most.
    `record` is None for a revisit, which has no page; if the revisit is read again, it is the record that it refers to, or `lost` says why
    that cannot be read. It is None too where the segment has no such record; `damage` then says why. `product_token` is the crawler's name
    in robots rules, or None where the page's opt-outs are not obeyed. `containers` are the elements in which the host has its articles.
    `wanted` is what is made of the page. `uses` are those for which its AI preferences are obeyed.
    """

    record: Record | None
    row: CaptureRow
    product_token: str | None = None
    rules: SiteRules | None = None
    damage: str | None = None
    containers: tuple[str, ...] = ()
    wanted: Wanted = ARTICLES_ALONE
    uses: tuple[str, ...] = ()
    lost: str | None = None
    stored: bytes | None = None
    max_body_bytes: int = MAX_BODY_BYTES

    def __reduce__(self) -> tuple[type[PageTask], tuple[Any, ...]]:  # Any: the values of the fields
        """As a call with its values: pickled as a dataclass, a task takes several times as long, and each page has one."""
        return PageTask, _values_of(self)

    @property
    def weight(self) -> int:
        """About how many bytes of memory the task takes."""
        return len(self.stored or b"") + (0 if self.record is None else len(self.record.capture.body))

    def opened(self) -> PageTask:
        """The task with the record that its stored bytes are, or with their damage. A revisit has only to be whole: it has no page."""
        if self.stored is None:
            return self
        found = record_in(self.stored, self.row.warc_filename, self.max_body_bytes)
        if isinstance(found, str):
            return replace(self, stored=None, damage=found)
        if self.row.record_type == "revisit":
            return replace(self, stored=None)
        return replace(self, stored=None, record=replace(found, pointer=self.row.pointer))

    def preferences(self) -> AiPreferences:
        """The AI preferences of the page. Capture indexes of earlier releases do not have them: then its headers say them."""
        of_headers = NO_PREFERENCES if self.record is None else header_preferences(self.record.capture.response_headers)
        return self.row.preferences.combined(of_headers)


_values_of = attrgetter(*(one.name for one in fields(PageTask)))


@dataclass(frozen=True, slots=True)
class ReadPage:
    """An article with the charset that its page was read in."""

    article: Article
    charset: str
    charset_source: str


@dataclass(frozen=True, slots=True)
class PageResult:
    """What was made of a page: its article or why there is none (neither where no article was asked for), and the rows of datasets."""

    article: ReadPage | None = None
    rejected: Rejected | None = None
    rows: list[PageRows] = field(default_factory=list)

    @property
    def outcome(self) -> ReadPage | Rejected | None:
        """The article, or why there is none."""
        return self.article or self.rejected


def failed_rows(definition: str, error: str) -> PageRows:
    """No rows of a dataset, because of an error. The dataset is given as JSON."""
    return PageRows(json.loads(definition)["name"], error=error)


class Making:
    """By what the tasks of a segment are made: its store, its crawl, and the revisits that are read again."""

    def __init__(
        self, store: ObjectStore, segment: Segment, crawl: Crawl, containers: Containers, wanted: Wanted, again: Again = NOTHING_AGAIN
    ) -> None:
        """Raises StorageError if the segment's capture index cannot be read."""
        self.store, self.segment, self.crawl, self.containers, self.wanted, self._again = store, segment, crawl, containers, wanted, again
        self._index = store.get_bytes(segment.index_key)
        self._options = CrawlOptions.of(crawl)
        revisits = (row for row in (read_index(self._index) if again else ()) if row.warc_record_offset in again)
        self._referred = index_rows(store, {record_id for row in revisits if (record_id := referred_id(row)) is not None})

    def index(self) -> Iterator[CaptureRow]:
        """The rows of the capture index. Checks that they are in the order of their records: both are read side by side."""
        last = -1
        for row in read_index(self._index):
            if row.warc_record_offset <= last:
                raise StorageError(f"{self.segment.index_key} is not in the order of its segment: it was replaced. Restore it from a copy.")
            last = row.warc_record_offset
            yield row

    def has_single_records(self) -> bool:
        """Whether each record can be read from its own bytes, and these are few enough to be sent whole."""
        if not self.segment.warc_key.endswith(WARC_SUFFIX):
            return False
        end = 0
        for offset, length in record_places(self._index):
            if offset < end or not 0 < length <= MAX_STORED_BYTES:
                return False
            end = offset + length
        return True

    def task(self, record: Record, row: CaptureRow) -> PageTask:
        """The task of a whole record, which is no revisit."""
        return self._options.task(replace(record, pointer=row.pointer), row, self.containers, self.wanted)

    def stored_task(self, stored: bytes, row: CaptureRow) -> PageTask:
        """The task of a record that the worker reads from its stored bytes."""
        is_revisit = row.record_type == "revisit"
        task = self.revisit_task(row) if is_revisit else self._options.task(None, row, self.containers, self.wanted)
        return replace(task, stored=stored, max_body_bytes=self.crawl.budgets.max_body_bytes)

    def revisit_task(self, row: CaptureRow) -> PageTask:
        """The task of a revisit. If it is read again, its record is the one that it refers to."""
        wanted = self._again.get(row.warc_record_offset)
        if wanted is None:
            return self._options.task(None, row, self.containers, self.wanted)
        found = self._record_of(row)
        task = self._options.task(None if isinstance(found, str) else replace(found, pointer=row.pointer), row, self.containers, wanted)
        return replace(task, lost=found) if isinstance(found, str) else task

    def _record_of(self, row: CaptureRow) -> Record | str:
        """The record with the page of a revisit, or why it cannot be read."""
        record_id = referred_id(row)
        if record_id is None:
            return "the revisit does not say which record it refers to"
        try:
            return read_referred(self.store, record_id, self._referred.get(record_id), self.crawl.budgets.max_body_bytes)
        except StorageError as error:
            return str(error)


def segment_tasks(stream: BinaryIO, making: Making) -> Iterator[PageTask]:
    """A task for each row of a segment's capture index, in order. `stream` is the segment's WARC file. Raises StorageError."""
    return _tasks(read_records(stream, making.segment.warc_key, making.crawl.budgets.max_body_bytes), making.index(), making)


def stored_tasks(stream: BinaryIO, making: Making) -> Iterator[PageTask]:
    """The same of a segment that `has_single_records`, whose workers read the records.

    Decoding and parsing are half of what a page costs this process, and the stored bytes are a fraction of the decoded ones.
    """
    at = 0
    for row in making.index():
        if row.warc_record_offset - at > SEEK_BYTES:
            stream.seek(row.warc_record_offset)
        else:  # a request, for example
            _read(stream, row.warc_record_offset - at)
        stored = _read(stream, row.warc_record_length)
        at = row.warc_record_offset + row.warc_record_length
        yield making.stored_task(stored, row)


def _read(stream: BinaryIO, count: int) -> bytes:
    """The next bytes, fewer only at the end of the stream."""
    data = stream.read(count)
    while len(data) < count and (more := stream.read(count - len(data))):
        data += more
    return data


def single_tasks(making: Making, offsets: Collection[int]) -> Iterator[PageTask]:
    """The tasks of some records of a segment, each of which is read alone."""
    for row in making.index():
        if row.warc_record_offset not in offsets:
            continue
        if row.record_type == "revisit":
            yield making.revisit_task(row)
            continue
        try:
            record = read_record_at(making.store, row.pointer, making.crawl.budgets.max_body_bytes)
        except StorageError as error:
            yield PageTask(None, row, damage=str(error), wanted=making.wanted)
            continue
        yield making.task(record, row)


def _tasks(records: Iterable[Record | Rejected], index: Iterator[CaptureRow], making: Making) -> Iterator[PageTask]:
    """A task for each row of the index, with its record where the segment has it whole. Records without a row in the index are left out."""
    damage: dict[int, str] = {}  # by offset, since the last whole record
    row = next(index, None)
    for record in records:
        if isinstance(record, Rejected):
            damage[record.warc_record_offset] = record.detail
            continue
        while row is not None and row.warc_record_offset < record.pointer.warc_record_offset:
            yield _damaged_task(row, damage)
            row = next(index, None)
        damage.clear()
        if row is not None and row.warc_record_offset == record.pointer.warc_record_offset:
            yield making.revisit_task(row) if row.record_type == "revisit" else making.task(record, row)
            row = next(index, None)
    while row is not None:
        yield _damaged_task(row, damage)
        row = next(index, None)


def rules_for(host: str, rules: Mapping[str, SiteRules]) -> SiteRules | None:
    """The rules of a host (with its port): its own, else those of the nearest parent domain that has rules."""
    return _nearest(host, _spelled(rules))


def _spelled(rules: Mapping[str, SiteRules]) -> dict[str, SiteRules]:
    return {configured_host(name): rule for name, rule in rules.items()}


def _nearest(host: str, rules: Mapping[str, SiteRules]) -> SiteRules | None:
    while rules and host:
        if host in rules:
            return rules[host]
        host = host.partition(".")[2]
    return None


@dataclass(frozen=True, slots=True)
class CrawlOptions:
    """A crawl's options for the reading of its pages, found out once for all of them. Hosts are spelled as `host_key` does."""

    rules: Mapping[str, SiteRules]
    product_token: str | None
    uses: tuple[str, ...]
    wants_markup: bool

    @classmethod
    def of(cls, crawl: Crawl) -> CrawlOptions:
        """The options of a crawl."""
        return cls(_spelled(crawl.articles.rules), product_token(crawl), crawl.politeness.forbidden_uses(), crawl.articles.wants_markup)

    def task(self, record: Record | None, row: CaptureRow, containers: Containers, wanted: Wanted) -> PageTask:
        """The task of reading one record."""
        host = host_key(row.url)
        markup = wanted.articles and self.wants_markup
        wanted = wanted if wanted.markup == markup else replace(wanted, markup=markup)  # the same object is sent once for many tasks
        rules = _nearest(host, self.rules)
        return PageTask(record, row, self.product_token, rules, containers=containers.get(host, ()), wanted=wanted, uses=self.uses)


def page_task(record: Record | None, row: CaptureRow, crawl: Crawl, containers: Containers, wanted: Wanted) -> PageTask:
    """The task of reading one record as a crawl's options say."""
    return CrawlOptions.of(crawl).task(record, row, containers, wanted)


def _damaged_task(row: CaptureRow, damage: dict[int, str]) -> PageTask:
    return PageTask(None, row, damage=damage.get(row.warc_record_offset, NO_RECORD))


def product_token(crawl: Crawl) -> str | None:
    """The crawler's name in robots rules, or None where the opt-outs of pages are not obeyed."""
    return crawl.politeness.product() if crawl.politeness.opt_outs == "obey" else None
