"""When unused worlds expire."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import pytest

from foas_emulator.world import expiry
from foas_emulator.world.expiry import EXPIRE_AT_ONCE, Expiry, least_recently_used
from foas_emulator.world.names import DEFAULT
from foas_emulator.world.slices import SLICE_NS
from foas_emulator.world.world import World

MS = 1_000_000


@dataclass
class Used:
    """What a world knows of its use."""

    name: str
    last_used: int
    is_in_use: bool = False


class Worlds(list[World]):
    """Worlds that count how often they are looked through."""

    looks = 0

    def __iter__(self) -> Iterator[World]:
        self.looks += 1
        return super().__iter__()


def worlds(*used: Used) -> Worlds:
    return Worlds(cast("list[World]", list(used)))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The stopwatch: one number, in nanoseconds."""
    now = [0]
    monkeypatch.setattr(expiry, "stopwatch", lambda: now[0])
    return now


def test_a_world_goes_when_it_was_idle_for_the_time(clock: list[int]) -> None:
    there = worlds(Used("alice", 5 * MS), Used("bob", 6 * MS))
    looking = Expiry(10)
    for now, due in ((15 * MS - 1, []), (15 * MS, ["alice"]), (16 * MS, ["alice", "bob"])):
        clock[0] = now
        assert [world.name for world in looking.due(there)] == due


def test_nobody_is_looked_at_before_the_next_can_be_due(clock: list[int]) -> None:
    there = worlds(Used("alice", 5 * MS), Used("bob", 3 * MS))
    looking = Expiry(10)
    assert list(looking.due(there)) == []
    looks = there.looks
    clock[0] = 13 * MS - 1
    assert list(looking.due(there)) == []
    assert there.looks == looks
    clock[0] = 13 * MS
    assert [world.name for world in looking.due(there)] == ["bob"]


def test_where_there_is_no_world_the_next_look_is_after_the_time(clock: list[int]) -> None:
    looking = Expiry(10)
    nobody = worlds()
    assert list(looking.due(nobody)) == []
    looks = nobody.looks
    clock[0] = 10 * MS - 1
    assert list(looking.due(nobody)) == []
    assert nobody.looks == looks
    clock[0] = 10 * MS
    assert list(looking.due(nobody)) == []
    assert nobody.looks > looks


def test_what_is_too_much_at_once_is_due_at_the_next_look(clock: list[int]) -> None:
    there = worlds(*(Used(f"w{number}", 0) for number in range(EXPIRE_AT_ONCE + 1)))
    looking = Expiry(10)
    clock[0] = 10 * MS
    due = list(looking.due(there))
    assert len(due) == EXPIRE_AT_ONCE
    rest = Worlds(world for world in there if world not in due)
    assert len(list(looking.due(rest))) == 1


def test_what_takes_too_long_at_once_is_due_at_the_next_look(clock: list[int]) -> None:
    there = worlds(*(Used(f"w{number}", 0) for number in range(5)))
    looking = Expiry(10)
    clock[0] = 10 * MS
    while there:
        dropped = []
        for world in looking.due(there):
            clock[0] += SLICE_NS * 3 // 4
            dropped.append(world)
        assert len(dropped) == min(2, len(there))
        there = Worlds(world for world in there if world not in dropped)


def test_some_are_due_also_where_it_takes_long_to_look_for_them(clock: list[int]) -> None:
    class Many(list[World]):
        def __iter__(self) -> Iterator[World]:
            clock[0] += SLICE_NS * 2
            return super().__iter__()

    clock[0] = 10 * MS
    assert [world.name for world in Expiry(10).due(Many(worlds(Used("alice", 0))))] == ["alice"]


@pytest.mark.parametrize("kept", [Used(DEFAULT, 0), Used("alice", 0, is_in_use=True)])
def test_the_default_world_and_those_in_use_stay(clock: list[int], kept: Used) -> None:
    there = worlds(kept, Used("bob", 1))
    clock[0] = 100 * MS
    assert [world.name for world in Expiry(10).due(there)] == ["bob"]
    assert least_recently_used(there) is there[1]
    assert least_recently_used(worlds(kept)) is None


def test_without_a_time_no_world_goes(clock: list[int]) -> None:
    clock[0] = 10**18
    there = worlds(Used("alice", 0))
    assert list(Expiry(0).due(there)) == []
    assert there.looks == 0
