"""Read stored items one by one, from the items files of segments, and the types of their fields."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from schemas.items import ItemProblem, ItemTypes, StoredItem, dict_type, sorted_types
from schemas.keys import item_types_key, replayed_key, segment_item_problems_key, segment_item_types_key, segment_items_key
from schemas.manifest import Segment
from storage.objects.store import ObjectStore


def read_items(
    crawl: str, crawl_run: str, segments: Iterable[Segment], store: ObjectStore, process_run: str | None = None
) -> Iterator[StoredItem]:
    """The items of registered segments in their order, in bounded memory; of a process run those that were made again for it, if any were.

    A segment without items may have some since a spider has read its responses again.
    """
    for segment in segments:
        key = _made_again(segment_items_key(crawl, crawl_run, segment.segment), process_run, store)
        if segment.items or store.info(key) is not None:
            with store.open(key) as file:
                yield from read_items_file(file)


def read_items_file(file: BinaryIO) -> Iterator[StoredItem]:
    """The items of an open items file (JSON lines, gzip). Lines of earlier releases get the position and type that they lack."""
    capture, position = None, 0
    with gzip.open(file, "rb") as lines:
        for line in lines:
            values: dict[str, Any] = json.loads(line)  # Any: JSON
            pointer = (values["warc_filename"], values["warc_record_offset"])
            position = position + 1 if pointer == capture else 0
            capture = pointer
            yield StoredItem.model_validate({"position": position, "type": dict_type(values["item"]), **values})


def read_item_problems(
    crawl: str, crawl_run: str, segment: Segment, store: ObjectStore, process_run: str | None = None
) -> Iterator[ItemProblem]:
    """What is missing of the items of a registered segment, in the order of its captures. `process_run` is as in `read_items`."""
    key = _made_again(segment_item_problems_key(crawl, crawl_run, segment.segment), process_run, store)
    if store.info(key) is None:
        return
    with store.open(key) as file, gzip.open(file, "rb") as lines:
        for line in lines:
            yield ItemProblem.model_validate_json(line)


def _made_again(key: str, process_run: str | None, store: ObjectStore) -> str:
    """The key of what was made again for a process run, else the key itself."""
    staged = replayed_key(process_run, key) if process_run is not None else None
    return staged if staged is not None and store.info(staged) is not None else key


def store_item_types(crawl: str, crawl_run: str, segments: Iterable[Segment], store: ObjectStore) -> None:
    """Put the item types of all segments together into one object."""
    parts = (read_types(segment_item_types_key(crawl, crawl_run, segment.segment), store) for segment in segments)
    types = sorted_types(item_type for part in parts for item_type in part.types)
    if types:
        store.put_bytes(item_types_key(crawl, crawl_run), ItemTypes(types=types).model_dump_json(exclude_defaults=True).encode())


def read_item_types(crawl: str, crawl_run: str, store: ObjectStore) -> ItemTypes:
    """The classes of a closed run's items; none if only dicts were yielded, or an earlier release closed the run."""
    return read_types(item_types_key(crawl, crawl_run), store)


def read_types(key: str, store: ObjectStore) -> ItemTypes:
    """The stored item types; none without an object."""
    return ItemTypes.model_validate_json(store.get_bytes(key)) if store.info(key) is not None else ItemTypes()
