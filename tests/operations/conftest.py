"""What most groups of operations begin with."""

import pytest

from tests.api import Api
from tests.operations import building


@pytest.fixture
def p(api: Api) -> Api:
    """The project `p` can have jobs, and has none."""
    building.project_with_queue(api, "p")
    return api
