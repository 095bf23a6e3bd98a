import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from foas_emulator import garbage
from foas_emulator.serving import uvicorn_servers
from foas_emulator.serving.crowds import Crowd


class Node:
    """Refers to itself, if told to."""

    other: "Node | None" = None


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """The collector of the tests, as it was."""
    before, thresholds, callbacks = gc.isenabled(), gc.get_threshold(), list(gc.callbacks)
    yield
    gc.unfreeze()
    assert gc.get_threshold() == thresholds
    assert gc.callbacks == callbacks
    (gc.enable if before else gc.disable)()


def is_watched(node: Node) -> bool:
    return any(each is node for each in gc.get_objects())


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


def test_what_is_frozen_is_never_counted_nor_looked_at_while_the_process_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both walk through everything: they hold the event loop for longer, the longer a server runs."""

    def refuse() -> int:
        raise AssertionError("it walks through everything")

    monkeypatch.setattr(gc, "get_freeze_count", refuse)
    monkeypatch.setattr(gc, "unfreeze", refuse)
    unraisable: list[object] = []
    monkeypatch.setattr("sys.unraisablehook", unraisable.append)  # what a callback of the collector raises goes there
    with garbage.in_steps() as steps:
        for minute in range(1, garbage.ENOUGH_STEPS + 2):
            gc.collect()
            steps.look_at_everything_if_idle(minute * 1.0, 0)
    assert unraisable == []


def test_a_circle_that_was_frozen_is_collected_once_the_process_is_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "ENOUGH_STEPS", 2)
    with garbage.in_steps() as steps:
        node = Node()
        node.other = node
        freed = weakref.ref(node)
        gc.collect()
        del node
        steps.look_at_everything_if_idle(0.5, 0)
        assert freed() is not None, "there were too few steps for circles to matter"
        gc.collect()
        steps.look_at_everything_if_idle(0.5, 1000)
        assert freed() is not None, "it answers many requests, and works little because it gets no processor"
        steps.look_at_everything_if_idle(0.5, 1010)
        assert freed() is None


@pytest.mark.parametrize(("kept", "is_collected"), [(0, True), (garbage.MANY, False)])
def test_what_is_garbage_beside_few_objects_is_not_frozen(kept: int, *, is_collected: bool) -> None:
    with garbage.in_steps():
        gc.collect()
        gc.disable()
        nodes = [Node() for _ in range(kept)]
        node = Node()
        node.other = node
        freed = weakref.ref(node)
        del node
        garbage.freeze_if_in_steps()
        gc.enable()
        gc.collect()
        assert (freed() is None) is is_collected
        assert len(nodes) == kept


def test_the_objects_of_many_small_documents_are_frozen_once_they_are_many() -> None:
    """Eighty seeds of 100 KB that came at the same time held the event loop for 0.2 seconds."""
    with garbage.in_steps() as steps:
        waiting: list[list[Node]] = []
        with patch.object(steps, "freeze", wraps=steps.freeze) as freeze:
            while not freeze.called:
                gc.disable()
                waiting.append([Node() for _ in range(garbage.MANY // 2)])
                garbage.freeze_if_in_steps()
                gc.collect(0)
                assert len(waiting) <= 8
        assert not is_watched(waiting[0][0])


def test_the_objects_of_a_process_that_collects_as_usual_are_not_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a test run with the emulator in a thread: that has a million, and each document would list them."""
    monkeypatch.setattr(gc, "get_objects", lambda _: pytest.fail("all objects are listed"))
    garbage.freeze_if_in_steps()


def test_the_frames_of_an_error_that_is_forgotten_keep_nothing() -> None:
    def refuse(node: Node) -> None:
        error = ValueError(node)
        try:
            raise error
        except ValueError:
            raise KeyError("it has a context") from None

    def answer() -> "weakref.ref[Node]":
        node = Node()
        try:
            refuse(node)
        except KeyError as error:
            garbage.forget_frames(error)
        return weakref.ref(node)

    gc.disable()
    assert answer()() is None
    gc.enable()


def test_a_server_has_everything_looked_at_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[tuple[float, int]] = []
    steps = garbage.Steps()
    monkeypatch.setattr(garbage.Steps, "look_at_everything_if_idle", lambda _, *given: looks.append(given))
    servers: list[uvicorn.Server] = []
    options: Any = {"crowd": Crowd(), "keep_alive": 1000, "steps": steps}
    config = uvicorn_servers.main_config(PlainTextResponse("served"), servers=servers, **options)
    servers += uvicorn.Server(config), uvicorn.Server(config)
    for each in servers:
        each.server_state.total_requests = 3
    assert config.timeout_notify == garbage.LOOK_EVERY_S

    async def notify() -> None:
        assert config.callback_notify is not None
        await config.callback_notify()

    asyncio.run(notify())
    ((worked, answered),) = looks
    assert worked > 0
    assert answered == 6
