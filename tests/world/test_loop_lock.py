import asyncio

import pytest

from foas_emulator.world.loop_lock import LoopLock


def test_tasks_take_turns_in_each_of_several_event_loops() -> None:
    lock = LoopLock()
    most: list[int] = []
    at_work: set[int] = set()

    async def work(number: int) -> None:
        async with lock:
            at_work.add(number)
            most.append(len(at_work))
            await asyncio.sleep(0)
            at_work.remove(number)

    async def crowd() -> None:
        await asyncio.gather(*(work(number) for number in range(3)))

    for _ in range(2):
        asyncio.run(crowd())
    assert most == [1] * 6


def test_a_turn_ends_with_an_error_or_a_task_that_is_cancelled() -> None:
    lock = LoopLock()
    assert not lock.locked()

    async def fail() -> None:
        async with lock:
            assert lock.locked()
            raise ZeroDivisionError

    async def leave() -> None:
        with pytest.raises(ZeroDivisionError):
            await fail()
        async with lock:
            waiting = asyncio.create_task(fail())
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(leave())
    assert not lock.locked()
