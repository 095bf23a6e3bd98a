"""alibaba-cloud-sdk-go with its foas package: signature V1, typed requests and answers."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from typing_extensions import override

from foas_emulator.testing.server import Server
from tests.clients.builds import GO, built
from tests.clients.sdk import Dialect, Sdk, make_the_step
from tests.clients.tour import TOUR, Format, Refusal, Step, get_instance

pytestmark = pytest.mark.xdist_group("clients-go")


class Go(Dialect):
    name = "go"
    exception = "*errors.ServerError"
    numbers_in = ("JSON", "XML")

    @override
    def members(self, result: Any, wire: Format) -> dict[str, Any]:
        return dict(result)

    @override
    def assert_refused_in_xml(self, outcome: Mapping[str, Any], refusal: Refusal) -> None:
        """The SDK looks for an error's members in JSON only and hands over the whole body as the message."""
        assert (outcome["type"], outcome["status"], outcome["code"]) == (self.exception, refusal.status, "")
        assert f"<Code>{refusal.code}</Code>" in outcome["message"]

    @override
    def assert_wrong_secret(self, outcome: Mapping[str, Any]) -> None:
        super().assert_wrong_secret(outcome)
        assert outcome["recommend"] == "InvalidAccessKeySecret: Please check you AccessKeySecret"


@pytest.fixture(scope="module")
def sdk() -> Iterator[Sdk]:
    with Sdk([str(built(GO) / "drive")]) as sdk:
        yield sdk


@pytest.mark.parametrize("step", TOUR, ids=str)
def test_the_go_sdk_makes_the_step(step: Step, sdk: Sdk, server: Callable[[str], str]) -> None:
    make_the_step(step, sdk, dialect=Go(), endpoint=server(step.signature))


def test_the_go_sdk_repeats_a_get_whose_used_connection_is_lost(sdk: Sdk, server: Callable[[str], str]) -> None:
    endpoint = server("strict")
    world = Server(f"http://{endpoint}").world("go-lost-connection")
    world.create()
    world.faults.arm({"drop": True}, skip=1, times=1)
    call = get_instance("project1", "job1", "-1")
    outcomes = [sdk.make(call, endpoint=endpoint, access_key_id=world.access_key_id) for _ in range(2)]
    assert [outcome["ok"] for outcome in outcomes] == [True, True]
    assert [entry["status"] for entry in world.journal.entries()] == [200, None, 200]
