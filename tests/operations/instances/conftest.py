import pytest

from tests.api import Api


@pytest.fixture
def running(p: Api) -> Api:
    """The job that the file's `p` has is running."""
    p.ok("StartJob", projectName="p", jobName="j")
    return p
