import asyncio
import json
from typing import Any

import pytest

from foas_emulator.control import changes
from foas_emulator.control.changes import SLICE, write_clock
from foas_emulator.world.advance import advance_by, settle
from foas_emulator.world.expiry import Expiry
from foas_emulator.world.instants import LAST_INSTANT
from foas_emulator.world.world import World
from tests.control.conftest import Control
from tests.operations import building

NEW_YEAR = 1_767_225_600_000
CLOCK = "/worlds/default/clock"
MANY = 4 * SLICE
"""More changes than are written at once."""

SEED = {
    "projects": [
        {
            "Name": "p",
            "jobs": [
                {
                    "JobName": "j",
                    "instances": [
                        {
                            "Id": 900001,
                            "timeline": [
                                {"after": "30s", "ActualState": "PAUSED"},
                                {"after": "60s", "ActualState": "FAILED", "LastErrorMessage": "lost"},
                            ],
                        }
                    ],
                }
            ],
        }
    ]
}


@pytest.fixture
def data_dir() -> None:
    """In memory alone: what is tested here does not depend on the kind of store."""


def many_changes(control: Control, count: int) -> None:
    """Create the world `many`, in which an instance changes its state each hour, so many times."""
    timeline = [{"after": f"{hours}h", "ActualState": "PAUSED"} for hours in range(1, count + 1)]
    jobs = [{"JobName": "j", "instances": [{"Id": 900001, "timeline": timeline}]}]
    control.ok("PUT", "/worlds/many", {"seed": {"projects": [{"Name": "p", "jobs": jobs}]}}, status=201)


def what(document: dict[str, Any], member: str = "changes") -> list[tuple[int, str]]:
    return [(change["at"], change["what"]) for change in document[member]]


@pytest.fixture
def timeline(control: Control) -> Control:
    """A default world that stands at new year, with two changes to come."""
    control.ok("PUT", CLOCK, {"mode": "frozen", "now": NEW_YEAR})
    control.ok("POST", "/worlds/default/seed", SEED, status=204)
    return control


PAUSED = (NEW_YEAR + 30_000, "instance:900001 put_state")
FAILED = (NEW_YEAR + 60_000, "instance:900001 put_state")


def test_a_clock_tells_what_is_going_to_happen(timeline: Control) -> None:
    clock = timeline.ok("GET", CLOCK)
    assert (clock["now"], clock["mode"]) == (NEW_YEAR, "frozen")
    assert what(clock, "pending") == [PAUSED, FAILED]
    assert "changes" not in clock


def test_a_change_tells_its_job_and_the_state_it_brings(timeline: Control) -> None:
    brought = [("p/j", "PAUSED"), ("p/j", "FAILED")]
    assert _brought(timeline.ok("GET", CLOCK)["pending"]) == brought
    assert _brought(timeline.ok("POST", f"{CLOCK}/advance?dry_run=true", {"by": "1h"})["changes"]) == brought
    assert _brought(timeline.ok("POST", f"{CLOCK}/advance", {"by": "1h"})["changes"]) == brought


def test_a_change_tells_what_came_about_even_if_something_else_was_planned(timeline: Control) -> None:
    timeline.ok("PUT", "/worlds/default/settings", {"start_delay": "30s", "cluster_delay": "40s", "sql_check": "start"})
    timeline.ok("POST", "/worlds/default/seed", WRONG_SQL, status=204)
    timeline.api.ok("StartJob", projectName="q", jobName="wrong")
    building.cluster(timeline.api)
    pending = timeline.ok("GET", CLOCK)["pending"]
    assert ("q/wrong", "RUNNING") in _brought(pending)
    assert (None, None) in _brought(pending), "a cluster's state is known when it comes"
    changes = timeline.ok("POST", f"{CLOCK}/advance", {"by": "40s"})["changes"]
    assert ("q/wrong", "FAILED") in _brought(changes)
    assert (None, "RUNNING") in _brought(changes)


WRONG_SQL = {
    "projects": [
        {
            "Name": "q",
            "jobs": [
                {
                    "JobName": "wrong",
                    "Code": "create table t (a int) with (type='print'); insert into t select a from absent;",
                }
            ],
        }
    ]
}


@pytest.mark.parametrize("count", [SLICE - 1, SLICE, 2 * SLICE, 2 * SLICE + 1])
def test_many_changes_are_told_in_order_and_each_once(control: Control, count: int) -> None:
    entries = [{"after": f"{3600 + second // 2}s", "ActualState": "PAUSED"} for second in range(2, count + 2)]
    jobs = [{"JobName": "j", "instances": [{"Id": 900001, "timeline": entries}]}]
    control.ok("PUT", "/worlds/many", {"seed": {"projects": [{"Name": "p", "jobs": jobs}]}}, status=201)
    pending = control.ok("GET", "/worlds/many/clock")["pending"]
    assert (len(pending), {change["job"] for change in pending}) == (count, {"p/j"})
    assert pending == sorted(pending, key=lambda change: change["at"])
    changes = control.ok("POST", "/worlds/many/clock/advance", {"until": "idle"})["changes"]
    assert changes == pending


@pytest.mark.parametrize("limit", [1, SLICE, SLICE + 1, 1000])
def test_an_answer_lists_as_many_changes_as_it_is_asked_for_and_counts_them_all(control: Control, limit: int) -> None:
    many_changes(control, MANY)
    listed = min(limit, MANY)
    everything = control.ok("GET", "/worlds/many/clock")
    told = control.ok("GET", f"/worlds/many/clock?limit={limit}")
    assert (told["pending_total"], told["pending"]) == (MANY, everything["pending"][:listed])
    for query in ("&dry_run=true", ""):
        moved = control.ok("POST", f"/worlds/many/clock/advance?limit={limit}{query}", {"until": "next"})
        assert (moved["changes_total"], moved["changes"]) == (1, everything["pending"][:1])
        assert (moved["pending_total"], moved["pending"]) == (MANY - 1, everything["pending"][1 : listed + 1])
    end = {"now": everything["pending"][-1]["at"]}
    moved = control.ok("PUT", f"/worlds/many/clock?limit={limit}", end)
    assert (moved["changes_total"], moved["changes"]) == (MANY - 1, everything["pending"][1 : listed + 1])
    assert (moved["pending_total"], moved["pending"]) == (0, [])


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "many", ""])
@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PUT", ""), ("POST", "/advance")])
def test_a_limit_that_is_none_moves_no_clock(timeline: Control, method: str, path: str, limit: str) -> None:
    body = {"GET": None, "PUT": {"now": NEW_YEAR + 1}, "POST": {"by": 1}}[method]
    assert "limit" in timeline.refused(method, f"{CLOCK}{path}?limit={limit}", body)
    assert timeline.ok("GET", CLOCK)["now"] == NEW_YEAR


def test_many_changes_are_written_by_the_slice(control: Control, json_written: list[int]) -> None:
    """To write 200,000 at once held all others for 0.2 seconds."""
    many_changes(control, MANY)
    json_written.clear()
    answers = [control.send("GET", "/worlds/many/clock")]
    answers.append(control.send("POST", "/worlds/many/clock/advance", json.dumps({"until": "idle"})))
    assert [len(answer.json()[member]) for answer, member in zip(answers, ("pending", "changes"), strict=True)] == [
        MANY
    ] * 2
    assert max(json_written) < min(len(answer.content) for answer in answers) / 3


def test_many_changes_and_the_clock_are_told_of_one_instant(control: Control) -> None:
    many_changes(control, MANY)
    control.ok("PUT", "/worlds/many/clock", {"mode": "frozen"})
    world = control.api.registry.open_or_create("many")

    async def advance_meanwhile() -> Any:
        telling = asyncio.ensure_future(write_clock(world))
        await asyncio.sleep(0)
        assert len(await advance_by(world, 9 * 3_600_000)) == 9
        return json.loads(b"{%s}" % await telling)

    told = asyncio.run(advance_meanwhile())
    assert told["now"] == world.clock.peek()
    assert len(told["pending"]) == MANY - 9
    assert told["pending"][0]["at"] > told["now"]


def test_a_clock_that_changes_while_it_is_told_changes_no_second_time(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_changes(control, MANY)
    world = control.api.registry.open_or_create("many")
    writing: list[asyncio.Task[None]] = []

    async def plan_another() -> None:
        await settle(world)
        with world.transaction():
            world.schedule("put_state", "instance:900001", at=LAST_INSTANT, ActualState="PAUSED")

    async def changed_meanwhile(world: World, limit: int | None) -> bytes:
        writing.append(asyncio.create_task(plan_another()))
        return await write(world, limit)

    async def ask() -> Any:
        told = json.loads(b"{%s}" % await write_clock(world))
        await asyncio.gather(*writing)
        return told

    write = changes._write_clock
    monkeypatch.setattr(changes, "_write_clock", changed_meanwhile)
    assert len(asyncio.run(ask())["pending"]) == MANY + 1
    assert len(writing) == 2


def test_clocks_with_many_changes_are_written_one_after_another(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_changes(control, MANY)
    registry = control.api.registry
    many, few = registry.open_or_create("many"), registry.open_or_create("few")
    begun: list[World] = []
    ended: list[World] = []

    async def noted(world: World, limit: int | None) -> bytes:
        begun.append(world)
        written = await write(world, limit)
        ended.append(world)
        return written

    async def ask() -> None:
        tellings = [asyncio.ensure_future(write_clock(world)) for world in (many, many, few)]
        await tellings[-1]
        assert (begun, ended) == ([many, few], [few]), "only the few need not wait"
        await asyncio.gather(*tellings)

    write = changes._write_clock
    monkeypatch.setattr(changes, "_write_clock", noted)
    asyncio.run(ask())
    assert ended == [few, many, many]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [("GET", "", None), ("PUT", "", {"mode": "frozen"}), ("POST", "/advance", {"until": "idle"})],
)
def test_a_world_does_not_expire_while_its_changes_are_told(
    control: Control, monkeypatch: pytest.MonkeyPatch, method: str, path: str, body: Any
) -> None:
    registry = control.api.registry
    control.ok("PUT", "/worlds/mine", {"seed": SEED}, status=201)

    async def expire_meanwhile(world: World, *, limit: int | None) -> bytes:
        world.last_used = 0
        registry.expire()
        return await write_clock(world, limit=limit)

    monkeypatch.setattr(registry, "_expiry", Expiry(idle=1))
    monkeypatch.setattr("foas_emulator.control.clock.write_clock", expire_meanwhile)
    control.ok(method, f"/worlds/mine/clock{path}", body)
    assert registry.exists("mine")


def _brought(changes: list[dict[str, Any]]) -> list[tuple[str | None, str | None]]:
    return [(change["job"], change["state"]) for change in changes]


@pytest.mark.parametrize("by", ["30s", 30_000, "0.5m"])
def test_a_clock_advances_by_an_amount(timeline: Control, by: object) -> None:
    moved = timeline.ok("POST", f"{CLOCK}/advance", {"by": by})
    assert (moved["now"], what(moved), what(moved, "pending")) == (NEW_YEAR + 30_000, [PAUSED], [FAILED])


@pytest.mark.parametrize("to", [NEW_YEAR + 3_600_000, "2026-01-01T01:00:00Z", "2026-01-01T09:00:00+08:00"])
def test_a_clock_advances_to_an_instant(timeline: Control, to: object) -> None:
    moved = timeline.ok("POST", f"{CLOCK}/advance", {"to": to})
    assert (moved["now"], what(moved), moved["pending"]) == (NEW_YEAR + 3_600_000, [PAUSED, FAILED], [])


def test_a_clock_advances_to_the_next_change(timeline: Control) -> None:
    seen = [what(timeline.ok("POST", f"{CLOCK}/advance", {"until": "next"})) for _ in range(3)]
    assert seen == [[PAUSED], [FAILED], []]


def test_a_clock_advances_until_nothing_is_pending(timeline: Control) -> None:
    moved = timeline.ok("POST", f"{CLOCK}/advance", {"until": "idle"})
    assert (what(moved), moved["now"], moved["pending"]) == ([PAUSED, FAILED], NEW_YEAR + 60_000, [])


def test_the_service_sees_what_the_clock_brought_about(timeline: Control) -> None:
    path = "/api/v2/projects/p/jobs/j/instances/900001"
    assert timeline.api.request("GET", path).status_code == 200
    timeline.ok("POST", f"{CLOCK}/advance", {"until": "idle"})
    timeline.ok("PUT", "/worlds/default/settings", {"not_running": "answer"})
    instance = timeline.api.request("GET", path, headers={"accept": "*/*"}).json()["Instance"]
    assert (instance["ActualState"], instance["LastErrorMessage"]) == ("FAILED", "lost")
    assert instance["LastErrorTime"] == NEW_YEAR + 60_000


def test_setting_a_clock_brings_about_what_is_due(timeline: Control) -> None:
    moved = timeline.ok("PUT", CLOCK, {"now": "2026-01-01T00:00:45Z"})
    assert (moved["mode"], moved["now"], what(moved)) == ("frozen", NEW_YEAR + 45_000, [PAUSED])


def test_a_clock_may_be_set_back(timeline: Control) -> None:
    timeline.ok("POST", f"{CLOCK}/advance", {"until": "idle"})
    moved = timeline.ok("PUT", CLOCK, {"now": NEW_YEAR})
    assert (moved["now"], moved["changes"], moved["pending"]) == (NEW_YEAR, [], [])


def test_a_clock_that_is_let_run_goes_on_from_where_it_stands(timeline: Control) -> None:
    moved = timeline.ok("PUT", CLOCK, {"mode": "real"})
    assert moved["mode"] == "real"
    assert NEW_YEAR <= moved["now"] < NEW_YEAR + 30_000
    later = timeline.ok("POST", f"{CLOCK}/advance", {"by": "1h"})
    assert later["offset_ms"] == moved["offset_ms"] + 3_600_000


def test_a_frozen_clock_stands_where_it_was(control: Control) -> None:
    frozen = control.ok("PUT", CLOCK, {"mode": "frozen"})
    assert frozen["mode"] == "frozen"
    assert control.ok("GET", CLOCK)["now"] == frozen["now"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "give one of by, to and until"),
        ({"by": "30s", "until": "next"}, "give one of by, to and until"),
        ({"by": None}, "give one of by, to and until"),
        ({"by": -1}, "by: Input should be greater than or equal to 0"),
        ({"by": True}, "by: Input should be a valid integer"),
        ({"by": 1.5}, "by: Input should be a valid integer"),
        ({"by": "soon"}, "'soon' is not a duration"),
        ({"by": "30"}, "by: '30' has no unit: give 30s or 30ms"),
        ({"by": " 0.5 "}, "by: ' 0.5 ' has no unit: give 0.5s or 0.5ms"),
        ({"by": 253_402_300_799_999}, "No clock goes beyond the year 9999."),
        ({"to": "tomorrow"}, "neither milliseconds since the epoch (13 digits) nor an ISO 8601 time"),
        ({"to": NEW_YEAR - 1}, "A clock does not advance into its past."),
        ({"to": 2**63}, "has more than 64 bits"),
        ({"to": 2**62}, "to: Input should be less than or equal to"),
        ({"until": "never"}, "until: Input should be 'next' or 'idle'"),
        ({"past": 5}, "past: there is no such member (there are by, to, until)"),
        ("[]", "body: it must be a mapping of members"),
        ("{", "The body is not JSON."),
    ],
)
def test_a_clock_that_cannot_be_advanced_stays_where_it_is(timeline: Control, body: object, reason: str) -> None:
    assert reason in timeline.refused("POST", f"{CLOCK}/advance", body)
    assert timeline.ok("GET", CLOCK)["now"] == NEW_YEAR


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"mode": "stopped"}, "mode: Input should be 'real' or 'frozen'"),
        ({"now": "noon"}, "neither milliseconds since the epoch (13 digits) nor an ISO 8601 time"),
        ({"now": "0001-01-01"}, "now: Input should be greater than or equal to 0"),
        ({"speed": 2}, "speed: there is no such member (there are mode, now)"),
    ],
)
def test_a_clock_that_cannot_be_set_stays_as_it_is(timeline: Control, body: object, reason: str) -> None:
    assert reason in timeline.refused("PUT", CLOCK, body)
    assert timeline.ok("GET", CLOCK)["now"] == NEW_YEAR


def test_a_dry_run_tells_what_an_advance_does_and_changes_nothing(control: Control) -> None:
    control.ok("PUT", "/worlds/default/settings", {"start_delay": "30s"})
    control.ok("PUT", "/worlds/default/clock", {"mode": "frozen"})
    assert control.api.request("POST", "/api/v2/projects/demo/jobs/failed-stream/instance").status_code == 200
    before = control.send("GET", "/worlds/default/snapshot").text
    foreseen = control.ok("POST", "/worlds/default/clock/advance?dry_run=true", {"by": "1m"})
    assert control.send("GET", "/worlds/default/snapshot").text == before
    assert len(foreseen["changes"]) == 1
    moved = control.ok("POST", "/worlds/default/clock/advance", {"by": "1m"})
    assert [moved[name] for name in ("now", "pending", "changes")] == [
        foreseen[name] for name in ("now", "pending", "changes")
    ]
