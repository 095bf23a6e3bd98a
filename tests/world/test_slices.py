import asyncio

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
