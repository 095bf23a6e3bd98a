import gc
import sys
import weakref
from collections.abc import Iterator

import pytest

from foas_emulator import garbage


class Node:
    """Refers to itself, if told to."""

    other: "Node | None" = None


@pytest.fixture(autouse=True)
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The collector of the tests, as it was; they may have made more objects than an emulator ever has."""
    monkeypatch.setattr(garbage, "MOST_FROZEN", sys.maxsize)
    before, thresholds, callbacks = gc.isenabled(), gc.get_threshold(), list(gc.callbacks)
    yield
    gc.unfreeze()
    assert gc.get_threshold() == thresholds
    assert gc.callbacks == callbacks
    (gc.enable if before else gc.disable)()


def is_watched(node: Node) -> bool:
    return any(each is node for each in gc.get_objects())


def counts_noted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What counting all frozen objects will have answered, time after time: that there are none."""
    noted: list[int] = []

    def count() -> int:
        noted.append(0)
        return 0

    monkeypatch.setattr(gc, "get_freeze_count", count)
    return noted


def test_what_was_looked_at_once_is_not_looked_at_again() -> None:
    with garbage.in_steps():
        node = Node()
        assert is_watched(node)
        gc.collect()
        assert not is_watched(node)


def test_what_is_frozen_is_freed_when_nobody_refers_to_it() -> None:
    with garbage.in_steps():
        node = Node()
        freed = weakref.ref(node)
        gc.collect()
        del node
        assert freed() is None


def test_a_circle_is_collected_also_one_that_was_frozen_once_very_much_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "MOST_FROZEN", 0)
    with garbage.in_steps():
        node = Node()
        node.other = node
        freed = weakref.ref(node)
        gc.freeze()
        del node
        gc.collect()
        assert freed() is not None
        gc.collect()
        assert freed() is None


def test_what_is_frozen_is_not_counted_while_it_cannot_be_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = counts_noted(monkeypatch)
    with garbage.in_steps():
        node = Node()
        gc.collect()
        gc.collect()
        assert not is_watched(node)
        assert not counted


def test_what_is_frozen_is_counted_when_it_could_be_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = counts_noted(monkeypatch)
    monkeypatch.setattr(garbage, "MOST_FROZEN", 1)
    with garbage.in_steps():
        node = Node()
        gc.collect()
        assert counted
        assert not is_watched(node)
