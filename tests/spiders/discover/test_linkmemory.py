"""Links dealt with are passed over; what may mean something else elsewhere is not."""

from __future__ import annotations

from spiders.discover import link_memory as linkmemory
from spiders.discover.link_memory import LinkMemory


def unseen(memory: LinkMemory, base: str, *references: str) -> list[str]:
    left = list(memory.unseen(base, references))
    for _, key in left:
        memory.remember(key)
    return [reference for reference, _ in left]


def test_a_sites_own_links_are_looked_at_once() -> None:
    memory = LinkMemory()
    assert unseen(memory, "http://a.example/x/1", "/menu", "http://b.example/") == ["/menu", "http://b.example/"]
    assert unseen(memory, "http://a.example/y/2?q", "/menu", "http://b.example/", "/new") == ["/new"]
    assert unseen(memory, "https://a.example/y/2", "/menu") == ["/menu"]


def test_relative_links_belong_to_their_page() -> None:
    memory = LinkMemory()
    for base in ("http://a.example/x/1", "http://a.example/y/1", "http://a.example/y/2"):
        assert unseen(memory, base, "next", "?page=2") == ["next", "?page=2"]
    assert unseen(memory, "http://a.example/x/1", "next", "?page=2") == []


def test_what_is_forgotten_is_looked_at_again() -> None:
    memory = LinkMemory()
    many = [f"/{number}" for number in range(linkmemory.MAX_REMEMBERED * 3)]
    assert unseen(memory, "http://a.example/", *many) == many
    again = unseen(memory, "http://a.example/", *many)
    assert again
    assert len(again) < len(many)
