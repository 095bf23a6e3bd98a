import asyncio

import pytest

from foas_emulator.world.advance import advance_by, advance_to, advance_to_next, advance_until_idle, set_clock
from foas_emulator.world.world import World
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
