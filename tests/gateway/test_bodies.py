"""Bodies that are held at the same time share a number of bytes, which they give back."""

import pytest

from foas_emulator.gateway import bodies
from foas_emulator.gateway.bodies import Room, Taken


def test_bodies_take_a_limited_room_together_and_give_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "SMALL", 0)
    room = Room(100)
    with Taken(room) as first:
        assert first.take(60)
        with Taken(room) as second:
            assert not second.take(41)
        with Taken(room) as third:
            assert third.take(40)
    assert room.size == 0


def test_a_small_body_is_read_whatever_others_hold_and_a_large_one_if_they_hold_nothing() -> None:
    room = Room(100)
    with Taken(room) as large, Taken(room) as small:
        assert large.take(1000 + bodies.SMALL)
        assert small.take(bodies.SMALL)
        assert not small.take(1)
