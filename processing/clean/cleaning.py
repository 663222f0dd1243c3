"""Clean the rows of a host bucket: apply the site memory, then add text, language, signals, digests and MinHash, and check the policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import compress, pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.article.markdown.chunks import split_chunks
from processing.article.markdown.document import write_document
from processing.clean.block_columns import BlockColumns, Mask, Numbers
from processing.clean.folding import folded_texts
from processing.clean.identity import claimed_url, page_url, url_id
from processing.clean.language import detect_language
from processing.clean.minhash import make_signatures
from processing.clean.policy import PolicyInput, Violation, check_policy
from processing.clean.shingles import Shingles, folded_shingles, read_shingles
from processing.clean.signals import signals, text_signals
from processing.clean.site_memory import SiteMemory, block_digests
from processing.clean.words import folded_digest
from processing.staging.staging import CLEANED, Row, blocks_of, markup_of_row
from schemas.article import Article, Block, BlockMarkup, plain_text
from schemas.config.crawl import ArticleOptions
from storage.lake.parquet.block_texts import whole_blocks, without_block_texts

LEARNED_COLUMNS = ("bucket", "host", "url", "blocks", "fetched_at", "container")  # what a site memory learns, and where
_PAGE_COLUMNS = [
    "url", "host", "canonical_url", "container", "confidence", "title", "language_declared", "published_at", "fetched_at",
]  # fmt: skip


def learn_rows(rows: pa.Table, memory: SiteMemory) -> None:
    """Add the blocks of all articles among staged rows to the site memory. Of the rows, LEARNED_COLUMNS are needed."""
    articles = rows.filter(pc.is_valid(rows["blocks"]))
    blocks = BlockColumns.of(articles["blocks"])
    digests = block_digests(folded_texts(blocks.texts))
    pages = articles.select(["host", "url", "fetched_at", "container"]).to_pylist()
    for page, (start, end) in zip(pages, pairwise(blocks.starts.tolist()), strict=True):
        memory.learn_blocks(page["host"], page["url"], digests[start:end], page["fetched_at"], page["container"])


def cleaned_part(parts: Iterable[pa.Table], memory: SiteMemory, memory_version: int | None, options: ArticleOptions) -> Iterator[pa.Table]:
    """The cleaned rows of a part, whose staged rows are given in row groups."""
    for rows in parts:
        yield cleaned_rows(rows, memory, memory_version, options)


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


def cleaned_row(staged: pa.Table, memory: SiteMemory, memory_version: int | None, options: ArticleOptions) -> Row:
    """The cleaned row of a table with one staged row. Its blocks have their texts."""
    (cleaned,) = whole_blocks(cleaned_rows(staged, memory, memory_version, options)).to_pylist()
    return dict(cleaned)


def cleaned_rows(rows: pa.Table, memory: SiteMemory, memory_version: int | None, options: ArticleOptions) -> pa.Table:
    """Staged rows with text, language, signals and digests, and the rule of the policy that each breaks. Of no article: as they are.

    A block whose text stands in the row's `text` has its place there instead, as in the tables.
    """
    is_article = pc.is_valid(rows["blocks"]).combine_chunks()
    found = _article_columns(rows.filter(is_article), memory, options)
    count = len(found["text"])
    found |= {"memory_version": pa.array([memory_version] * count, pa.int32()), "markup": pa.nulls(count, CLEANED.field("markup").type)}
    if count < rows.num_rows:
        places = np.cumsum(is_article.to_numpy(zero_copy_only=False)) - 1
        indices = pc.if_else(is_article, pa.array(places), pa.scalar(None, pa.int64()))
        found = {name: column.take(indices) for name, column in found.items()}
    others = {name: rows[name] for name in rows.schema.names if name not in found}
    columns = found | others
    nothing = pa.nulls(rows.num_rows)
    cleaned = [columns.get(field.name, nothing).cast(field.type) for field in CLEANED]
    return without_block_texts(pa.table(cleaned, schema=CLEANED))


def _article_columns(articles: pa.Table, memory: SiteMemory, options: ArticleOptions) -> dict[str, pa.Array]:
    """The columns of articles that cleaning makes."""
    pages = articles.select(_PAGE_COLUMNS).to_pylist()
    read = BlockColumns.of(articles["blocks"])
    folded = folded_texts(read.texts)
    is_kept = _without_boilerplate(pages, read, folded, memory) if options.site_memory else np.ones(len(folded), bool)
    kept = read.where(is_kept)
    is_line = is_kept & read.in_text()
    texts = read.where(is_line).plain_texts()
    folded = [b" ".join(filter(None, part)) for part in _parts_of(folded, is_line, read.starts)]
    shingles = folded_shingles(folded)  # of all at once, which takes a fraction of the time
    judged = _judged(pages, texts.to_pylist(), kept.link_densities(), shingles, options)
    digests = map(folded_digest, folded)
    made = [
        {**_identified(page, memory, options), **more, "text_digest": digest}
        for page, more, digest in zip(pages, judged, digests, strict=True)
    ]
    if options.wants_markup:
        made = [row | more for row, more in zip(made, _markdown(articles, is_kept, read.starts, options), strict=True)]
    return {
        **{name: pa.array([row[name] for row in made], CLEANED.field(name).type) for name in (made[0] if made else ())},
        "blocks": kept.lists(),
        "text": texts,
        "text_length": pc.utf8_length(texts),
        "furniture_blocks": pa.array(read.counts - kept.counts),
        "signature": pa.array(make_signatures(shingles), pa.binary()),
    }


def _without_boilerplate(pages: Sequence[Row], read: BlockColumns, folded: Sequence[bytes], memory: SiteMemory) -> Mask:
    """Which blocks are not the site's boilerplate."""
    is_kept = np.ones(len(folded), bool)
    for page, (start, end) in zip(pages, pairwise(read.starts.tolist()), strict=True):
        host, url = page["host"], page["url"]
        if start < end and memory.has_evidence(host, url):
            blocks = blocks_of(read.blocks.slice(start, end - start).to_pylist())
            is_kept[start:end] = np.invert(memory.boilerplate(host, url, blocks, block_digests(folded[start:end])))
    return is_kept


def _parts_of(folded: Sequence[bytes], is_line: Mask, starts: Numbers) -> Iterator[Iterator[bytes]]:
    """The texts of the lines of each article."""
    lines = is_line.tolist()
    return (compress(folded[start:end], lines[start:end]) for start, end in pairwise(starts.tolist()))


def _identified(page: Row, memory: SiteMemory, options: ArticleOptions) -> Row:
    """The columns of a page that do not depend on its text."""
    confidence = page["confidence"]
    return {
        "confidence": memory.adjusted_confidence(page["host"], page["container"], confidence) if options.site_memory else confidence,
        "article_id": url_id(page_url(page["url"])),  # resolve decides whether the claimed URL identifies the article instead
        "claimed_url": claimed_url(page["url"], page["canonical_url"]),
    }


def _markdown(articles: pa.Table, is_kept: Mask, starts: Numbers, options: ArticleOptions) -> Iterator[Row]:
    """The columns `markdown` and `chunks` of each article."""
    rows = articles.select(["blocks", "markup"]).to_pylist()
    for row, (start, end) in zip(rows, pairwise(starts.tolist()), strict=True):
        read = blocks_of(row["blocks"])
        kept = list(compress(read, is_kept[start:end].tolist()))
        found = markdown_columns(read, kept, markup_of_row(row), markdown=options.markdown, chunks=options.chunks)
        yield {name: found[name] for name in ("markdown", "chunks")}


def _judged(
    pages: Sequence[Row], texts: Sequence[str], link_densities: Sequence[float], shingles: Shingles, options: ArticleOptions
) -> Iterator[Row]:
    """The columns of language, signals and policy of each article."""
    for place, (page, text) in enumerate(zip(pages, texts, strict=True)):
        language = detect_language(text, page["language_declared"])
        found, word_count = text_signals(text, link_densities[place], shingles, place), int(shingles.words[place])
        policy_input = PolicyInput(page["title"], text, word_count, language, page["published_at"], page["fetched_at"], found)
        violation = check_policy(policy_input, options)
        yield {
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
