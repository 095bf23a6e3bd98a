"""Answers from the cache, without the stages, which clients cannot tell from others."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from foas_emulator.gateway.operation import LONGEST_KEPT
from foas_emulator.pipeline.cache_reads import cache_key
from foas_emulator.pipeline.select_world import SelectWorld
from foas_emulator.world.advance import held
from tests.api import Api, open_api
from tests.journal.reading import read
from tests.machine_clock import MachineClock
from tests.wire import INSTANCE, ask, signed_v1, signed_v3

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the requests that walked the stages."""
    real, walked = SelectWorld.__call__, []

    def noted(self: SelectWorld, context: Any) -> None:
        walked.append(context.raw_path)
        real(self, context)

    monkeypatch.setattr(SelectWorld, "__call__", noted)
    return walked


@pytest.mark.parametrize(
    "headers", [{}, {"accept": "text/xml"}, {"x-emulator-world": "other"}, {"content-length": "0"}]
)
def test_only_the_first_of_those_who_ask_alike_walks(served: Api, walks: list[str], headers: Mapping[str, str]) -> None:
    first, second, third = (ask(served.app, headers=headers) for _ in range(3))
    assert walks == [INSTANCE]
    assert first.status == 200
    assert len({each.headers.pop("x-acs-request-id") for each in (first, second, third)}) == 3
    assert first.headers == second.headers == third.headers
    assert second.headers["content-length"] == str(len(second.body))


@pytest.mark.parametrize(
    "headers",
    [
        {"accept": "text/xml"},
        {"x-emulator-world": "other"},
        {"origin": "http://localhost:3000"},
        {"x-acs-version": "2018-11-11"},
        {"x-acs-action": "GetJob"},
        {"authorization": "nonsense"},
        {"x-acs-bearer-token": "token"},
        {"transfer-encoding": "chunked"},
    ],
)
def test_whatever_could_be_answered_otherwise_walks(served: Api, walks: list[str], headers: Mapping[str, str]) -> None:
    for _ in range(2):
        ask(served.app)
    assert len(walks) == 1
    ask(served.app, headers=headers)
    assert len(walks) == 2


def test_pages_of_other_origins_are_told_that_they_may_read(served: Api, walks: list[str]) -> None:
    page = {"origin": "http://localhost:3000"}
    for _ in range(2):
        assert ask(served.app, headers=page).headers["access-control-allow-origin"] == "*"
    assert len(walks) == 2
    assert "access-control-allow-origin" not in ask(served.app).headers


@pytest.mark.parametrize("settings", [{"access_log": True}, {"cors_origins": ("http://one",)}])
def test_all_walk_where_every_request_leaves_a_trace_on_its_way(walks: list[str], settings: dict[str, Any]) -> None:
    with open_api(**settings) as served:
        for _ in range(3):
            assert ask(served.app).status == 200
    assert len(walks) == 3


@pytest.mark.parametrize("mode", ["off", "warn", "strict"])
def test_signed_as_usual_only_the_first_walks(walks: list[str], mode: str) -> None:
    with open_api(signature=mode) as served:
        for number in range(3):
            heard = ask(served.app, headers=signed_v1(headers={"x-acs-signature-nonce": f"{number}"}))
            assert (heard.status, heard.warning) == (200, None)
    assert len(walks) == 1


@pytest.mark.parametrize("mode", ["off", "warn", "strict"])
def test_one_with_a_long_query_walks_so_that_nothing_keeps_it(walks: list[str], mode: str) -> None:
    short, long = (f"{INSTANCE}?a={'x' * length}" for length in (100, LONGEST_KEPT))
    with open_api(signature=mode) as served:
        for target in (short, long) * 3:
            assert ask(served.app, target, headers=signed_v1(target)).status == 200
    assert len(walks) == 1 + 3


def test_a_wrong_signature_is_reported_of_every_time(served: Api, walks: list[str]) -> None:
    for secret, warned in (("wrong", True), ("test", False), ("test", False), ("wrong", True), ("wrong", True)):
        assert (ask(served.app, headers=signed_v1(secret=secret)).warning is not None) == warned
    assert len(walks) == 4


@pytest.mark.parametrize("name", ["x-acs-bearer-token", "x-acs-zero-trust-idtoken"])
def test_strict_refuses_an_unsigned_request_after_one_with_a_bearer_token(name: str) -> None:
    with open_api(signature="strict", bearer_tokens=("t",)) as served:
        date = {"date": signed_v1()["date"]}
        for _ in range(2):
            assert ask(served.app, headers={name: "t", **date}).status == 200
            assert ask(served.app).code == "MissingDate"
            assert ask(served.app, headers=date).code == "MissingAccessKeyId"
            assert ask(served.app, headers={name: "u", **date}).code == "InvalidBearerToken"


def test_strict_refuses_a_nonce_that_came_by_the_shortcut() -> None:
    with open_api(signature="strict") as served:
        first, second = (signed_v1(headers={"x-acs-signature-nonce": nonce}) for nonce in ("1", "2"))
        assert [ask(served.app, headers=headers).code for headers in (first, second, second, second)] == [
            None,
            None,
            "SignatureNonceUsed",
            "SignatureNonceUsed",
        ]


def test_other_signatures_walk_and_are_believed(served: Api, walks: list[str]) -> None:
    for _ in range(2):
        heard = ask(served.app, headers=signed_v3())
        assert (heard.status, heard.warning) == (200, None)
    assert len(walks) == 2


def test_a_world_that_was_dropped_is_made_anew(served: Api, walks: list[str]) -> None:
    other = {"x-emulator-world": "other"}
    for _ in range(2):
        ask(served.app, headers=other)
    served.registry.drop("other")
    ask(served.app, headers=other)
    assert len(walks) == 2
    assert "other" in served.registry.names()


def test_a_world_that_is_read_is_in_use(served: Api) -> None:
    ask(served.app)
    world = served.registry.peek("default")
    assert world is not None
    before = world.last_used
    ask(served.app)
    assert world.last_used > before


def test_what_comes_due_by_itself_happens_before_the_answer(machine_clock: MachineClock, walks: list[str]) -> None:
    """Only the machine's clock moves here: no write tells the cache that something is due."""
    with open_api(stop_delay=5000) as served:
        ask(served.app, f"{INSTANCE}/expectstate", method="PUT", headers=FORM, body=b"expectState=TERMINATED")
        assert [ask(served.app).status for _ in range(3)] == [200, 200, 200]
        machine_clock.let_pass(4999)
        assert ask(served.app).status == 200
        assert len(walks) == 2, "the stop and the first read"
        machine_clock.let_pass(1)
        assert ask(served.app).code == "InvalidInstance.NotRunning"


def test_a_hit_computes_no_second_key_and_a_miss_none_either(served: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    computed = []

    def noted(scope: Any, headers: Any) -> bytes:
        computed.append(scope["raw_path"])
        return cache_key(scope, headers)

    monkeypatch.setattr("foas_emulator.pipeline.response_cache.cache_key", noted)
    monkeypatch.setattr("foas_emulator.pipeline.cache_reads.cache_key", noted)
    for expected in (1, 2):
        ask(served.app)
        assert len(computed) == expected


def test_what_is_due_happens_before_the_answer(served: Api) -> None:
    served.world.set({"stop_delay": "5s"})
    ask(served.app, f"{INSTANCE}/expectstate", method="PUT", headers=FORM, body=b"expectState=TERMINATED")
    assert [ask(served.app).status for _ in range(3)] == [200, 200, 200]
    with served.world.transaction():
        served.world.clock.put(served.world.clock.ahead(5_000))
    assert ask(served.app).code == "InvalidInstance.NotRunning"


def test_the_journal_cannot_tell_who_walked(served: Api) -> None:
    for _ in range(3):
        ask(served.app, f"{INSTANCE}?Unheard=1", headers=signed_v1(f"{INSTANCE}?Unheard=1"))
    own = ("number", "request_id", "time", "world_time", "milliseconds")
    entries = [{name: value for name, value in entry.items() if name not in own} for entry in read(served)["entries"]]
    assert len(entries) == 3
    assert entries[0] == entries[1] == entries[2]
    assert entries[0]["signature"] == "valid"
    assert entries[0]["unread"] == ["Unheard"]


def test_a_clock_that_moves_while_a_call_waits_leaves_the_times_of_its_repetitions_right(served: Api) -> None:
    world = served.world

    async def look() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(served.app), base_url="http://emulator") as client:
            async with held(world):
                waiting = asyncio.ensure_future(client.get(INSTANCE))
                while world.last_used == used:  # noqa: ASYNC110 - that it has entered the world tells nobody
                    await asyncio.sleep(0)
                await asyncio.sleep(0)
                with world.transaction():
                    world.clock.set(mode="frozen", now=1_600_000_001_000)
            await waiting
            await client.get(INSTANCE)

    with world.transaction():
        world.clock.set(mode="frozen", now=1_600_000_000_000)
    used = world.last_used
    asyncio.run(asyncio.wait_for(look(), 60))
    assert [entry["world_time"][17:19] for entry in read(served)["entries"]] == ["40", "41"]


def test_a_journal_that_was_begun_anew_goes_on(served: Api, walks: list[str]) -> None:
    for _ in range(2):
        ask(served.app)
    served.request("DELETE", "/_emulator/worlds/default/journal")
    for _ in range(3):
        ask(served.app)
    assert len(walks) == 2
    assert [entry["number"] for entry in read(served)["entries"]] == [1, 2, 3]
