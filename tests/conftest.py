"""Fixtures that every test may use: an emulator in this process, in both formats and with both kinds of store."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Made with a library in C, which cannot be loaded a second time: a pytest inside of a test forgets what it has loaded.
import foas_emulator.serving.certificates  # noqa: F401
from foas_emulator.testing import Emulator
from tests.api import Api, open_api
from tests.machine_clock import machine_clock
from tests.surroundings import forget

__all__ = ["machine_clock"]

forget()
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in what a shell has put in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # or what tests start would ignore it, too

# A busy machine is no fault of the code, and what fails must fail again: `make fuzz` is for requests that are new.
settings.register_profile("emulator", deadline=None, derandomize=True)
settings.load_profile("emulator")

Emulators = Callable[[str, str], Api]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a file on one worker, which makes its fixtures once, and begin with the long groups."""
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group("/".join(item.path.parts[-2:])))


@pytest.fixture(params=["memory", "file"])
def store_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def wire_format(store_kind: str) -> str:
    """Another for each kind of store: no store knows of formats, nor a format of stores, so two of four pairs do."""
    return {"memory": "json", "file": "xml"}[store_kind]


@pytest.fixture
def data_dir(store_kind: str, tmp_path: Path) -> Path | None:
    """Where worlds are kept in files, or None where they live in memory."""
    return tmp_path / "worlds" if store_kind == "file" else None


@pytest.fixture(scope="session")
def emulators(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulators]:
    """One emulator for each kind of store and each seed; who takes one gets its default world as it began."""
    with ExitStack() as stack:

        @cache
        def emulator(store_kind: str, seed: str) -> Api:
            data_dir = tmp_path_factory.mktemp("worlds") if store_kind == "file" else None
            return stack.enter_context(open_api(data_dir=data_dir, seed=(seed,)))

        yield emulator


@pytest.fixture
def api(emulators: Emulators, wire_format: str, store_kind: str) -> Api:
    """An emulator whose default world is empty."""
    return _afresh(emulators(store_kind, "empty"), wire_format)


@pytest.fixture
def seeded_api(emulators: Emulators, wire_format: str, store_kind: str) -> Api:
    """An emulator whose default world holds the default seed."""
    return _afresh(emulators(store_kind, "default"), wire_format)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """A server in a thread of this process."""
    with Emulator() as running:
        yield running


def _afresh(emulator: Api, wire_format: str) -> Api:
    emulator.registry.reset("default")
    # Stands still, so that no second ends in the middle of a test.
    with emulator.world.transaction():
        emulator.world.clock.set(mode="frozen", now=emulator.world.now())
    return Api(emulator.registry, emulator.app, wire_format)


@pytest.fixture
def json_written(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of all texts that `json.dumps` has returned, so that a test sees what is written in one go."""
    lengths: list[int] = []
    dumps = json.dumps

    def watched(value: Any, **options: Any) -> str:
        text = dumps(value, **options)
        lengths.append(len(text))
        return text

    monkeypatch.setattr(json, "dumps", watched)
    return lengths
