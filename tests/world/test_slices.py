import asyncio
import gc
import itertools

import pytest

from foas_emulator.world import slices
from foas_emulator.world.slices import in_slices


@pytest.mark.parametrize(("slice_ns", "served"), [(-1, 10), (10**12, 0)])
def test_others_are_served_whenever_a_slice_is_over(
    monkeypatch: pytest.MonkeyPatch, slice_ns: int, served: int
) -> None:
    monkeypatch.setattr(slices, "SLICE_NS", slice_ns)

    async def count_turns() -> tuple[list[int], int]:
        turns = 0

        async def take_turns() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        other = asyncio.ensure_future(take_turns())
        items = [item async for item in in_slices(range(10))]
        other.cancel()
        return items, turns

    assert asyncio.run(count_turns()) == (list(range(10)), served)


@pytest.mark.parametrize(("others", "longest"), [(0, 21), (1, 11), (9, 3), (99, 1)])
def test_works_that_are_under_way_at_once_share_the_time_of_a_slice(
    monkeypatch: pytest.MonkeyPatch, others: int, longest: int
) -> None:
    clock = itertools.count()
    monkeypatch.setattr(slices, "SLICE_NS", 20)
    monkeypatch.setattr(slices, "stopwatch", lambda: next(clock))
    under_way = [in_slices(range(2)) for _ in range(others)]

    async def count_items_of_each_slice() -> list[int]:
        for each in under_way:
            await anext(each)
        counts = [0]

        async def begin_to_count() -> None:
            while True:
                counts.append(0)
                await asyncio.sleep(0)

        other = asyncio.ensure_future(begin_to_count())
        async for _ in in_slices(range(60)):
            counts[-1] += 1
        other.cancel()
        return counts

    assert max(asyncio.run(count_items_of_each_slice())) == longest
    under_way.clear()
    gc.collect()
    assert len(slices._under_way) == 0
