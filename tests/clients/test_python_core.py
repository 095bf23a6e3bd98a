"""aliyun-python-sdk-core with aliyun-python-sdk-foas: signature V1, answers as the bytes of the body."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import xmltodict
from typing_extensions import override

from tests.clients.builds import HERE
from tests.clients.sdk import Dialect, Sdk, make_the_step
from tests.clients.tour import TOUR, Format, Refusal, Step

pytestmark = pytest.mark.xdist_group("clients-python-core")


class PythonCore(Dialect):
    name = "python-core"
    exception = "ServerException"

    @override
    def members(self, result: Any, wire: Format) -> dict[str, Any]:
        return super().members(json.loads(result) if wire == "JSON" else result, wire)

    @override
    def assert_refused_in_xml(self, outcome: Mapping[str, Any], refusal: Refusal) -> None:
        """do_action, the only way to XML, does not raise: it hands over an error's body like an answer's."""
        assert xmltodict.parse(outcome["result"])["Error"]["Code"] == refusal.code


@pytest.fixture(scope="module")
def sdk() -> Iterator[Sdk]:
    with Sdk([sys.executable, str(HERE / "python_core" / "drive.py")]) as sdk:
        yield sdk


@pytest.mark.parametrize("step", TOUR, ids=str)
def test_the_python_core_sdk_makes_the_step(step: Step, sdk: Sdk, server: Callable[[str], str]) -> None:
    make_the_step(step, sdk, dialect=PythonCore(), endpoint=server(step.signature))
