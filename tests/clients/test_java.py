"""aliyun-java-sdk-core: signature V1, answers as its JSON and XML readers flatten them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from typing_extensions import override

from tests.clients.builds import JAVA, built
from tests.clients.sdk import Dialect, Sdk, make_the_step
from tests.clients.tour import TOUR, Format, Refusal, Step

pytestmark = pytest.mark.xdist_group("clients-java")


class Java(Dialect):
    name = "java"
    exception = "ClientException"
    numbers_in = ()
    wrong_secret = Refusal(
        code="SDK.InvalidAccessKeySecret", status=400, message="Specified Access Key Secret is not valid."
    )

    @override
    def members(self, result: Any, wire: Format) -> dict[str, Any]:
        members: dict[str, Any] = {}
        for flattened, value in result.items():
            _, *structures, name = flattened.split(".")
            structure = members
            for step in structures:
                structure = structure.setdefault(step, {})
            structure[name] = value
        return members

    @override
    def assert_refused(self, outcome: Mapping[str, Any], refusal: Refusal) -> None:
        """The SDK tells no status."""
        super().assert_refused({**outcome, "status": refusal.status}, refusal)


@pytest.fixture(scope="module")
def sdk() -> Iterator[Sdk]:
    project = built(JAVA)
    with Sdk(["java", "-cp", f"{project / 'classes'}:{project / 'jars' / '*'}", "Drive"]) as sdk:
        yield sdk


@pytest.mark.parametrize("step", TOUR, ids=str)
def test_the_java_sdk_makes_the_step(step: Step, sdk: Sdk, server: Callable[[str], str]) -> None:
    make_the_step(step, sdk, dialect=Java(), endpoint=server(step.signature))
