import re
from collections.abc import Iterator

import pytest

from tests.running import Running, running


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """A server that listens; every test has a world of its own in it."""
    with running() as server:
        yield server


@pytest.fixture
def world(request: pytest.FixtureRequest) -> str:
    """A world that no other test uses."""
    return re.sub("[^a-z0-9_-]", "", request.node.name.lower().replace("[", "-"))[-64:].lstrip("-_")
