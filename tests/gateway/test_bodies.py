"""Bodies that are held at the same time share a number of bytes, which they give back."""

import asyncio
from collections.abc import Awaitable, Callable
from sys import getrefcount

import pytest
from starlette.requests import ClientDisconnect
from starlette.types import Message

from foas_emulator.gateway import bodies
from foas_emulator.gateway.bodies import BodyTooLargeError, NoRoomError, Room, Taken

Receive = Callable[[], Awaitable[Message]]


def sending(*sizes: int, then: Message | None = None) -> Receive:
    """A client that sends pieces of these sizes; then it ends its body, or another message comes."""
    messages: list[Message] = [{"type": "http.request", "body": b"x" * size, "more_body": True} for size in sizes]
    messages.append(then or {"type": "http.request", "body": b"", "more_body": False})

    async def receive() -> Message:
        await asyncio.sleep(0)
        return messages.pop(0)

    return receive


def stalling(*sizes: int) -> Receive:
    """A client that sends pieces of these sizes and then nothing more."""
    sends = sending(*sizes)
    left = list(sizes)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        left.pop()
        return await sends()

    return receive


async def read(room: Room, receive: Receive, *, limit: int = 10**9, and_hold: asyncio.Event | None = None) -> int:
    """Read a body, hold it until an event, and return its size."""
    with Taken(room) as taken:
        pieces = await taken.read(receive, limit=limit)
        if and_hold is not None:
            await and_hold.wait()
        return sum(map(len, pieces))


@pytest.fixture(autouse=True)
def _no_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SMALL", 0)
    monkeypatch.setattr(bodies, "UNCOUNTED", 0)


def run(test: Callable[[Room], Awaitable[None]]) -> None:
    async def within_reason() -> None:
        room = Room(100)
        async with asyncio.timeout(10):
            await test(room)
        assert (room.size, room.arriving) == (0, {})

    asyncio.run(within_reason())


async def others_wait() -> None:
    """Let all other tasks go on as far as they can."""
    for _ in range(50):
        await asyncio.sleep(0)


async def given_up(*tasks: asyncio.Task[int]) -> list[bool]:
    """Whether each of these was given up for want of room; those that still read are stopped."""
    await others_wait()
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    return [isinstance(each, NoRoomError) for each in ended]


def test_the_body_whose_latest_piece_is_the_oldest_makes_room_for_others() -> None:
    async def test(room: Room) -> None:
        stalled = [asyncio.ensure_future(read(room, stalling(30))) for _ in range(3)]
        await others_wait()
        assert await read(room, sending(20, 20, 20)) == 60
        assert await given_up(*stalled) == [True, True, False]

    run(test)


def test_a_body_is_as_recent_as_its_latest_piece() -> None:
    async def test(room: Room) -> None:
        pieces: asyncio.Queue[Message] = asyncio.Queue()
        for size in (20, 20):
            pieces.put_nowait({"type": "http.request", "body": b"x" * size, "more_body": True})
        first = asyncio.ensure_future(read(room, pieces.get))
        second = asyncio.ensure_future(read(room, stalling(50)))
        await others_wait()
        pieces.put_nowait({"type": "http.request", "body": b"x", "more_body": True})
        await others_wait()
        assert await read(room, sending(10)) == 10
        assert await given_up(first, second) == [False, True]

    run(test)


def test_bodies_that_are_complete_keep_their_room_and_others_are_refused() -> None:
    async def test(room: Room) -> None:
        enough = asyncio.Event()
        held = asyncio.ensure_future(read(room, sending(60), and_hold=enough))
        await others_wait()
        with pytest.raises(NoRoomError):
            await read(room, sending(41))
        assert await read(room, sending(40)) == 40
        enough.set()
        assert await held == 60

    run(test)


def test_a_body_alone_may_be_larger_than_the_room() -> None:
    async def test(room: Room) -> None:
        stalled = asyncio.ensure_future(read(room, stalling(30)))
        await others_wait()
        assert await read(room, sending(100, 900)) == 1000
        assert await given_up(stalled) == [True]

    run(test)


def test_a_small_body_is_read_whatever_complete_ones_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SMALL", 10)

    async def test(room: Room) -> None:
        enough = asyncio.Event()
        held = [asyncio.ensure_future(read(room, sending(50), and_hold=enough)) for _ in range(2)]
        await others_wait()
        arriving = [asyncio.ensure_future(read(room, stalling(10))) for _ in range(2)]
        await others_wait()
        assert await read(room, sending(5, 5)) == 10
        with pytest.raises(NoRoomError):
            await read(room, sending(11))
        assert not any(await given_up(*arriving)), "it would not be enough"
        enough.set()
        assert await asyncio.gather(*held) == [50, 50]

    run(test)


def test_small_bodies_that_stall_make_room_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SMALL", 10)

    async def test(room: Room) -> None:
        small = [asyncio.ensure_future(read(room, stalling(10))) for _ in range(12)]
        await others_wait()
        assert room.size == room.limit
        assert await read(room, sending(11)) == 11
        assert await given_up(*small) == [True] * 4 + [False] * 8

    run(test)


def test_bodies_of_a_few_bytes_take_no_room_since_thousands_would_be_given_up_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "UNCOUNTED", 10)

    async def test(room: Room) -> None:
        tiny = [asyncio.ensure_future(read(room, stalling(5, 5))) for _ in range(12)]
        grown = asyncio.ensure_future(read(room, stalling(10, 10)))
        await others_wait()
        assert (room.size, len(room.arriving)) == (20, 1)
        assert await read(room, sending(90)) == 90
        assert await given_up(*tiny, grown) == [*[False] * 12, True]

    run(test)


def test_small_pieces_are_joined_since_each_takes_far_more_memory_than_its_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bodies, "SMALL", 10)

    async def test(room: Room) -> None:
        with Taken(room) as taken:
            pieces = await taken.read(sending(*[2] * 17, 30, 1), limit=100)
        assert [*map(len, pieces)] == [10, 10, 10, 34, 1]

    run(test)


def test_a_piece_that_comes_as_its_body_is_given_up_takes_no_room() -> None:
    async def test(room: Room) -> None:
        pieces: asyncio.Queue[Message] = asyncio.Queue()
        piece = {"type": "http.request", "body": b"x" * 60, "more_body": True}
        pieces.put_nowait(piece)
        first = asyncio.ensure_future(read(room, pieces.get))
        await others_wait()
        pieces.put_nowait(piece)
        with Taken(room) as second:
            await second.read(sending(60), limit=100)
            assert room.size == 60
            assert await given_up(first) == [True]

    run(test)


def test_a_body_that_is_too_large_or_never_ends_is_told_and_gives_its_room_back() -> None:
    async def test(room: Room) -> None:
        with pytest.raises(BodyTooLargeError):
            await read(room, sending(30, 1), limit=30)
        with pytest.raises(ClientDisconnect):
            await read(room, sending(30, then={"type": "http.disconnect"}))

    run(test)


def test_an_error_of_the_connection_is_not_taken_for_want_of_room() -> None:
    async def timed_out() -> Message:
        raise TimeoutError("Connection timed out")

    async def test(room: Room) -> None:
        with pytest.raises(TimeoutError, match="Connection timed out"):
            await read(room, timed_out)

    run(test)


def test_a_piece_is_held_once_while_the_next_one_is_awaited() -> None:
    piece = bytes(1000)
    holders: list[int] = []

    async def receive() -> Message:
        holders.append(getrefcount(piece))
        return {"type": "http.request", "body": piece if len(holders) == 1 else b"", "more_body": len(holders) == 1}

    async def test(room: Room) -> None:
        assert await read(room, receive) == len(piece)

    run(test)
    assert holders[0] == holders[1]
