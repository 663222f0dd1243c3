"""Large bodies wait for room; nothing is counted twice, and nobody waits for ever."""

from __future__ import annotations

import asyncio

from spiders.download.body_memory_limit import BodyMemory


def test_large_bodies_wait_for_room_in_their_order() -> None:
    async def story() -> list[str]:
        memory, begun = BodyMemory(100), list[str]()

        async def body(name: str, size: int) -> None:
            await memory.acquire(size)
            begun.append(name)

        waiting = [asyncio.create_task(body(*one)) for one in (("a", 60), ("too large", 500), ("b", 30), ("given up", 10), ("c", 80))]
        await asyncio.sleep(0)
        assert begun == ["a"]
        waiting[3].cancel()
        memory.add_existing(5)  # what is there already has room in any case
        memory.release(60)
        memory.release(5)
        await asyncio.sleep(0)
        assert begun == ["a", "too large"]
        memory.release(500)
        await asyncio.sleep(0)
        assert begun == ["a", "too large", "b"]
        memory.release(30)
        await asyncio.gather(*waiting, return_exceptions=True)
        return begun

    assert asyncio.run(story()) == ["a", "too large", "b", "c"]
