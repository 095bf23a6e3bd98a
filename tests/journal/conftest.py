from collections.abc import Iterator

import pytest

from foas_emulator.world import slices
from tests.api import Api, open_api


@pytest.fixture
def api() -> Iterator[Api]:
    """An emulator of the test's own: coverage counts what every test before has called."""
    with open_api() as opened:
        yield opened


@pytest.fixture
def every_slice_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE_NS", -1)
