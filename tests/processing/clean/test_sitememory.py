"""Site memory: blocks that recur on distinct URLs are removed, blocks of the article stay."""

from datetime import UTC, datetime, timedelta

import pytest

from processing.clean import block_occurrences as occurrences
from processing.clean.identity import BUCKETS, bucket_of
from processing.clean.memory_file import read_memory, write_memory
from processing.clean.site_memory import SiteMemory
from schemas.article import Block, BlockKind
from schemas.config.settings import Settings
from storage.objects.open import open_store

WHEN = datetime(2026, 11, 1, tzinfo=UTC)
PROMPT = Block(BlockKind.PARAGRAPH, "Click the alert icon to follow topics:")


def story(number: int) -> list[Block]:
    return [
        Block(BlockKind.PARAGRAPH, f"Story {number} opens with a sentence of its own about the harbour's {number} new cranes."),
        Block(BlockKind.PARAGRAPH, f"It goes on with another one, in which {number} dockers say what they think of them at length."),
        PROMPT,
    ]


def learned(pages: int, when: datetime = WHEN) -> SiteMemory:
    memory = SiteMemory()
    for number in range(pages):
        memory.learn("news.example", f"https://news.example/{number}", story(number), when)
    return memory


def test_a_recurring_block_is_boilerplate_from_the_third_url() -> None:
    assert learned(2).clean("news.example", "https://news.example/0", story(0)) == (tuple(story(0)), ())
    kept, boilerplate = learned(3).clean("news.example", "https://news.example/0", story(0))
    assert boilerplate == (PROMPT,)
    assert kept == tuple(story(0)[:2])


def test_the_same_url_again_is_no_evidence() -> None:
    memory = SiteMemory()
    for day in range(5):
        memory.learn("news.example", "https://news.example/0", story(0), WHEN + timedelta(days=day))
    assert memory.clean("news.example", "https://news.example/0", story(0))[1] == ()


def test_other_hosts_are_no_evidence() -> None:
    assert learned(5).clean("other.example", "https://other.example/0", story(0))[1] == ()


def test_the_order_of_learning_does_not_matter_and_arrow_keeps_all() -> None:
    forwards, backwards = SiteMemory(), SiteMemory()
    for number in range(12):
        forwards.learn("news.example", f"https://news.example/{number}", story(number), WHEN + timedelta(days=number))
        backwards.learn("news.example", f"https://news.example/{11 - number}", story(11 - number), WHEN + timedelta(days=11 - number))
    assert forwards.to_arrow().equals(backwards.to_arrow())
    assert SiteMemory.from_arrow(forwards.to_arrow()).to_arrow().equals(forwards.to_arrow())


def test_merging_twice_changes_nothing() -> None:
    memory = learned(2)
    other = SiteMemory()
    other.learn("news.example", "https://news.example/9", story(9), WHEN)
    memory.merge(other)
    once = memory.to_arrow()
    memory.merge(other)
    assert memory.to_arrow().equals(once)
    assert memory.clean("news.example", "https://news.example/9", story(9))[1] == (PROMPT,)


def test_blocks_that_left_the_site_are_forgotten() -> None:
    memory = learned(3)
    for number in range(10, 13):
        memory.learn("news.example", f"https://news.example/{number}", story(number)[:2], WHEN + timedelta(days=200))
    assert memory.clean("news.example", "https://news.example/14", story(14))[1] == ()


def test_a_copy_of_a_page_at_another_url_survives() -> None:
    memory = learned(3)
    for copy in range(4):
        memory.learn("news.example", f"https://news.example/1?copy={copy}", story(1), WHEN)
    assert memory.clean("news.example", "https://news.example/1", story(1))[0] != ()


def test_a_recurring_heading_over_own_prose_survives() -> None:
    heading = Block(BlockKind.HEADING, "Background", 2)
    memory = SiteMemory()
    for number in range(4):
        memory.learn("news.example", f"https://news.example/{number}", [heading, *story(number), heading], WHEN)
    own = Block(BlockKind.PARAGRAPH, "What came before is told here at some length, as nobody can be expected to remember it after a year.")
    kept, boilerplate = memory.clean("news.example", "https://news.example/0", [own, heading, own, PROMPT, heading])
    assert kept == (own, heading, own)
    assert boilerplate == (PROMPT, heading)


def placed(containers: list[str | None], when: datetime = WHEN, memory: SiteMemory | None = None) -> SiteMemory:
    memory = memory or SiteMemory()
    for number, container in enumerate(containers):
        memory.learn("news.example", f"https://news.example/{number}", story(number), when, container)
    return memory


def test_a_container_is_the_hosts_from_the_third_url() -> None:
    assert placed(["div.body"] * 2).containers("news.example") == ()
    assert placed(["div.body", "div.body", "main", None, "div.body"]).containers("news.example") == ("div.body",)
    assert placed(["div.live"] * 3 + ["div.body"] * 4).containers("news.example") == ("div.body", "div.live")
    assert placed(["div.body"] * 3).containers("other.example") == ()


def test_an_article_in_another_container_has_less_confidence() -> None:
    memory = placed(["div.body"] * 3 + ["main.x"])
    assert memory.adjusted_confidence("news.example", "div.body", 0.9) == memory.adjusted_confidence("news.example", None, 0.9) == 0.9
    assert memory.adjusted_confidence("news.example", "main.x", 0.9) == 0.72
    assert memory.adjusted_confidence("other.example", "main.x", 0.9) == 0.9


def test_a_new_template_takes_the_place_of_the_old_one() -> None:
    memory = placed(["div.old"] * 4)
    assert memory.containers("news.example") == ("div.old",)
    placed(["div.new"] * 3, WHEN + timedelta(days=1), memory)  # the same pages again
    assert memory.containers("news.example") == ("div.new",)
    for number in range(10, 13):
        later = WHEN + timedelta(days=200)
        memory.learn("news.example", f"https://news.example/{number}", story(number), later, "div.last")
    assert memory.containers("news.example") == ("div.last",)


def test_containers_are_stored_and_merged() -> None:
    memory = placed(["div.body"] * 3)
    memory.merge(placed(["div.older"] * 5, WHEN - timedelta(days=1)))
    again = SiteMemory.from_arrow(memory.to_arrow())
    assert again.to_arrow().equals(memory.to_arrow())
    assert again.containers("news.example") == memory.containers("news.example") == ("div.body",)
    before = memory.to_arrow().drop_columns(["container"])
    assert SiteMemory.from_arrow(before).containers("news.example") == ()


def test_an_empty_memory_is_an_empty_table() -> None:
    assert SiteMemory().to_arrow().num_rows == 0
    assert SiteMemory.from_arrow(SiteMemory().to_arrow()).to_arrow().num_rows == 0


def test_a_memory_in_the_store_is_the_same_bucket_by_bucket(sqlite_settings: Settings) -> None:
    store = open_store(sqlite_settings)
    bucket = bucket_of("news.example")

    def memories(times: int) -> list[SiteMemory]:
        found = [SiteMemory() if times == 0 else read_memory(store, f"memory/{times}", place) for place in range(BUCKETS)]
        for page in range(3):
            found[bucket].learn("news.example", f"https://news.example/{times}/{page}", story(page), WHEN + timedelta(days=times))
        return found

    for times in range(3):
        learned_now = memories(times)
        write_memory(store, f"memory/{times + 1}", learned_now)
        kept = read_memory(store, f"memory/{times + 1}", bucket)
        assert kept.to_arrow().equals(learned_now[bucket].to_arrow())
        assert kept.to_arrow().num_rows == 3 * (times + 1) + 6 * (times + 1) + min(3 * (times + 1), 8), "pages, own blocks, prompt"
    assert read_memory(store, "memory/3", (bucket + 1) % BUCKETS).to_arrow().num_rows == 0


def test_a_host_keeps_its_latest_pages_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(occurrences, "MAX_PAGES", 3)
    monkeypatch.setattr(occurrences, "MAX_PENDING", 4)
    memory = SiteMemory()
    for number in range(9):
        memory.learn("news.example", f"https://news.example/{number}", story(number), WHEN + timedelta(days=number))
    rows = memory.to_arrow()
    assert rows.num_rows == 3 + 3 * 3
    assert set(rows["seen"].to_pylist()) == {WHEN + timedelta(days=number) for number in (6, 7, 8)}
