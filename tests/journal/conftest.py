from collections.abc import Iterator

import pytest

from tests.api import Api, open_api


@pytest.fixture
def api() -> Iterator[Api]:
    """An emulator of the test's own: coverage counts what every test before has called."""
    with open_api() as opened:
        yield opened
