"""The server that commands ask."""

from collections.abc import Iterator

import pytest

from foas_emulator.testing import Emulator


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """A server that requires a control token."""
    with Emulator(control_token="secret") as running:
        yield running
