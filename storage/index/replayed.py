"""Items that a user's spider made again of stored responses: staged for a process run, and kept in place of the former ones afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from runtime.scratch import scratch_folder
from schemas.items import ItemTypes, sorted_types
from schemas.keys import item_types_key, items_key, replayed_prefix, segment_item_types_key, segment_items_key
from schemas.manifest import Segment
from storage.index.items import read_types
from storage.objects.store import ObjectStore


def keep_replayed_items(process_run: str, crawl: str, crawl_run: str, segments: Sequence[Segment], store: ObjectStore) -> None:
    """Store the staged items of a crawl run's segments in place of those of before, and join them anew. Doing it again changes nothing."""
    staged = replayed_prefix(process_run, crawl_run)
    keys = [info.key for info in store.list(staged)]
    if not keys:
        return
    for key in keys:
        _copy(key, f"items/{crawl}/{crawl_run}/{key.removeprefix(staged)}", store)
    with scratch_folder() as folder:
        path = folder / "items"
        with path.open("wb") as file:
            for segment in segments:
                key = segment_items_key(crawl, crawl_run, segment.segment)
                if store.info(key) is not None:
                    with store.open(key) as part:
                        shutil.copyfileobj(part, file)
        store.put_file(items_key(crawl, crawl_run), path)
    parts = [read_types(segment_item_types_key(crawl, crawl_run, segment.segment), store) for segment in segments]
    types = ItemTypes(types=sorted_types(one for part in parts for one in part.types))
    store.put_bytes(item_types_key(crawl, crawl_run), types.model_dump_json(exclude_defaults=True).encode())


def _copy(source: str, target: str, store: ObjectStore) -> None:
    with scratch_folder() as folder:
        path = folder / "copy"
        with store.open(source) as stream, path.open("wb") as out:
            shutil.copyfileobj(stream, out)
        store.put_file(target, path)
