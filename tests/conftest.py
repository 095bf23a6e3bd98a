"""Fixtures that every test may use: an emulator in this process, over both formats and both kinds of store."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api import Api, open_api


@pytest.fixture(params=["json", "xml"])
def wire_format(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["memory", "file"])
def data_dir(request: pytest.FixtureRequest, tmp_path: Path) -> Path | None:
    return tmp_path / "worlds" if request.param == "file" else None


@pytest.fixture
def api(wire_format: str, data_dir: Path | None) -> Iterator[Api]:
    """An emulator whose default world is empty."""
    with open_api(wire_format=wire_format, data_dir=data_dir, seed=("empty",)) as opened:
        yield opened


@pytest.fixture
def seeded_api(wire_format: str, data_dir: Path | None) -> Iterator[Api]:
    """An emulator whose default world holds the default seed."""
    with open_api(wire_format=wire_format, data_dir=data_dir) as opened:
        yield opened
