"""A pytest in which other people's tests run, with the plugin in it."""

import pytest


@pytest.fixture
def pytester(pytester: pytest.Pytester) -> pytest.Pytester:
    """Runs pytest as a user does whose warnings are errors."""
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    return pytester
