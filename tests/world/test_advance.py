import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from foas_emulator.world.advance import (
    SLICE,
    advance_by,
    advance_to,
    advance_to_next,
    advance_until_idle,
    held,
    set_clock,
    settle,
)
from foas_emulator.world.clock import ClockIsAheadError, ClockRangeError, Mode
from foas_emulator.world.instants import LAST_INSTANT
from foas_emulator.world.registry import Registry
from foas_emulator.world.store import StoreClosedError
from foas_emulator.world.world import LONGEST_SLICE, World
from tests.machine_clock import MachineClock
from tests.world.conftest import rung


@pytest.fixture
def frozen(world: World) -> World:
    """A world that stands at 0; a bell there rings at 100 and 300, another at 200 and, because of that, at 250."""
    asyncio.run(set_clock(world, mode="frozen", now=0))
    with world.transaction():
        world.schedule("ring", "bell:a", at=100)
        world.schedule("ring", "bell:b", at=200, again=50)
        world.schedule("ring", "bell:a", at=300)
    return world


def test_setting_a_clock_brings_about_what_is_due_by_then(frozen: World) -> None:
    assert [change.at for change in asyncio.run(set_clock(frozen, mode="frozen", now=220))] == [100, 200]
    assert frozen.now() == 220


def test_advancing_by_an_amount(frozen: World) -> None:
    assert [change.at for change in asyncio.run(advance_by(frozen, 99))] == []
    assert [change.at for change in asyncio.run(advance_by(frozen, 1))] == [100]
    assert frozen.now() == 100


def test_advancing_to_an_instant(frozen: World) -> None:
    assert [change.at for change in asyncio.run(advance_to(frozen, 1000))] == [100, 200, 250, 300]
    assert frozen.now() == 1000


def test_advancing_to_the_next_change_stops_there(frozen: World) -> None:
    seen = [[change.at for change in asyncio.run(advance_to_next(frozen))] for _ in range(5)]
    assert seen == [[100], [200], [250], [300], []]
    assert frozen.now() == 300


def test_advancing_until_idle_leaves_nothing_pending(frozen: World) -> None:
    assert [change.at for change in asyncio.run(advance_until_idle(frozen))] == [100, 200, 250, 300]
    assert frozen.now() == 300
    assert frozen.next_due is None
    assert len(rung(frozen)) == 4


def test_a_running_clock_goes_on_running(world: World) -> None:
    before = world.now()
    asyncio.run(advance_by(world, 60_000))
    assert world.clock.mode == "real"
    assert world.clock.offset_ms == 60_000
    assert world.now() >= before + 60_000


def test_a_clock_stays_where_it_was_if_a_change_fails(frozen: World) -> None:
    with frozen.transaction():
        frozen.schedule("fall", "vase:blue", at=150)
    with pytest.raises(RuntimeError, match="it broke"):
        asyncio.run(advance_to(frozen, 1000))
    assert frozen.now() == 0
    assert rung(frozen) == []


def plan_bells(world: World, count: int, *, apart: int) -> None:
    asyncio.run(set_clock(world, mode="frozen", now=0))
    with world.transaction():
        for number in range(count):
            world.schedule("ring", f"bell:{number}", at=100 + number * apart)


def statements_of_an_advance(world: World, count: int) -> int:
    plan_bells(world, count, apart=0)
    statements: list[str] = []
    world.store._raw.set_trace_callback(statements.append)
    assert len(asyncio.run(advance_by(world, 100))) == count
    world.store._raw.set_trace_callback(None)
    return len(statements)


def test_the_work_of_an_advance_grows_with_the_number_of_changes(registry: Registry) -> None:
    few, many = (
        statements_of_an_advance(registry.open_or_create(name), count)
        for name, count in (("few", SLICE), ("many", 10 * SLICE))
    )
    assert many <= 10 * few


def test_no_statement_of_an_advance_looks_at_every_pending_change(world: World) -> None:
    plans = []
    for statement in (
        "SELECT * FROM pending_changes WHERE at <= 1 ORDER BY at, sequence",
        "DELETE FROM pending_changes WHERE subject IS 'bell:1'",
        "DELETE FROM pending_changes WHERE subject IS 'bell:1' AND event IS 'ring'",
        "DELETE FROM pending_changes WHERE sequence IS 1",
        "SELECT min(at) FROM pending_changes",
    ):
        plans += [row[3] for row in world.store._raw.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert all(plan.startswith("SEARCH") for plan in plans), plans


@pytest.mark.parametrize("apart", [0, 1])
@pytest.mark.parametrize("until", ["amount", "idle"])
def test_others_are_served_between_the_slices_of_an_advance(world: World, apart: int, until: str) -> None:
    """Whoever enters this world meanwhile finds nothing due, and a clock that fits what has happened."""
    plan_bells(world, 4 * SLICE, apart=apart)
    seen: list[tuple[int, int]] = []

    async def look() -> None:
        while len(rung(world)) < 4 * SLICE:
            await settle(world)
            assert world.is_settled
            seen.append((world.clock.peek(), len(rung(world))))
            await asyncio.sleep(0)

    async def both() -> int:
        looking = asyncio.create_task(look())
        await asyncio.sleep(0)
        changes = await (advance_until_idle(world) if until == "idle" else advance_by(world, 100_000))
        await looking
        return len(changes)

    assert asyncio.run(both()) == 4 * SLICE, "the mover is told of all of them"
    assert seen[0] == (0, 0)
    for at, count in seen:
        due = 0 if at < 100 else 4 * SLICE if apart == 0 else min(4 * SLICE, at - 100 + 1)
        assert count == due
    if apart:
        assert len(seen) > 3


async def _to_an_instant_before(world: World) -> None:
    with pytest.raises(ClockIsAheadError):
        await advance_to(world, 10_000)


@pytest.mark.parametrize(
    "other",
    [lambda world: set_clock(world, mode="frozen"), advance_to_next, _to_an_instant_before],
    ids=["freeze", "next", "to"],
)
def test_a_move_that_waits_for_another_starts_where_that_has_come_to(
    world: World, other: Callable[[World], Any]
) -> None:
    asyncio.run(set_clock(world, mode="frozen", now=0))
    plan_bells(world, 3 * SLICE, apart=1)

    async def both() -> None:
        advancing = asyncio.create_task(advance_by(world, 100_000))
        await asyncio.sleep(0)
        assert world.settling.locked()
        await other(world)
        await advancing

    asyncio.run(both())
    assert world.clock.peek() == 100_000


@pytest.mark.parametrize("waiting", [settle, lambda world: advance_by(world, 1)], ids=["settle", "advance"])
def test_nobody_else_changes_a_world_that_is_held(world: World, waiting: Callable[[World], Any]) -> None:
    """Also not those who began to move its clock before, or have waited longer."""
    asyncio.run(set_clock(world, mode="frozen", now=0))
    plan_bells(world, 3 * SLICE, apart=1)

    async def hold() -> None:
        async with held(world):
            assert len(rung(world)) == 3 * SLICE, "the move had begun before"
            before = world.store.revision
            others.append(asyncio.create_task(waiting(world)))
            for _ in range(20):
                await asyncio.sleep(0)
            assert world.store.revision is before
            assert not others[-1].done()
            assert world.is_in_use
            raise ZeroDivisionError

    others: list[asyncio.Task[Any]] = []

    async def both() -> None:
        others.append(asyncio.create_task(advance_by(world, 100_000)))
        await asyncio.sleep(0)
        others.append(asyncio.create_task(settle(world)))
        with pytest.raises(ZeroDivisionError):
            await hold()
        await asyncio.gather(*others)

    asyncio.run(both())
    assert not world.is_held
    assert not world.is_in_use


@pytest.mark.parametrize("move", [advance_until_idle, lambda world: advance_by(world, 100_000)])
def test_others_are_served_between_changes_that_take_long(
    world: World, monkeypatch: pytest.MonkeyPatch, move: Callable[[World], Any]
) -> None:
    plan_bells(world, 10, apart=0)
    used = itertools.count()
    monkeypatch.setattr("foas_emulator.world.world.processor_time", lambda: next(used) * LONGEST_SLICE * 1.1)
    seen: list[int] = []

    async def look() -> None:
        while len(rung(world)) < 10:
            seen.append(len(rung(world)))
            await asyncio.sleep(0)

    async def both() -> int:
        looking = asyncio.create_task(look())
        changes = await move(world)
        await looking
        return len(changes)

    assert asyncio.run(both()) == 10
    assert seen == list(range(1, 10)), "one change at a time"


def test_a_move_ends_with_an_error_if_its_world_is_dropped_meanwhile(registry: Registry) -> None:
    world = registry.open_or_create("gone")
    plan_bells(world, 3 * SLICE, apart=0)

    async def drop() -> None:
        registry.drop("gone")

    async def both() -> None:
        dropping = asyncio.create_task(drop())
        try:
            await advance_by(world, 100)
        finally:
            await dropping

    with pytest.raises(StoreClosedError):
        asyncio.run(both())
    assert rung(registry.open_or_create("gone")) == []


@pytest.mark.parametrize("mode", ["real", "frozen"])
def test_no_clock_passes_the_year_9999(world: World, mode: Mode) -> None:
    asyncio.run(set_clock(world, mode=mode, now=LAST_INSTANT - 1000))
    for move in (advance_by(world, 10_000), advance_to(world, LAST_INSTANT + 1), advance_by(world, -(10**15))):
        with pytest.raises(ClockRangeError):
            asyncio.run(move)
    assert LAST_INSTANT - 1000 <= world.now() <= LAST_INSTANT


def test_a_running_clock_stops_at_the_end_of_the_year_9999(world: World, machine_clock: MachineClock) -> None:
    asyncio.run(set_clock(world, mode="real", now=LAST_INSTANT - 1000))
    machine_clock.let_pass(5000)
    assert world.now() == LAST_INSTANT


@pytest.mark.parametrize("move", [advance_to_next, advance_until_idle])
def test_a_change_beyond_the_year_9999_is_never_reached(world: World, move: Callable[[World], Any]) -> None:
    asyncio.run(set_clock(world, mode="frozen", now=0))
    with world.transaction():
        world.schedule("ring", "nothing:a", at=LAST_INSTANT + 1)  # which could not be applied
    with pytest.raises(ClockRangeError):
        asyncio.run(move(world))
    assert world.now() == 0


@pytest.mark.parametrize("until", ["instant", "idle"])
def test_a_move_ends_with_an_error_if_its_world_begins_anew_meanwhile(registry: Registry, until: str) -> None:
    world = registry.open_or_create("alice")
    plan_bells(world, 3 * SLICE, apart=0)

    async def both() -> None:
        move = advance_until_idle(world) if until == "idle" else advance_by(world, 1000)
        moving = asyncio.ensure_future(move)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        registry.reset("alice")
        with pytest.raises(StoreClosedError, match="replaced or reset while its clock was moved"):
            await moving

    asyncio.run(both())
    assert world.clock.offset_ms == 0, "the world that has taken the place stands where it began"
    assert world.next_due is None
