from collections.abc import Iterator

import pytest

from tests.api import Api, open_api


@pytest.fixture
def served() -> Iterator[Api]:
    """An emulator of the test's own: what was called before is not in its cache."""
    with open_api() as opened:
        yield opened
