"""Makes `docs/reasons.md` from the outcomes and reasons: `python -m tests.schemas.reasons_page`."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.outcomes import FetchOutcome, Outcome, Reason
from tests import PROJECT

PAGE = PROJECT / "docs" / "reasons.md"
OUTCOMES = {
    Outcome.PUBLISHED: "It became a row of `articles`.",
    Outcome.KNOWN: "The same text of the same article is in `articles` already.",
    Outcome.DUPLICATE: "Another article has the same or nearly the same text. It is a row of `articles` that names its original.",
    Outcome.QUARANTINED: "It is an article that broke a rule. It is a row of `quarantine`, with the rule.",
    Outcome.REJECTED: "It is not an article, or could not be read.",
}
FETCH_OUTCOMES = {
    FetchOutcome.FETCHED: "There was a response, and it was archived.",
    FetchOutcome.DENIED: "The site, the takedown list or the address guard did not allow the fetch.",
    FetchOutcome.FAILED: "There was no usable response. The URL is tried again in a later run.",
    FetchOutcome.FILTERED: "The crawl does not want the URL or its response.",
    FetchOutcome.LEFT_OVER: "The run ended before the URL was fetched. It is still due.",
}
INTRODUCTION = """# Outcomes and reasons

Every record that was fetched has a row in `captures`, with one outcome and, if it was rejected or quarantined, a reason:

```
crawlhouse query "SELECT outcome, reason, count(*) FROM captures GROUP BY ALL ORDER BY 3 DESC"
```

Every URL that was due in a run has one outcome too, such as `denied:robots`. The manifest of the run counts them, and
`crawlhouse explain URL` shows them.
"""


def _table(title: str, what: str, rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| `{value}` | {meaning} |" for value, meaning in rows]
    return "\n".join([f"\n## {title}\n", f"| {what} | meaning |", "|---|---|", *lines, ""])


def reasons_page() -> str:
    """The text of the page."""
    reasons = list(Reason)
    records, rows = reasons.index(Reason.ROBOTS_FILE), reasons.index(Reason.NO_TITLE)
    parts = {
        "Reasons of URLs": reasons[:records],
        "Reasons of records": reasons[records:rows],
        "Reasons of quarantined articles": reasons[rows:],
    }
    tables = [_table(title, "reason", [(str(one), one.meaning) for one in part]) for title, part in parts.items()]
    return "".join(
        [
            INTRODUCTION,
            _table("Outcomes of records", "outcome", [(str(one), OUTCOMES[one]) for one in Outcome]),
            _table("Outcomes of URLs", "outcome", [(str(one), FETCH_OUTCOMES[one]) for one in FetchOutcome]),
            *tables,
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(reasons_page(), encoding="utf-8")
