"""The place of fault rules in the pipeline, and the requests that they leave alone."""

import asyncio
import logging
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from foas_emulator.faults import effects
from foas_emulator.faults.document import FaultDocument
from foas_emulator.faults.rules import MOST_RULES, FaultRule, active_rules
from foas_emulator.faults.rules import arm as arm_rule
from foas_emulator.world import slices
from foas_emulator.world.store import Store
from tests.api import Api, open_api
from tests.faults.holding import Holding
from tests.wire import INSTANCE, ask

FAULTS = "/_emulator/worlds/default/faults"
DENY = {"effect": {"error": "Forbidden.RAM"}}


@pytest.fixture
def wire_format() -> str:
    return "json"


@pytest.fixture
def store_kind() -> str:
    """Both kinds of store are covered with the effects."""
    return "memory"


@pytest.fixture
def api(seeded_api: Api) -> Api:
    return seeded_api


def arm(api: Api, fault: dict[str, Any], world: str = "default") -> None:
    assert api.request("POST", f"/_emulator/worlds/{world}/faults", json=fault).status_code == 201


def seen(api: Api) -> list[int]:
    return [rule["seen"] for rule in api.request("GET", FAULTS).json()["faults"]]


@pytest.mark.parametrize(
    ("method", "target", "headers", "code"),
    [
        ("GET", "/api/v2/nothing", {}, "InvalidAction.NotFound"),
        ("GET", INSTANCE, {"x-acs-version": "2020-01-01"}, "InvalidVersion"),
        ("GET", INSTANCE, {"accept": "text/html"}, "InvalidParameter.Accept"),
        ("GET", f"{INSTANCE}?a=%FF", {}, "RequestParameterMalformed"),
    ],
)
def test_what_is_refused_before_is_not_struck(
    api: Api, method: str, target: str, headers: dict[str, str], code: str
) -> None:
    arm(api, DENY)
    assert api.request(method, target, headers=headers).json()["Code"] == code
    assert seen(api) == [0]


def test_a_signature_that_strict_refuses_is_not_struck(api: Api) -> None:
    arm(api, DENY)
    api.world.set({"signature": "strict"})
    assert api.request("GET", INSTANCE).json()["Code"] == "MissingDate"
    assert seen(api) == [0]


def test_a_parameter_that_is_missing_is_noticed_after_the_faults(api: Api) -> None:
    arm(api, DENY)
    assert api.request("POST", "/api/v2/projects/project1/folders").json()["Code"] == "Forbidden.RAM"


def test_the_documentation_is_not_struck(api: Api) -> None:
    arm(api, DENY)
    for path in ("/", "/docs", "/openapi.json", "/_emulator/info"):
        assert api.request("GET", path).status_code < 400
    assert seen(api) == [0]


def test_a_world_without_rules_is_asked_for_them_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    execute = api.world.store._connection.execute

    def note(statement: Any, *more: Any) -> Any:
        asked.append(str(statement))
        return execute(statement, *more)

    monkeypatch.setattr(api.world.store._connection, "execute", note)
    for _ in range(5):
        assert ask(api.app, INSTANCE).status == 200
    assert sum(FaultRule.__tablename__ in statement for statement in asked) <= 1


def test_a_rule_for_another_operation_leaves_the_read_cache_at_work(api: Api) -> None:
    arm(api, DENY | {"match": {"operation": "StartJob"}})
    ask(api.app, INSTANCE)
    active = active_rules(api.world)
    statements: list[str] = []
    api.world.store._raw.set_trace_callback(statements.append)
    assert ask(api.app, INSTANCE, headers={"origin": "http://page"}).status == 200
    assert statements == []
    assert active_rules(api.world) is active


def test_others_are_served_while_many_globs_are_matched_with_long_texts(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "SLICE_NS", 0)
    for number in range(30):
        document = {"match": {"params": {"jobName": f"*{number:02}x"}}, "effect": {"error": "Forbidden.RAM"}}
        arm_rule(api.world, FaultDocument.model_validate(document))
    short, struck = "a" * 100, f"{'a' * 7900}29x"

    async def turns_until_answered(name: str) -> tuple[int, Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://emulator") as client:
            asked = asyncio.create_task(client.get(f"/api/v2/projects/project1/jobs/{name}"))
            turns = 0
            while not asked.done():
                turns += 1
                await asyncio.sleep(0)
            return turns, asked.result().json().get("Code")

    few, code = asyncio.run(turns_until_answered(short))
    many, struck_code = asyncio.run(turns_until_answered(struck))
    assert many >= few + 25
    assert struck_code == "Forbidden.RAM" != code


def test_a_world_that_is_dropped_while_a_call_is_held_back_is_not_made_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm(api, {"effect": {"latency": "100ms"}}, world="gone")

    async def drop_meanwhile() -> httpx.Response:
        holding = Holding(monkeypatch)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://emulator") as client:
            held = asyncio.create_task(client.get(INSTANCE, headers={"x-emulator-world": "gone"}))
            await holding.begun(held)
            assert (await client.delete("/_emulator/worlds/gone")).status_code < 300
            holding.end()
            return await held

    response = asyncio.run(drop_meanwhile())
    assert (response.status_code, response.json()["Code"]) == (503, "ServiceUnavailable")
    assert "gone was dropped" in response.headers["x-emulator-hint"]
    assert "gone" not in api.registry.names()
    assert api.request("GET", "/_emulator/worlds/gone/journal").status_code == 404


def test_a_world_that_is_reset_while_a_call_is_held_back_serves_it_anew(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm(api, {"match": {"operation": "CreateFolder"}, "effect": {"latency": "100ms"}})
    api.ok("CreateFolder", projectName="project1", path="/made")

    async def reset_meanwhile() -> httpx.Response:
        holding = Holding(monkeypatch)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://emulator") as client:
            held = asyncio.create_task(client.post("/api/v2/projects/project1/folders?path=/made"))
            await holding.begun(held)
            assert (await client.post("/_emulator/worlds/default/reset")).status_code < 300
            holding.end()
            return await held

    assert asyncio.run(reset_meanwhile()).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", ""), ("POST", "/reset"), ("PUT", "")], ids=["dropped", "reset", "replaced"]
)
def test_a_call_that_took_effect_in_a_world_that_has_ended_succeeds_and_is_not_in_the_next_ones_journal(
    api: Api, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    world = "/_emulator/worlds/ending"
    arm(api, {"effect": {"error": "Throttling.User"}, "at": "after_commit"}, world="ending")
    arm(api, {"effect": {"latency": "100ms"}, "at": "after_commit"}, world="ending")

    async def end_meanwhile() -> httpx.Response:
        holding = Holding(monkeypatch)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://emulator") as client:
            target, headers = "/api/v2/projects/project1/folders?path=/made", {"x-emulator-world": "ending"}
            held = asyncio.create_task(client.post(target, headers=headers))
            await holding.begun(held)
            assert (await client.request(method, world + path)).status_code < 300
            assert (await client.put(world)).status_code < 300
            holding.end()
            return await held

    assert asyncio.run(end_meanwhile()).status_code == 200
    assert api.request("GET", f"{world}/journal").json()["entries"] == []


def test_a_rule_applies_to_a_call_that_took_effect_in_a_world_that_was_closed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def sleep(_: float) -> None:
        time.sleep(0.01)  # noqa: ASYNC251 - longer than a world may be idle, and nobody else waits
        opened.registry.open_or_create("other")

    monkeypatch.setattr(effects, "asyncio", SimpleNamespace(sleep=sleep))
    with open_api(data_dir=tmp_path, world_idle=1) as opened:
        arm(opened, {"effect": {"error": "Throttling.User"}, "at": "after_commit"}, world="idle")
        arm(opened, {"effect": {"latency": "1s"}, "at": "after_commit"}, world="idle")
        response = opened.request("GET", "/api/v2/projects/project1", headers={"x-emulator-world": "idle"})
        assert response.json()["Code"] == "Throttling.User"
        (entry,) = opened.request("GET", "/_emulator/worlds/idle/journal").json()["entries"]
        assert [fault["id"] for fault in entry["faults"]] == [2, 1]


def test_a_crash_of_ours_is_an_answer_that_a_rule_may_strike(
    api: Api, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm(api, {"match": {"operation": "GetInstance"}, "effect": {"latency": 0}})
    monkeypatch.setattr(Store, "get", None)
    with caplog.at_level(logging.ERROR):
        response = api.request("GET", INSTANCE)
    assert (response.status_code, response.json()["Code"]) == (500, "InternalError")


@pytest.mark.parametrize("fault", [{"effect": {"latency": 0}}, {"effect": {"latency": 0}, "skip": 5}])
@pytest.mark.parametrize("at", ["before", "after_commit"])
def test_a_call_goes_through_as_many_rules_as_a_world_may_have(api: Api, fault: dict[str, Any], at: str) -> None:
    document = FaultDocument.model_validate({**fault, "at": at})
    for _ in range(MOST_RULES):
        arm_rule(api.world, document)
    assert api.request("GET", INSTANCE).status_code == 200
    assert seen(api) == [1] * MOST_RULES


@pytest.mark.parametrize(("rules", "calls"), [(1, 2), (3, 8), (4, 16), (5, 16), (100, 16)])
def test_rules_that_duplicate_each_others_duplicates_come_to_an_end(api: Api, rules: int, calls: int) -> None:
    for _ in range(rules):
        arm(api, {"match": {"operation": "GetInstance"}, "effect": {"duplicate": True}})
    made: list[str] = []
    api.world.store._raw.set_trace_callback(made.append)
    response = api.request("GET", INSTANCE)
    api.world.store._raw.set_trace_callback(None)
    assert response.status_code == 200
    assert sum("FROM instances" in statement for statement in made) == calls
    warning = response.headers.get("x-emulator-warning", "")
    assert warning.count("One call is duplicated 15 times at most") == (rules > 4)
