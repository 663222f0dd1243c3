"""What each column of the built-in tables means: Iceberg's field docs, `crawlhouse tables` and docs/tables.md are made from this."""

from __future__ import annotations

import re
from dataclasses import dataclass

PARTS = re.compile(r"(?P<description>.*?)(?: Unit: (?P<unit>[^.]+)\.)?(?: Source: (?P<source>[^.]+)\.)?", re.DOTALL)

ANSWER = "the HTTP response"
ARCHIVE = "the WARC record"
COMPARISON = "comparison with earlier rows"
FRONTIER = "the frontier"
MANIFEST = "the manifest of the crawl run"
MARKUP = "the page's markup"
RULES = "the rules that judge rows"
RUN = "the process run"
TEXT = "the article's text"
URL = "the request"


@dataclass(frozen=True, slots=True)
class ColumnDoc:
    """A column: what it means, in which unit, and what its values are made from."""

    description: str
    source: str = ""
    unit: str = ""

    def __str__(self) -> str:
        """The one text that Iceberg keeps of a column."""
        unit = f" Unit: {self.unit}." if self.unit else ""
        return f"{self.description}{unit}" + (f" Source: {self.source}." if self.source else "")


def parse_doc(text: str) -> ColumnDoc:
    """The parts of a text that Iceberg keeps of a column."""
    parts = PARTS.fullmatch(text)
    assert parts is not None  # each part may be missing
    return ColumnDoc(parts["description"], parts["source"] or "", parts["unit"] or "")


PLACE = {
    "url": ColumnDoc("The URL that was fetched.", URL),
    "host": ColumnDoc("The host of the URL, with its port where that is not the usual one.", URL),
    "fetched_at": ColumnDoc("When it was fetched.", ARCHIVE, "UTC"),
}
POINTER = {
    "warc_filename": ColumnDoc("The WARC file with the record, as a key of the object store.", ARCHIVE),
    "warc_record_offset": ColumnDoc("Where the record begins in that file.", ARCHIVE, "bytes"),
    "warc_record_length": ColumnDoc("The length of the compressed record in that file.", ARCHIVE, "bytes"),
    "content_digest": ColumnDoc("SHA-1 of the payload, as in WARC-Payload-Digest.", ARCHIVE),
}
RUNNING = {
    "crawl": ColumnDoc("The crawl that fetched it: the name of its YAML file.", RUN),
    "crawl_run": ColumnDoc("The crawl run that fetched it.", RUN),
    "process_run": ColumnDoc("The process run that made the row. The row counts only if `runs` has this process run.", RUN),
    "code_version": ColumnDoc("The version of crawlhouse that made the row.", RUN),
    "ingested_at": ColumnDoc("When the row was published. In plain files it is NULL: `runs` has it.", RUN, "UTC"),
    "sequence": ColumnDoc("The number of the publish that brought the row; it grows over all crawls. In plain files it is NULL.", RUN),
}
AI_PREFERENCES = {
    "content_usage": ColumnDoc(
        "What the site says in Content-Usage, in the page's header or in robots.txt; NULL where it says nothing.", ANSWER
    ),
    "content_signal": ColumnDoc("The same for Content-Signal, such as ai-train=no.", ANSWER),
}
ARTICLES = {
    "article_id": ColumnDoc(
        "Identity of the article over time: 32 hex digits of SHA-256 of its URL, or of its canonical URL if that has a similar text.",
        COMPARISON,
    ),
    "version": ColumnDoc("The number of the article's version, from 1; in `quarantine` 0.", COMPARISON),
    **PLACE,
    "canonical_url": ColumnDoc("The URL that the page itself names as its own.", MARKUP),
    "site_name": ColumnDoc("The name of the site.", MARKUP),
    "title": ColumnDoc("The headline.", MARKUP),
    "description": ColumnDoc("The summary or standfirst.", MARKUP),
    "authors": ColumnDoc("The names of the authors, in the page's order.", MARKUP),
    "published_at": ColumnDoc("When the article was published.", MARKUP, "UTC"),
    "published_at_source": ColumnDoc(
        "Where that time stood: json-ld, meta, time, url, text or hint; modified: the page shows only when it was changed.", MARKUP
    ),
    "published_zone": ColumnDoc(
        "The UTC offset that the page wrote that time with, such as +02:00; that of its readers where it wrote UTC and shows another day.",
        MARKUP,
    ),
    "modified_at": ColumnDoc("When the article was last changed.", MARKUP, "UTC"),
    "modified_at_source": ColumnDoc("Where that time stood: json-ld, meta, time, url, text or hint.", MARKUP),
    "language": ColumnDoc("The language of the text, as ISO 639-1.", TEXT),
    "language_declared": ColumnDoc("The language that the page declares.", MARKUP),
    "section": ColumnDoc("The section or rubric.", MARKUP),
    "tags": ColumnDoc("Keywords of the article.", MARKUP),
    "lead_image": ColumnDoc("The URL of the main picture.", MARKUP),
    "paywalled": ColumnDoc("Whether the page says that its text is not free.", MARKUP),
    "form": ColumnDoc("The kind of article page: article, live_blog, gallery, paywalled_stub, amp or print.", MARKUP),
    "text": ColumnDoc("The article as plain text, one block a line, without captions.", MARKUP),
    "blocks": ColumnDoc(
        "The blocks of the article: kind, text, level of a heading or depth of a list, share of text in links, and start and end of its "
        "text in the column text, in characters. Of a caption, which is not in it, and in rows of earlier releases start and end are NULL. "
        "In the plain files the text of a block that has a start is NULL.",
        MARKUP,
    ),
    "text_length": ColumnDoc("The length of the text.", TEXT, "characters"),
    "word_count": ColumnDoc("The length of the text.", TEXT, "words"),
    "text_digest": ColumnDoc("32 hex digits of SHA-256 of the text without case, punctuation and spacing.", TEXT),
    "minhash": ColumnDoc("MinHash of the text in rows of earlier releases: 128 numbers of 32 bits, little-endian. NULL in new rows.", TEXT),
    "duplicate_of": ColumnDoc("The article_id of the first published row with this text; NULL for an original.", COMPARISON),
    "duplicate_kind": ColumnDoc("exact or near; NULL for an original.", COMPARISON),
    "duplicate_similarity": ColumnDoc("How similar both texts are, as Jaccard similarity.", COMPARISON, "share from 0 to 1"),
    "duplicate_word_fraction": ColumnDoc("The part of sequences of five words that stood before in the text.", TEXT, "share from 0 to 1"),
    "symbol_word_ratio": ColumnDoc("Hash marks, ellipses and replacement characters for each word.", TEXT, "share from 0 to 1"),
    "mean_word_length": ColumnDoc("The mean length of a word.", TEXT, "characters"),
    "link_density": ColumnDoc("The part of the text that is in links.", MARKUP, "share from 0 to 1"),
    "furniture_blocks": ColumnDoc("How many boilerplate blocks the site memory removed.", "the site memory", "blocks"),
    "extraction_path": ColumnDoc("How the blocks were found, for example container or json-ld.", MARKUP),
    "confidence": ColumnDoc("How sure the extraction is.", MARKUP, "share from 0 to 1"),
    "memory_version": ColumnDoc("The version of the site memory that cleaned the article; NULL without one.", RUN),
    "charset": ColumnDoc("The charset that the page was decoded with.", ANSWER),
    "charset_source": ColumnDoc("Where the charset came from: bom, http, meta, utf-8 or detector.", ANSWER),
    **POINTER,
    **RUNNING,
    **AI_PREFERENCES,
    "markdown": ColumnDoc("The article as Markdown, with links, images and tables; NULL unless the crawl asks for it.", MARKUP),
    "chunks": ColumnDoc(
        "Parts of the Markdown that end at blocks: position, headings above, first block, text; NULL unless the crawl asks for them.",
        MARKUP,
    ),
}
QUARANTINE = {
    **ARTICLES,
    "reason": ColumnDoc("The kind of mistake, for counting.", RULES),
    "rule": ColumnDoc("The rule that the row breaks.", RULES),
    "detail": ColumnDoc("What was found, in a line for people.", RULES),
    "dataset": ColumnDoc(
        "The dataset that the row was made for; `no_dataset`: an item that none takes. NULL in rows of earlier releases: articles.", RULES
    ),
    "row_id": ColumnDoc("The identity of the row in its dataset: of articles their article_id.", COMPARISON),
    "row_json": ColumnDoc("The whole row as JSON; NULL for articles, whose columns are filled instead.", RUN),
    "position": ColumnDoc("The place of the row among those of its page, from 0; NULL for articles.", ARCHIVE),
}
CAPTURES = {
    "bytes_available": ColumnDoc(
        "Whether the archive still has the segment; false where the crawl keeps segments for a time only. NULL in the plain files.",
        "the list of removed segments",
    ),
    **PLACE,
    "fetch_status": ColumnDoc("The HTTP status.", ANSWER),
    "record_type": ColumnDoc("response, revisit (the same bytes as before) or conversion (a browser's document).", ARCHIVE),
    "kind": ColumnDoc("What was fetched: page, feed, sitemap, robots or shell (a page before a browser has drawn it).", ANSWER),
    "content_mime_type": ColumnDoc("The media type that the server declares.", ANSWER),
    "content_charset": ColumnDoc("The charset of the body.", ANSWER),
    "content_length": ColumnDoc("The length of the body as received.", ANSWER, "bytes"),
    "latency_ms": ColumnDoc("The time from the request to the response.", ANSWER, "milliseconds"),
    "via": ColumnDoc("The URL on which this one was found; NULL for a seed.", FRONTIER),
    "depth": ColumnDoc("How many links the URL is away from a seed.", FRONTIER, "links"),
    "outcome": ColumnDoc(
        "What became of the record: published, duplicate, known, quarantined or rejected. Of several datasets the first in this order.", RUN
    ),
    "reason": ColumnDoc("Why it was rejected or quarantined, for counting.", RUN),
    "detail": ColumnDoc("The same in a line for people.", RUN),
    "page_type": ColumnDoc("What the page is: article, hub, product, forum and so on.", MARKUP),
    "article_id": ColumnDoc("The article that the page is.", MARKUP),
    "article_version": ColumnDoc("The version of the article that the page had.", COMPARISON),
    **POINTER,
    **RUNNING,
    "request_method": ColumnDoc("The HTTP method; NULL means GET.", URL),
    "request_body": ColumnDoc("The body of a POST, as the query under which a replay finds its response.", URL),
    "outcomes": ColumnDoc("What each dataset made of the record: dataset, outcome, reason and its number of rows.", RUN),
    **AI_PREFERENCES,
}
SIGHTINGS = {
    "dataset": ColumnDoc("The dataset of the row.", RUN),
    "row_id": ColumnDoc("The identity of the row in its dataset: of articles their article_id.", COMPARISON),
    "crawl_run": RUNNING["crawl_run"],
    "process_run": RUNNING["process_run"],
    "seen_at": ColumnDoc("When a page was last read that has the row; NULL if none in this run.", ARCHIVE, "UTC"),
    "gone_at": ColumnDoc("When the pages that had the row were read and have it no more; NULL if they still have it.", ARCHIVE, "UTC"),
    "url": ColumnDoc("The page. With neither time, this page no longer has the row. NULL if the row is gone from all its pages.", ARCHIVE),
    "sequence": RUNNING["sequence"],
}
RUNS = {
    "process_run": ColumnDoc("The process run; a row of another table counts only if its process run is here.", RUN),
    "crawl_run": ColumnDoc("The crawl run that was processed; one row for each.", RUN),
    "crawl": ColumnDoc("The crawl: the name of its YAML file.", RUN),
    "code_version": ColumnDoc("The version of crawlhouse that processed the run.", RUN),
    "config_hash": ColumnDoc("A digest of the crawl's configuration: 16 hex digits of SHA-256.", RUN),
    "planned_at": ColumnDoc("When the crawl run was planned.", MANIFEST, "UTC"),
    "closed_at": ColumnDoc("When the crawl run was closed.", MANIFEST, "UTC"),
    "ingested_at": ColumnDoc("When the run was published.", RUN, "UTC"),
    "sequence": ColumnDoc("The number of the publish; it grows over all crawls.", RUN),
    "finish_reason": ColumnDoc("Why the crawl run ended.", MANIFEST),
    "due": ColumnDoc("due = fetched + denied + failed + filtered + left_over.", MANIFEST, "URLs"),
    "fetched": ColumnDoc("Fetched, and in the archive.", MANIFEST, "URLs"),
    "denied": ColumnDoc("Not allowed, for example by robots.txt.", MANIFEST, "URLs"),
    "failed": ColumnDoc("Without a result, or with an error.", MANIFEST, "URLs"),
    "filtered": ColumnDoc("Left out by the crawl's own rules.", MANIFEST, "URLs"),
    "left_over": ColumnDoc("Not reached before the run ended.", MANIFEST, "URLs"),
    "records": ColumnDoc("records = published + known + duplicate + quarantined + rejected.", RUN, "records"),
    "published": ColumnDoc("Gave a new row.", RUN, "records"),
    "known": ColumnDoc("Were processed before, by the same rules.", RUN, "records"),
    "duplicate": ColumnDoc("Gave a row that has the text of another one.", RUN, "records"),
    "quarantined": ColumnDoc("Gave a row that breaks a rule.", RUN, "records"),
    "rejected": ColumnDoc("Gave no row.", RUN, "records"),
    "bytes": ColumnDoc("The size of the WARC files of the run.", MANIFEST, "bytes"),
    "segments": ColumnDoc("The number of WARC files of the run.", MANIFEST, "files"),
    "statistics": ColumnDoc("Counts by status, reason and host, as JSON.", MANIFEST),
    "datasets": ColumnDoc("What became of the rows of each dataset: made = published + unchanged + quarantined.", RUN),
    "kind": ColumnDoc(
        "Why the process run was made: process (new crawl runs), or release, retry, rejudge, drop, accept, reprocess, rollback or erase, "
        "which replace outcomes of records or take them out; their columns from due to left_over, bytes and segments are 0. NULL in rows "
        "of earlier releases means process.",
        RUN,
    ),
    "replaces": ColumnDoc("The process runs that the outcomes of these records came from before; NULL if it replaces nothing.", RUN),
    "decided_by": ColumnDoc("Who released, retried, dropped, accepted or rolled back; NULL for the other kinds.", "the command"),
    "decision_reason": ColumnDoc("Why, in the words of that person.", "the command"),
}
BUILT_IN = {"articles": ARTICLES, "captures": CAPTURES, "quarantine": QUARANTINE, "sightings": SIGHTINGS, "runs": RUNS}
TABLE_DOCS = {
    "articles": "One row for each version of an article. `articles_latest` has the last version of each, with `last_seen` and `gone_at`.",
    "captures": "One row for each response, revisit or conversion record, with what became of it.",
    "quarantine": "One row for each row that breaks a rule, of all datasets, whole and with the rule.",
    "sightings": "One row for each row of a dataset in each run that saw it again, or found it gone.",
    "runs": "One row for each crawl run that was processed, with its counts, and one for each that a later process run changed (`kind`). "
    "Rows of the other tables count only if their process run is here.",
}

# of the tables of users' datasets
FIELD_SOURCE = "the dataset's source"
STEP_SOURCE = "the user's steps"
HISTORY = {
    "row_id": ColumnDoc("Digest of the row's key: the same for every version of a row.", "the key"),
    "version": ColumnDoc("Number of the version of this row, from 1; of observations the number of the visit.", COMPARISON),
    "first_seen": ColumnDoc("When a row of this key was first fetched.", COMPARISON, "UTC"),
    "changed": ColumnDoc("The fields that differ from the version before; empty in a first version.", COMPARISON),
}
ORIGIN = {
    "url": ColumnDoc("The page that the row is from.", URL),
    "host": ColumnDoc("The host of that page, with its port where it is not the usual one.", URL),
    "fetched_at": ColumnDoc("When the page was fetched.", ARCHIVE, "UTC"),
    "position": ColumnDoc("The place of the row among those of its page, from 0.", FIELD_SOURCE),
}
LATEST = {
    "last_seen": ColumnDoc("When a page was last read that has the row.", "the table sightings", "UTC"),
    "gone_at": ColumnDoc("When its pages were read and had the row no more; NULL if it is still there.", "the table sightings", "UTC"),
}
