"""@alicloud/openapi-client: signature V3 over fewer headers than in Python, and forms in chunks."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.clients.builds import NODE_TEA, built
from tests.clients.sdk import Dialect, Sdk, make_the_step
from tests.clients.tour import TOUR, Step

pytestmark = pytest.mark.xdist_group("clients-node-tea")


class NodeTea(Dialect):
    name = "node-tea"
    exception = "Error"
    wrong_secret = replace(Dialect.wrong_secret, message="server CanonicalRequest is [GET\n")


@pytest.fixture(scope="module")
def sdk() -> Iterator[Sdk]:
    with Sdk(["node", str(built(NODE_TEA) / "drive.js")]) as sdk:
        yield sdk


@pytest.mark.parametrize("step", TOUR, ids=str)
def test_the_node_tea_sdk_makes_the_step(step: Step, sdk: Sdk, server: Callable[[str], str]) -> None:
    make_the_step(step, sdk, dialect=NodeTea(), endpoint=server(step.signature))
