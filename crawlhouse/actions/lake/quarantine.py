"""What `crawlhouse quarantine` does: list and show rows in quarantine, and settle them."""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict, replace
from typing import Any

from crawlhouse.output.console import counts_table, facts_table, progress_line, say, show, table, write_json, write_line
from crawlhouse.output.row_formats import LinesFormat, ReportFormat, json_value
from processing.quarantine.decisions import Settled, drop, release, retry
from processing.quarantine.rules import SettledRow, read_settled
from processing.quarantine.selection import Quarantined, QuarantineFilter, find_rows, read_whole
from schemas.config.settings import Settings
from schemas.errors import ConfigError, NotFoundError
from schemas.numbers import plural
from schemas.printable import printable_json
from schemas.runs import RunKind
from storage.lake.lake import open_lake
from storage.lake.takedown import read_takedowns
from storage.objects.open import open_store

DECISIONS = {RunKind.RELEASE: release, RunKind.RETRY: retry, RunKind.DROP: drop}
NOT_SHOWN = frozenset({"minhash", "blocks", "row_json", "process_run", "code_version", "sequence", "ingested_at"})
WORDS = {
    "published": "published",
    "duplicate": "published as duplicates",
    "known": "known already: the table has an equal row",
    "quarantined": "stay in quarantine",
    "rejected": "removed",
}


def show_list(settings: Settings, wanted: QuarantineFilter, limit: int, form: LinesFormat) -> None:
    """Print up to `limit` rows, and the counts of all by dataset and rule. JSON lines are all rows, JSON has the counts beside the rows."""
    counts: Counter[tuple[str, str]] = Counter()
    rows: list[Quarantined] = []
    with open_lake(settings) as lake:
        for row in find_rows(lake, wanted, read_takedowns(open_store(settings))):
            if form is LinesFormat.JSONL:
                sys.stdout.write(printable_json(_plain(row)) + "\n")
                continue
            counts[row.dataset, row.rule] += 1
            if len(rows) < limit:
                rows.append(row)
    if form is LinesFormat.JSON:
        by_rule = [{"dataset": dataset, "rule": rule, "rows": count} for (dataset, rule), count in counts.most_common()]
        write_json({"counts": by_rule, "rows": [_plain(row) for row in rows]})
    elif form is LinesFormat.TABLE:
        _show_rows(rows, counts)


def show_row(settings: Settings, row_id: str, form: ReportFormat) -> None:
    """Print one row whole. Raises NotFoundError, which says when and by whom it was settled."""
    wanted = QuarantineFilter(ids=frozenset([row_id]))
    with open_lake(settings) as lake:
        found = next(find_rows(lake, wanted, read_takedowns(open_store(settings))), None)
        if found is None:
            raise NotFoundError(_gone(row_id, read_settled(lake, [row_id]).get(row_id)))
        (row,) = read_whole(lake, [found.place]).values()
    values = json.loads(row["row_json"]) if row["row_json"] else {}
    if form is ReportFormat.JSON:
        write_json({"id": found.id, **{name: json_value(value) for name, value in row.items()}, "row": values}, indent=2)
        return
    facts = {name: _text(value) for name, value in row.items() if value not in (None, []) and name not in NOT_SHOWN and name != "text"}
    show(facts_table(found.id, facts))
    if values:
        show(facts_table("The row, as it would be published or as its source gave it", {str(k): _text(v) for k, v in values.items()}))
    if row["text"]:
        write_line("")
        show(row["text"])


def _gone(row_id: str, settled: SettledRow | None) -> str:
    if settled is None:
        return f"There is no row {row_id!r} in quarantine. `crawlhouse quarantine list` shows which there are."
    return f"The row {row_id} is in quarantine no more: {settled.sentence()}."


def settle_rows(settings: Settings, kind: RunKind, wanted: QuarantineFilter, who: str, reason: str) -> None:
    """Release, retry or drop rows, and print what came of it. Raises ConfigError without a condition, and what the decisions raise."""
    if wanted.is_everything():
        raise ConfigError("Say which rows: by their IDs, or by --crawl, --dataset, --rule, --url or --run. `--url '*'` means all.")
    with progress_line() as update:
        settled = DECISIONS[kind](wanted, who, reason, settings, update)
    _show_settled(settled)


def _show_settled(settled: Settled) -> None:
    for sentence in settled.already:
        say(f"{sentence}: nothing to do.")
    total = sum(settled.outcomes.values())
    if total:
        show(counts_table(plural(total, "row"), {WORDS[name]: settled.outcomes[name] for name in WORDS if settled.outcomes[name]}))
        say(f"Process run: {', '.join(settled.process_runs)}")
    elif not settled.already:
        say("No row in quarantine matches: nothing was changed.")


def _show_rows(rows: list[Quarantined], counts: Counter[tuple[str, str]]) -> None:
    if not counts:
        say("No row in quarantine matches.")
        return
    columns = ("id", "dataset", "rule", "detail", "URL")
    show(table("", columns, [(row.id, row.dataset, row.rule, row.detail or "", row.url) for row in rows]))
    total = counts.total()
    show(counts_table(plural(total, "row"), {f"{dataset}: {rule}": count for (dataset, rule), count in counts.most_common()}))
    if len(rows) < total:
        say(f"The first {plural(len(rows), 'row')}. More with --rows N.")


def _plain(row: Quarantined) -> dict[str, Any]:  # Any: JSON
    values = asdict(replace(row, place=("", 0, None, None)))
    del values["place"]
    name, offset, _, position = row.place
    return {key: json_value(value) for key, value in values.items()} | {
        "warc_filename": name,
        "warc_record_offset": offset,
        "position": position,
    }


def _text(value: Any) -> str:  # Any: a value of a row
    plain = json_value(value)
    return plain if isinstance(plain, str) else printable_json(plain)
