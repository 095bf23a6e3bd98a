"""Latency and error rate of a world."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest

from foas_emulator.faults import effects
from foas_emulator.faults.document import FaultDocument
from foas_emulator.faults.rules import arm
from foas_emulator.pipeline import impair
from tests.api import Api, open_api

CALLS = 200


def codes(api: Api, number: int = CALLS, *, world: str = "default") -> list[str | None]:
    target, headers = "/api/v2/projects/project1", {"x-emulator-world": world}
    return [api.request("GET", target, headers=headers).json().get("Code") for _ in range(number)]


def test_calls_that_fail_are_throttled_first(served: Api) -> None:
    served.world.set({"error_rate": "100%"})
    assert codes(served, 3) == ["Throttling.User", "ServiceUnavailable", "Throttling.User"]


def test_a_share_of_calls_fails_throttled_and_unavailable_in_turn(served: Api) -> None:
    served.world.set({"error_rate": "25%"})
    counts = Counter(codes(served))
    failed = counts["Throttling.User"] + counts["ServiceUnavailable"]
    assert CALLS * 0.15 < failed < CALLS * 0.35
    assert counts["Throttling.User"] - counts["ServiceUnavailable"] in (0, 1)
    assert counts[None] == CALLS - failed


def test_the_same_world_fails_the_same_calls(served: Api) -> None:
    served.world.set({"error_rate": 0.3})
    with open_api() as again:
        again.world.set({"error_rate": 0.3})
        assert codes(served, 50) == codes(again, 50)


def test_a_world_that_was_closed_and_opened_again_goes_on_with_its_failures(served: Api, tmp_path: Path) -> None:
    served.registry.open_or_create("alice").set({"error_rate": 0.3})
    with open_api(data_dir=tmp_path, world_idle=1) as api:
        api.registry.open_or_create("alice").set({"error_rate": 0.3})
        before = codes(api, 25, world="alice")
        time.sleep(0.01)  # longer than a world may be idle
        api.registry.open_or_create("other")
        assert api.registry.peek("alice") is None
        assert before + codes(api, 25, world="alice") == codes(served, 50, world="alice")


def test_merging_a_large_seed_leaves_the_failures_of_a_world_as_they_are(served: Api) -> None:
    served.world.set({"error_rate": 0.3})
    before = codes(served, 25)
    served.world.move_on(served.world.store.own_image())
    with open_api() as again:
        again.world.set({"error_rate": 0.3})
        assert before + codes(served, 25) == codes(again, 50)


def test_another_world_fails_other_calls(served: Api) -> None:
    for name in ("alice", "bob"):
        served.registry.open_or_create(name).set({"error_rate": 0.3})
    assert codes(served, 50, world="alice") != codes(served, 50, world="bob")


def test_an_answer_that_was_kept_is_no_way_around_it(served: Api) -> None:
    assert codes(served, 3) == [None] * 3
    served.world.set({"error_rate": "100%"})
    assert None not in codes(served, 3)
    served.world.set({"error_rate": 0})
    assert codes(served, 3) == [None] * 3


def test_a_refusal_names_the_setting(served: Api) -> None:
    served.world.set({"error_rate": "100%"})
    assert "error_rate" in served.request("GET", "/api/v2/projects/project1").headers["x-emulator-hint"]


def test_every_call_waits_as_long_as_the_settings_say(served: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    served.world.set({"latency": "100ms-400ms"})
    with monkeypatch.context() as patched:
        # The module's own name for it: what other servers of this process wait for is none of this test's.
        patched.setattr(impair, "asyncio", SimpleNamespace(sleep=sleep))
        codes(served, 20)
    assert len(waits) == 20
    assert all(0.1 <= seconds <= 0.4 for seconds in waits)
    assert len(set(waits)) > 10


def held_back(api: Api, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> httpx.Response:
    """What a call is answered if something happens to its world while the latency holds it back."""

    async def sleep(_: float) -> None:
        meanwhile()

    api.world.set({"latency": "1s"})
    monkeypatch.setattr(impair, "asyncio", SimpleNamespace(sleep=sleep))
    return api.request("GET", "/api/v2/projects/project1")


def test_a_call_that_was_held_back_is_refused_if_its_world_was_dropped(
    served: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    response = held_back(served, monkeypatch, lambda: served.registry.drop("default"))
    assert (response.status_code, response.json()["Code"]) == (503, "ServiceUnavailable")
    assert "was dropped while its latency held this call back" in response.headers["x-emulator-hint"]


def test_a_call_that_was_held_back_meets_the_world_that_has_taken_the_others_place(
    served: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace() -> None:
        served.registry.drop("default")
        served.registry.open_or_create("default")

    assert held_back(served, monkeypatch, replace).status_code == 200


@pytest.mark.parametrize("holder", [impair, effects])
def test_a_call_that_was_held_back_is_refused_if_its_world_was_closed_and_has_no_room(
    holder: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_the_place() -> None:
        time.sleep(0.01)  # longer than a world may be idle
        api.registry.open_or_create("other").users += 1

    async def sleep(_: float) -> None:
        take_the_place()

    monkeypatch.setattr(holder, "asyncio", SimpleNamespace(sleep=sleep))
    with open_api(data_dir=tmp_path, max_worlds=2, world_idle=1) as api:
        held = api.registry.open_or_create("held")
        if holder is impair:
            held.set({"latency": "1s"})
        else:
            arm(held, FaultDocument.model_validate({"effect": {"latency": "1s"}}))
        response = api.request("GET", "/api/v2/projects/project1", headers={"x-emulator-world": "held"})
        assert api.registry.peek("held") is None
    assert (response.status_code, response.json()["Code"]) == (503, "ServiceUnavailable")
    assert "At most 2 worlds may be open" in response.headers["x-emulator-hint"]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("latency", "200ms", "200ms"),
        ("latency", "1s-2s", "1s-2s"),
        ("latency", 0, "0s"),
        ("error_rate", "5%", "5%"),
        ("error_rate", 0.125, "12.5%"),
    ],
)
def test_a_world_shows_them_as_people_write_them(served: Api, name: str, value: Any, shown: str) -> None:
    served.world.set({name: value})
    assert served.request("GET", "/_emulator/worlds/default/settings").json()[name] == shown
    assert served.world.given_settings[name] == shown


@pytest.mark.parametrize(
    ("name", "value"),
    [("latency", "2s-1s"), ("latency", "soon"), ("latency", "1s-"), ("error_rate", "101%"), ("error_rate", "-1")],
)
def test_values_that_make_no_sense_are_refused(served: Api, name: str, value: str) -> None:
    with pytest.raises(ValueError, match=value.partition("-")[0] or "-1"):
        served.world.set({name: value})
