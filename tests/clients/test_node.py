"""@alicloud/pop-core's ROAClient: signature V1, answers and errors as plain objects."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from typing_extensions import override

from tests.clients.builds import NODE, built
from tests.clients.sdk import Dialect, Sdk, make_the_step
from tests.clients.tour import TOUR, Format, Refusal, Step

pytestmark = pytest.mark.xdist_group("clients-node")


class PopCore(Dialect):
    name = "node"
    exception = "{code}Error"

    @override
    def members(self, result: Any, wire: Format) -> dict[str, Any]:
        return dict(result) if wire == "JSON" else unlisted(result["GetInstanceResponse"])

    @override
    def assert_refused_in_xml(self, outcome: Mapping[str, Any], refusal: Refusal) -> None:
        """Such an error keeps its code and its message and loses its name and its status."""
        assert (outcome["ok"], outcome["type"], outcome["code"]) == (False, "Error", refusal.code)
        assert refusal.message in outcome["message"]


def unlisted(members: Any) -> Any:
    """xml2js makes a list of every member."""
    if isinstance(members, Mapping):
        return {name: unlisted(values[0]) for name, values in members.items()}
    return members


@pytest.fixture(scope="module")
def sdk() -> Iterator[Sdk]:
    with Sdk(["node", str(built(NODE) / "drive.js")]) as sdk:
        yield sdk


@pytest.mark.parametrize("step", TOUR, ids=str)
def test_the_node_sdk_makes_the_step(step: Step, sdk: Sdk, server: Callable[[str], str]) -> None:
    make_the_step(step, sdk, dialect=PopCore(), endpoint=server(step.signature))
