"""What becomes of each record: rules one by one, and the equations for any mix of records."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from processing.resolve.decisions import decide
from processing.resolve.earlier_rows import EarlierOutcome, EarlierRows, Original, Version
from processing.resolve.records import RecordSummary
from schemas.outcomes import Outcome
from schemas.page import WarcPointer

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def summary(number: int, article: str | None = "a", text: str = "t", **given: object) -> RecordSummary:
    """A record fetched `number` minutes after noon."""
    values: dict[str, object] = {
        "record_id": ("w", number), "url": f"https://x/{article}", "fetched_at": NOON + timedelta(minutes=number), "kind": "page",
        "content_digest": f"sha1:{number}", "reason": None, "detail": None, "refers_to": None, "is_revisit": False,
        "article_id": article, "text_digest": text, "signature": None, "quarantine_reason": None, "quarantine_detail": None,
    }  # fmt: skip
    return RecordSummary(**{**values, **given})  # type: ignore[arg-type]


def committed(text: str, version: int = 1) -> Version:
    return Version(version, 1, "https://x/a", "x", text, "news", "0.1", 1, WarcPointer(), NOON, version)


def unchanged(version: Version) -> str:
    return version.text_digest


def test_versions_count_on_from_the_lake() -> None:
    earlier = EarlierRows(versions={"a": committed("old", 3)})
    found = decide([summary(2, text="new"), summary(1, text="old"), summary(3, text="new")], earlier, {}, unchanged)
    assert [(found["w", i].outcome, found["w", i].version) for i in (1, 2, 3)] == [("known", 3), ("published", 4), ("known", 4)]


def test_a_text_that_differs_only_by_the_code_is_no_version() -> None:
    earlier = EarlierRows(versions={"a": committed("as older code cleaned it")})
    assert decide([summary(1, text="t")], earlier, {}, lambda _: "t")["w", 1].outcome is Outcome.KNOWN


def test_the_first_committed_row_is_the_original_else_the_one_that_was_published_first() -> None:
    in_lake = Original((1, ("", NOON, "", 1)), "lake")
    earlier = EarlierRows(exact={"t": [in_lake]})
    assert decide([summary(1)], earlier, {}, unchanged)["w", 1].duplicate_of == "lake"
    first = summary(9, "early", published_at=NOON)
    found = decide([first, summary(5, "late"), summary(7, "near", "u")], EarlierRows(), {"u": [("t", 0.9)]}, unchanged)
    assert found["w", 9].outcome is Outcome.PUBLISHED
    assert (found["w", 5].duplicate_of, found["w", 5].duplicate_kind) == ("early", "exact")
    assert (found["w", 7].duplicate_of, found["w", 7].similarity) == ("early", 0.9)


def test_an_article_is_no_duplicate_of_itself_nor_of_what_was_quarantined() -> None:
    earlier = EarlierRows(exact={"t": [Original((1, ("", NOON, "", 1)), "a")]}, versions={"a": committed("s")})
    assert decide([summary(1)], earlier, {}, unchanged)["w", 1].outcome is Outcome.PUBLISHED
    found = decide([summary(1, "bad", quarantine_reason="language"), summary(2, "good")], EarlierRows(), {}, unchanged)
    assert found["w", 2].outcome is Outcome.PUBLISHED


def test_a_payload_is_known_only_while_its_version_is_the_latest() -> None:
    previous = EarlierOutcome("published", None, "a", 1)
    payloads = {("https://x/a", "sha1:1"): previous}
    assert (
        decide([summary(1)], EarlierRows(payloads=payloads, versions={"a": committed("s")}), {}, unchanged)["w", 1].outcome is Outcome.KNOWN
    )
    moved_on = EarlierRows(payloads=payloads, versions={"a": committed("s", 2)})
    assert decide([summary(1)], moved_on, {}, unchanged)["w", 1].version == 3


def test_a_revisit_is_what_its_capture_was() -> None:
    summaries = [
        summary(1),
        summary(2, None, "", is_revisit=True, refers_to=("w", 1)),
        summary(3, None, "", reason="hub"),
        summary(4, None, "", is_revisit=True, refers_to=("w", 3)),
        summary(5, None, "", is_revisit=True, refers_to=("earlier", 7)),
        summary(6, None, "", is_revisit=True, refers_to=("never", 0)),
        summary(7, None, "", is_revisit=True, kind="feed"),
    ]
    earlier = EarlierRows(captures={("earlier", 7): EarlierOutcome("duplicate", None, "z", 2)})
    found = [decide(summaries, earlier, {}, unchanged)["w", i] for i in range(1, 8)]
    assert [(one.outcome.value, one.reason, one.article_id) for one in found] == [
        ("published", None, "a"),
        ("known", None, "a"),
        ("rejected", "hub", None),
        ("rejected", "hub", None),
        ("known", None, "z"),
        ("rejected", "no_article", None),
        ("rejected", "feed", None),
    ]


records = st.builds(
    dict,
    article=st.sampled_from(["a", "b", "c", None]),
    text=st.sampled_from(["t", "u", "v"]),
    quarantine_reason=st.sampled_from([None, None, "language"]),
    is_revisit=st.booleans(),
    content_digest=st.sampled_from(["sha1:x", "sha1:y", "sha1:z"]),
    refers_to=st.one_of(st.none(), st.tuples(st.just("w"), st.integers(0, 20))),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(records, max_size=15), st.randoms(use_true_random=False))
def test_any_mix_of_records_adds_up(given_records: list[dict[str, object]], random: object) -> None:
    summaries = [summary(number, **record) for number, record in enumerate(given_records)]  # type: ignore[arg-type]
    earlier = EarlierRows(versions={"a": committed("t")}, exact={"t": [Original((1, ("", NOON, "", 1)), "a")]})
    near = {"v": [("u", 0.9)]}
    found = decide(summaries, earlier, near, unchanged)
    assert set(found) == {one.record_id for one in summaries}
    stored = [one for one in found.values() if one.outcome in {Outcome.PUBLISHED, Outcome.DUPLICATE}]
    assert max(Counter((one.article_id, one.version) for one in stored).values(), default=1) == 1
    originals = {one.article_id for one in stored if one.outcome is Outcome.PUBLISHED} | {"a"}
    assert all(one.duplicate_of in originals - {one.article_id} for one in stored if one.outcome is Outcome.DUPLICATE)
    assert all(one.reason for one in found.values() if one.outcome in {Outcome.REJECTED, Outcome.QUARANTINED})
    assert all(one.article_id for one in found.values() if one.outcome is not Outcome.REJECTED)
    shuffled = list(summaries)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert decide(shuffled, earlier, near, unchanged) == found
