"""Clean the rows of a host bucket: apply the site memory, then add text, language, signals, digests and MinHash, and check the policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from processing.article.markdown.chunks import split_chunks
from processing.article.markdown.document import write_document
from processing.clean.identity import claimed_url, page_url, url_id
from processing.clean.language import detect_language
from processing.clean.minhash import make_signatures
from processing.clean.policy import PolicyInput, Violation, check_policy
from processing.clean.shingles import Shingles, read_shingles
from processing.clean.signals import signals
from processing.clean.site_memory import SiteMemory
from processing.clean.words import text_digest
from processing.staging.staging import CLEANED, Row, blocks_of, markup_of_row, stored_blocks
from schemas.article import Article, Block, BlockMarkup, plain_text
from schemas.config.crawl import ArticleOptions

LEARNED_COLUMNS = ("bucket", "host", "url", "blocks", "fetched_at", "container")  # what a site memory learns, and where


def learn_rows(rows: pa.Table, memory: SiteMemory) -> None:
    """Add the blocks of all articles among staged rows to the site memory. Of the rows, LEARNED_COLUMNS are needed."""
    articles = rows.filter(pc.is_valid(rows["blocks"]))
    blocks = articles["blocks"].combine_chunks()
    texts = blocks.flatten().field("text").to_pylist()
    pages = articles.select(["host", "url", "fetched_at", "container"]).to_pylist()
    start = 0
    for page, count in zip(pages, blocks.value_lengths().to_pylist(), strict=True):
        memory.learn_texts(page["host"], page["url"], texts[start : start + count], page["fetched_at"], page["container"])
        start += count


def cleaned_part(parts: Iterable[pa.Table], memory: SiteMemory, memory_version: int | None, options: ArticleOptions) -> Iterator[pa.Table]:
    """The cleaned rows of a part, whose staged rows are given in row groups."""
    for rows in parts:
        yield pa.Table.from_pylist(cleaned_rows(rows.to_pylist(), memory, memory_version, options), schema=CLEANED)


def clean_blocks(
    host: str, url: str, blocks: Iterable[Block], memory: SiteMemory, options: ArticleOptions
) -> tuple[tuple[Block, ...], int]:
    """The blocks without the site's boilerplate, and how many blocks were removed."""
    blocks = tuple(blocks)
    if not options.site_memory:
        return blocks, 0
    kept, boilerplate = memory.clean(host, url, blocks)
    return kept, len(boilerplate)


def markdown_columns(
    read: Sequence[Block], kept: Sequence[Block], markup: Sequence[BlockMarkup], *, markdown: bool, chunks: int | None
) -> Row:
    """The columns `markdown` and `chunks` of the blocks that were kept of those that were read, as far as they are asked for.

    `markup` is that of the blocks that were read; without it the columns are NULL.
    """
    kept_ones = set(map(id, kept))
    own = [one for block, one in zip(read, markup, strict=True) if id(block) in kept_ones] if markup else []
    if not own:
        return {"markdown": None, "chunks": None, "markup": None}
    parts = [asdict(chunk) for chunk in split_chunks(kept, own, chunks)] if chunks is not None else None
    return {"markdown": write_document(own) if markdown else None, "chunks": parts, "markup": None}


def article_violation(article: Article, fetched_at: datetime, options: ArticleOptions) -> Violation | None:
    """The rule of the policy that an article breaks as its page has it: without a site memory, which takes boilerplate out of it."""
    text = plain_text(article.blocks)
    shingles = read_shingles([text])
    language = detect_language(text, article.language_declared)
    found = signals(text, article.blocks, shingles)
    return check_policy(
        PolicyInput(article.title, text, int(shingles.words[0]), language, article.published_at, fetched_at, found), options
    )


def cleaned_rows(rows: Sequence[Row], memory: SiteMemory, memory_version: int | None, options: ArticleOptions) -> list[Row]:
    """Staged rows with text, language, signals and digests, and the rule of the policy that each breaks. Of no article: as they are."""
    articles = [row for row in rows if row["blocks"] is not None]
    cleaned = [_without_boilerplate(row, memory, options) | {"memory_version": memory_version} for row in articles]
    shingles = read_shingles([row["text"] for row in cleaned])  # of all at once, which takes a fraction of the time
    signed = make_signatures(shingles)
    done = iter(row | _judged(row, shingles, place, options) | {"signature": signed[place]} for place, row in enumerate(cleaned))
    return [row if row["blocks"] is None else next(done) for row in rows]


def _without_boilerplate(row: Row, memory: SiteMemory, options: ArticleOptions) -> Row:
    """The row with its cleaned blocks and what follows from them alone."""
    read = blocks_of(row["blocks"])
    blocks, boilerplate = clean_blocks(row["host"], row["url"], read, memory, options)
    text = plain_text(blocks)
    confidence = memory.adjusted_confidence(row["host"], row["container"], row["confidence"]) if options.site_memory else row["confidence"]
    return row | {
        "blocks": blocks,
        "confidence": confidence,
        "article_id": url_id(page_url(row["url"])),  # resolve decides whether the claimed URL identifies the article instead
        "claimed_url": claimed_url(row["url"], row["canonical_url"]),
        "text": text,
        "text_length": len(text),
        "text_digest": text_digest(text),
        "furniture_blocks": boilerplate,
        **markdown_columns(read, blocks, markup_of_row(row), markdown=options.markdown, chunks=options.chunks),
    }


def _judged(row: Row, shingles: Shingles, place: int, options: ArticleOptions) -> Row:
    """The columns of language, signals and policy of a cleaned row, whose shingles are those at `place`."""
    language = detect_language(row["text"], row["language_declared"])
    found, word_count = signals(row["text"], row["blocks"], shingles, place), int(shingles.words[place])
    policy_input = PolicyInput(row["title"], row["text"], word_count, language, row["published_at"], row["fetched_at"], found)
    violation = check_policy(policy_input, options)
    return {
        "blocks": stored_blocks(row["blocks"]),
        "word_count": word_count,
        "language": language,
        "duplicate_word_fraction": found.duplicate_word_fraction,
        "symbol_word_ratio": found.symbol_word_ratio,
        "mean_word_length": found.mean_word_length,
        "link_density": found.link_density,
        "quarantine_reason": None if violation is None else str(violation.reason),
        "rule": None if violation is None else violation.rule,
        "quarantine_detail": None if violation is None else violation.detail,
    }
