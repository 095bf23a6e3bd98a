"""alibabacloud-tea-openapi: signature V3 with either of its hashes, answers as dictionaries."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.clients.builds import HERE
from tests.clients.sdk import Dialect, Sdk, make_the_step
from tests.clients.tour import TOUR, Refusal, Step

pytestmark = pytest.mark.xdist_group("clients-python-tea")


ALGORITHMS = {"python-tea": "ACS3-HMAC-SHA256", "tea-sm3": "ACS3-HMAC-SM3"}


class Tea(Dialect):
    name = "python-tea"
    exception = "ClientException"
    wrong_secret = replace(Dialect.wrong_secret, message="server CanonicalRequest is [GET\n")

    def __init__(self, name: str = name) -> None:
        self.name = name

    def exception_for(self, refusal: Refusal) -> str:
        """Whatever carries x-acs-retry-after is throttling to tea."""
        return "ThrottlingException" if refusal.code.startswith("Throttling") else self.exception


@pytest.fixture(scope="module", params=ALGORITHMS)
def dialect(request: pytest.FixtureRequest) -> Tea:
    return Tea(request.param)


@pytest.fixture(scope="module")
def sdk(dialect: Tea) -> Iterator[Sdk]:
    with Sdk([sys.executable, str(HERE / "python_tea" / "drive.py"), ALGORITHMS[dialect.name]]) as sdk:
        yield sdk


@pytest.mark.parametrize("step", TOUR, ids=str)
def test_the_python_tea_sdk_makes_the_step(step: Step, sdk: Sdk, dialect: Tea, server: Callable[[str], str]) -> None:
    make_the_step(step, sdk, dialect=dialect, endpoint=server(step.signature))
