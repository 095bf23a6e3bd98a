"""Verification of expectations on the calls."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Coroutine
from contextlib import ExitStack
from typing import Any, TypeVar

import httpx
import pytest
from starlette.requests import Request

from foas_emulator.control import journal as control
from foas_emulator.journal import verification
from foas_emulator.journal.calls import Call
from foas_emulator.journal.entries import Entry, EntryTemplate, WorldJournal
from foas_emulator.journal.journal import Journal
from foas_emulator.journal.queries import Filter, read_first
from foas_emulator.journal.verification import Expectation, Finding, Verification, closest_entries
from foas_emulator.operations.catalogue import OPERATIONS
from foas_emulator.world.loop_lock import LoopLock
from tests.api import Api
from tests.journal.reading import GET, JOURNAL, read, verify
from tests.journal.test_budget import EMPTY, call

T = TypeVar("T")
MS = 1_000_000
BY_NAME = {operation.name: operation for operation in OPERATIONS}


def world_journal(*calls: tuple[int, str]) -> WorldJournal:
    """Entries of these operations, begun at these milliseconds."""
    made = WorldJournal()
    for at, name in calls:
        add(made, name, at=at, status=200)
    return made


def add(made: WorldJournal, name: str, *, at: int = 0, status: int) -> None:
    """Enter a call that was begun at this millisecond."""
    happened = call(0)._replace(operation=BY_NAME[name], status=status, code=None)
    template = EntryTemplate(made, made.usage.count_states_and_get_counters(happened, EMPTY), happened, happened.size)
    template.counters.count += 1
    made.entries.append(Entry(template, "", started=at * MS, ended=at * MS, ended_at=at * MS))


def look(verification: Verification, made: WorldJournal) -> Finding:
    return asyncio.run(verification.look(made))


def differences(made: WorldJournal, **expected: Any) -> list[tuple[str, str | None, str | None]]:
    finding = look(Verification(Expectation.model_validate(expected)), made)
    assert finding.is_certain
    assert finding.holds == (not finding.differences)
    return [(each.field, each.expected, each.actual) for each in finding.differences]


@pytest.mark.parametrize(
    ("count", "found"),
    [
        ({"exactly": 3}, []),
        ({"at_least": 3}, []),
        ({"at_most": 3}, []),
        ({"at_least": 1, "at_most": 4}, []),
        ({"exactly": 2}, [("count", "exactly 2", "3")]),
        ({"at_least": 4}, [("count", "at least 4", "3")]),
        ({"at_most": 2}, [("count", "at most 2", "3")]),
        ({"at_least": 4, "at_most": 5}, [("count", "at least 4 and at most 5", "3")]),
    ],
)
def test_calls_are_counted(count: dict[str, int], found: list[Any]) -> None:
    made = world_journal((0, "StartJob"), (10, "StartJob"), (20, "StartJob"), (30, "CommitJob"))
    assert differences(made, operation="StartJob", count=count) == found


def test_without_a_count_one_call_is_expected() -> None:
    made = world_journal((0, "StartJob"))
    assert differences(made, operation="StartJob") == []
    assert differences(made, operation="CommitJob") == [("count", "at least 1", "0")]


def test_within_counts_the_busiest_stretch_of_that_length() -> None:
    made = world_journal(*((at, "GetJob") for at in (0, 900, 1000, 1900, 5000)))
    assert differences(made, operation="GetJob", within="1s", count={"exactly": 3}) == []
    assert differences(made, operation="GetJob", within="100ms", count={"at_most": 1}) == [
        ("count", "at most 1 within 100ms", "2")
    ]
    assert differences(made, operation="GetJob", within="10s", count={"exactly": 5}) == []


def test_an_order_allows_other_calls_in_between() -> None:
    made = world_journal((0, "CreateJob"), (1, "GetJob"), (2, "CommitJob"), (3, "StartJob"))
    assert differences(made, in_order=["CreateJob", "CommitJob", "StartJob"]) == []
    assert differences(made, in_order=["CommitJob", {"operation": "Create*"}]) == [
        ("in_order[1]", "Create* after CommitJob", None)
    ]
    assert differences(made, in_order=["StartJob", "StartJob"]) == [("in_order[1]", "StartJob after StartJob", None)]
    assert differences(made, in_order=["DeleteJob"]) == [("in_order[0]", "DeleteJob", None)]


def test_an_order_is_that_of_the_beginnings() -> None:
    """An exchange that took long ended after another that began later."""
    made = world_journal((5, "CommitJob"), (0, "CreateJob"))
    assert differences(made, in_order=["CreateJob", "CommitJob"]) == []


def test_a_backoff_grows_from_its_shortest_gap() -> None:
    made = world_journal(*((at, "StartJob") for at in (0, 100, 300, 700)))
    assert differences(made, operation="StartJob", backoff={"min": "100ms", "factor": 2}) == []
    assert differences(made, operation="StartJob", backoff={"min": "100ms", "factor": 2.5}) == [
        ("backoff[1]", "a gap of 250 ms or more", "200 ms"),
        ("backoff[2]", "a gap of 625 ms or more", "400 ms"),
    ]
    assert differences(made, operation="StartJob", backoff={"min": "102ms"}) == [
        ("backoff[0]", "a gap of 102 ms or more", "100 ms")
    ]


def test_a_backoff_of_a_single_call_proves_nothing() -> None:
    assert differences(world_journal((0, "StartJob")), operation="StartJob", backoff={"min": "1s"}) == [
        ("backoff", "at least 2 calls", "1")
    ]


def test_everything_that_is_wrong_is_reported() -> None:
    made = world_journal((0, "StartJob"), (10, "StartJob"))
    wrong = differences(made, operation="StartJob", count={"exactly": 3}, in_order=["DeleteJob"], backoff={"min": "1s"})
    assert [field for field, _, _ in wrong] == ["count", "in_order[0]", "backoff[0]"]


def test_what_happened_is_ok(api: Api) -> None:
    api.ok("GetInstance", **GET)
    assert verify(api, operation="GetInstance", params={"instanceId": 412536}, status=200) == (200, {"ok": True})


def test_what_did_not_happen_is_reported_with_what_came_near(api: Api) -> None:
    api.call("GetInstance", **GET | {"instanceId": 1})
    api.ok("ListJob", projectName="project1", pageIndex=1, pageSize=10)
    status, document = verify(api, operation="GetInstance", params={"jobName": "job1", "instanceId": 2}, status=200)
    assert status == 422
    assert document["ok"] is False
    assert document["hint"] == "count: expected at least 1, got 0."
    assert document["differences"] == [{"field": "count", "expected": "at least 1", "actual": "0"}]
    nearest = document["nearest"][0]
    assert nearest["entry"] == read(api)["entries"][0]
    assert nearest["differences"] == [
        {"field": "params.instanceId", "expected": "2", "actual": "1"},
        {"field": "status", "expected": "200", "actual": "404"},
    ]
    assert document["nearest"][1]["differences"][0] == {
        "field": "operation",
        "expected": "GetInstance",
        "actual": "ListJob",
    }


def test_too_many_calls_are_shown(api: Api) -> None:
    for _ in range(5):
        api.ok("GetInstance", **GET)
    status, document = verify(api, operation="Get*", count={"at_most": 1})
    assert status == 422
    assert [near["entry"]["number"] for near in document["nearest"]] == [5, 4, 3]
    assert all(near["differences"] == [] for near in document["nearest"])


def test_many_differences_are_told_in_short(api: Api) -> None:
    for _ in range(6):
        api.ok("GetInstance", **GET)
    status, document = verify(api, operation="Get*", backoff={"min": "1h"})
    assert status == 422
    assert len(document["differences"]) == 5
    assert document["hint"].endswith("; and 2 more.")


def test_the_parameters_of_a_call_are_shown_once_for_all_its_differences(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.ok("GetInstance", **GET)
    shown: list[Call] = []
    given = Call.given

    def counted(call: Call) -> dict[str, Any]:
        shown.append(call)
        return given(call)

    monkeypatch.setattr(Call, "given", counted)
    wrong = {"projectName": "p", "jobName": "j" * 5000, "instanceId": "1"}
    status, document = verify(api, operation="GetInstance", params=wrong)
    assert status == 422
    assert len(document["nearest"][0]["differences"]) == len(wrong)
    assert f"{'j' * 1000}... of 5000 characters" in [each["expected"] for each in document["nearest"][0]["differences"]]
    assert len(shown) == 2, "once with the entry, and once for its differences"


def test_a_call_without_an_answer_has_no_status() -> None:
    made = WorldJournal()
    add(made, "GetJob", status=0)
    (difference,) = Expectation(operation="GetJob", status=200).differences(made.entries[0].call)
    assert (difference.field, difference.expected, difference.actual) == ("status", "200", None)


@pytest.mark.parametrize("each", [256, 128])
def test_the_globs_of_all_steps_are_bounded_together(api: Api, each: int) -> None:
    """A thousand long ones took 17 seconds of the processor over a few calls."""
    glob = "*" + "?" * (each - 1)
    steps = [{"operation": "StartJob", "params": {"jobName": glob, "projectName": "p" * 300}}] * (16 * 1024 // each)
    assert verify(api, in_order=steps)[0] == 422
    status, document = verify(api, in_order=[*steps, {"operation": "StartJob", "params": {"jobName": "*"}}])
    assert (status, document["hint"]) == (
        400,
        "in_order: the globs of all patterns in order have at most 16384 characters together",
    )


def test_only_the_first_wrong_step_of_many_is_reported(api: Api) -> None:
    """All errors of ten thousand wrong values held all others for 0.14 seconds."""
    status, document = verify(api, in_order=["StartJob", *[{"params": {"jobName": 1.5}}] * 1001, 2])
    assert status == 400
    assert document["hint"].startswith("in_order[1]: ")
    assert "in_order[2]" not in document["hint"]


@pytest.mark.parametrize(
    ("expected", "hint"),
    [
        ({"operation": "StrtJob", "count": {"exactly": 0}}, "there is no operation 'StrtJob'"),
        ({"operation": "StartJob", "params": {"jobname": "x"}}, "there is no parameter 'jobname'"),
        ({"in_order": ["CreateJob", "Nope"]}, "there is no operation 'Nope'"),
        ({"count": {}}, "give exactly"),
        ({"count": {"exactly": 1, "at_most": 2}}, "give exactly"),
        ({"count": {"exactly": -1}}, "greater than or equal to 0"),
        ({"within": "a while"}, "is not a duration"),
        ({"backoff": {"factor": 2}}, "backoff.min"),
        ({"backoff": {"min": "1s", "factor": 0.5}}, "greater than or equal to 1"),
        ({"operations": "StartJob"}, "operations: there is no such member (the nearest is 'operation')"),
        ({"count": {"exacty": 1}}, "count.exacty: there is no such member (the nearest is 'exactly')"),
        (
            {"in_order": [{"operation": "StartJob", "parms": {}}]},
            "in_order[0].parms: there is no such member (the nearest is 'params')",
        ),
        ({f"m{number}": 1 for number in range(30)}, "; and 10 more"),
    ],
)
def test_what_could_never_be_told_is_refused(api: Api, expected: dict[str, Any], hint: str) -> None:
    status, document = verify(api, **expected)
    assert status == 400
    assert hint in document["hint"]


def test_a_verification_waits_until_it_holds(api: Api) -> None:
    """The call that is waited for is held back by a latency, so that the verification is there before it."""
    api.request("POST", "/_emulator/worlds/default/faults", json={"effect": {"latency": "50ms"}})

    async def both() -> tuple[httpx.Response, httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://emulator") as client:
            expected = {"operation": "GetInstance", "timeout": "10s"}
            return await asyncio.gather(
                client.post("/_emulator/worlds/default/journal/verify", json=expected),
                client.get("/api/v2/projects/project1/jobs/job1/instances/412536"),
            )

    verified, answered = asyncio.run(both())
    assert (verified.status_code, answered.status_code) == (200, 200)


def test_a_verification_waits_for_no_other_call_if_one_ends_during_its_first_look(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A journal of many entries is compared in slices, between which calls are served."""
    looks: list[Finding] = []

    async def verify_while_called() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://emulator") as client:

            async def slow_look(verification: Verification, made: WorldJournal) -> Finding:
                looks.append(await before(verification, made))
                if len(looks) == 1:
                    await client.get("/api/v2/projects/project1/jobs/job1/instances/412536")
                return looks[-1]

            monkeypatch.setattr(Verification, "look", slow_look)
            expected = {"operation": "GetInstance", "timeout": "300s"}
            return await asyncio.wait_for(client.post("/_emulator/worlds/default/journal/verify", json=expected), 200)

    before = Verification.look
    assert asyncio.run(verify_while_called()).status_code == 200
    assert [found.holds for found in looks] == [False, True]


def test_a_verification_gives_up_when_its_time_is_over(api: Api) -> None:
    status, _ = verify(api, operation="GetInstance", timeout="50ms")
    assert status == 422


class _Counting(Expectation):
    """Counts the calls that it is compared with."""

    def matches(self, call: Call) -> bool:
        compared.append(call)
        return super().matches(call)


compared: list[Call] = []


def test_a_verification_that_looks_again_compares_only_what_is_new() -> None:
    compared.clear()
    made = world_journal(*[(at, "StartJob") for at in range(100)])
    verification = Verification(_Counting.model_validate({"operation": "StartJob", "count": {"exactly": 102}}))
    for _ in range(3):
        assert not look(verification, made).holds
    assert len(compared) == 100
    for at in (100, 101):
        add(made, "StartJob", at=at, status=200)
        finding = look(verification, made)
    assert finding.holds
    assert len(compared) == 102


def test_repetitions_of_a_call_are_compared_once() -> None:
    compared.clear()
    made = world_journal((0, "StartJob"))
    for at in range(1, 100):
        made.entries.append(made.entries[0]._replace(started=at * MS))
        made.entries[0].template.counters.count += 1
    verification = Verification(_Counting.model_validate({"operation": "StartJob", "count": {"exactly": 100}}))
    assert look(verification, made).holds
    assert len(compared) == 1


class _Yields:
    """Counts how often others were served."""

    def __init__(self) -> None:
        self.count = 0

    async def during(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.ensure_future(work)
        while not task.done():
            self.count += 1
            await asyncio.sleep(0)
        return task.result()


@pytest.mark.usefixtures("every_slice_ends_at_once")
def test_others_are_served_between_comparisons() -> None:
    made = world_journal(*[(at, "StartJob") for at in range(100)])
    steps = Expectation.model_validate({"in_order": ["StartJob"] * 50 + ["CommitJob"]})
    yields = _Yields()
    finding = asyncio.run(yields.during(Verification(steps).look(made)))
    assert [each.field for each in finding.differences] == ["in_order[50]"]
    assert yields.count > 100 * 50
    yields = _Yields()
    closest = asyncio.run(yields.during(closest_entries(made, steps)))
    assert [number for number, _ in closest] == [100, 99, 98]
    assert yields.count > 100
    yields = _Yields()
    page = asyncio.run(yields.during(read_first(made, Filter(operation="Start*"), after=10, limit=5)))
    assert ([number for number, _ in page.entries], page.total, page.after) == ([11, 12, 13, 14, 15], 100, 15)
    assert yields.count > 100


@pytest.mark.usefixtures("every_slice_ends_at_once")
def test_a_look_that_was_interrupted_is_continued() -> None:
    made = world_journal(*[(at, "StartJob") for at in range(100)])
    verification = Verification(Expectation.model_validate({"operation": "StartJob", "count": {"exactly": 100}}))

    async def interrupt() -> None:
        first = asyncio.ensure_future(verification.look(made))
        for _ in range(10):
            await asyncio.sleep(0)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await verification.look(made)).holds

    asyncio.run(interrupt())


def test_a_long_backoff_is_reported_in_part() -> None:
    made = world_journal(*((at, "StartJob") for at in range(1000)))
    assert len(differences(made, operation="StartJob", backoff={"min": "1h", "factor": 1000})) == 100


def test_an_entry_that_was_seen_counts_though_the_journal_has_lost_it_since() -> None:
    made = world_journal((0, "StartJob"))
    verification = Verification(Expectation.model_validate({"operation": "StartJob", "count": {"exactly": 2}}))
    assert not look(verification, made).holds
    add(made, "StartJob", at=1, status=200)
    made.entries.popleft()
    assert look(verification, made).holds
    add(made, "CommitJob", at=2, status=200)
    add(made, "CommitJob", at=3, status=200)
    for _ in range(2):
        made.entries.popleft()
    assert not look(verification, made).is_certain, "one was lost before anybody saw it"


def test_a_verification_begins_anew_when_its_journal_does() -> None:
    verification = Verification(Expectation.model_validate({"operation": "StartJob", "count": {"exactly": 1}}))
    assert look(verification, world_journal((0, "StartJob"))).holds
    assert not look(verification, WorldJournal()).holds


@pytest.mark.parametrize("arrival", [("StartJob", "CommitJob"), ("CommitJob", "StartJob")])
def test_an_order_is_that_of_the_beginnings_whenever_entries_are_seen(arrival: tuple[str, str]) -> None:
    begun = {"CommitJob": 0, "StartJob": 1}
    verification = Verification(Expectation.model_validate({"in_order": ["CommitJob", "StartJob"]}))
    made = WorldJournal()
    for name in arrival:
        assert not look(verification, made).holds
        add(made, name, at=begun[name], status=200)
    assert look(verification, made).holds


def test_only_those_who_wait_for_this_world_are_woken() -> None:
    journal, woken = Journal(budget=10_000), []
    first = journal.template("first", call(0), EMPTY)
    second = journal.template("second", call(0), EMPTY)
    with (
        journal.watched("first", lambda: woken.append("first")),
        journal.watched("second", lambda: woken.append("second")),
    ):
        journal.write(first, "", 0)
        assert woken == ["first"]
        journal.write(second, "", 0)
        assert woken == ["first", "second"]
    journal.write(first, "", 0)
    assert woken == ["first", "second"]


def test_the_longer_a_check_takes_the_longer_is_the_pause_before_the_next(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check of all that was counted before takes longer and longer, and would leave no time for the calls."""
    looks, look_at = 0, Verification.look

    async def long_look(verification: Verification, made: WorldJournal) -> Finding:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0.04)
        return await look_at(verification, made)

    async def wait() -> Finding:
        journal, request = Journal(budget=100_000), Request({"type": "http"}, asyncio.Queue[Any]().get)
        template = journal.template("default", call(0), EMPTY)
        expected = Expectation.model_validate({"operation": "StartJob", "timeout": "1s"})
        waiting = asyncio.ensure_future(
            control._verify_until(api.registry, journal, "default", expected, request=request, lock=LoopLock())
        )
        while not waiting.done():
            journal.write(template, "", 0)
            await asyncio.sleep(0.01)
        return waiting.result()

    monkeypatch.setattr(Verification, "look", long_look)
    assert not asyncio.run(wait()).holds
    assert looks < 8  # and not twenty


def _verified_after(api: Api, change: tuple[str, str], **expected: Any) -> httpx.Response:
    """Verify for minutes while something else is asked of the control API; return the answer to the verification."""

    async def both() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://emulator") as client:
            body = {**expected, "timeout": "300s"}
            waiting = asyncio.ensure_future(client.post("/_emulator/worlds/default/journal/verify", json=body))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            await client.request(change[0], f"/_emulator/worlds/default{change[1]}")
            return await asyncio.wait_for(waiting, 60)

    return asyncio.run(both())


@pytest.mark.parametrize("change", [("DELETE", "/journal"), ("POST", "/reset"), ("PUT", "")])
def test_a_verification_that_waits_notices_that_the_journal_was_forgotten(api: Api, change: tuple[str, str]) -> None:
    api.call("GetInstance", **GET)
    assert _verified_after(api, change, operation="GetInstance", count={"exactly": 0}).status_code == 200


def test_a_verification_that_waits_ends_with_its_world(api: Api) -> None:
    answer = _verified_after(api, ("DELETE", ""), operation="GetInstance")
    assert (answer.status_code, answer.json()["no_world"]) == (404, "default")


def test_a_verification_keeps_no_instants_of_calls_that_are_only_counted() -> None:
    verified = Verification(Expectation.model_validate({"operation": "StartJob", "count": {"at_least": 3}}))
    made = world_journal((0, "StartJob"), (1, "StartJob"))
    assert look(verified, made).differences[0].actual == "2"
    add(made, "StartJob", at=2, status=200)
    assert look(verified, made).holds
    assert verified._fitting == []


def test_a_pause_is_not_longer_because_others_checked_before(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    looks, look_at = 0, Verification.look

    async def counted_look(verification: Verification, made: WorldJournal) -> Finding:
        nonlocal looks
        looks += 1
        return await look_at(verification, made)

    async def wait() -> None:
        journal, request = Journal(budget=100_000), Request({"type": "http"}, asyncio.Queue[Any]().get)
        lock = LoopLock()
        template = journal.template("default", call(0), EMPTY)
        expected = Expectation.model_validate({"operation": "StartJob", "timeout": "4s"})
        waiting = asyncio.ensure_future(
            control._verify_until(api.registry, journal, "default", expected, request=request, lock=lock)
        )
        while not waiting.done() and looks <= 10:
            journal.write(template, "", 0)
            async with lock:  # as the check of a long journal
                await asyncio.sleep(0.05)
            await asyncio.sleep(0)
        waiting.cancel()

    monkeypatch.setattr(Verification, "look", counted_look)
    asyncio.run(wait())
    assert looks > 10  # with pauses ten times as long as the lock was held, there would be eight in this time


def test_what_is_found_in_a_thread_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world_journal(*[(at * 10, "StartJob") for at in range(20)])
    found = []
    for at_once in (10_000, 10):
        monkeypatch.setattr(verification, "_FOUND_AT_ONCE", at_once)
        expected = {"operation": "StartJob", "within": "55ms", "backoff": {"min": "10ms", "factor": 2}}
        found.append(differences(made, **expected, count={"at_least": 7}))
    assert found[0] == found[1]
    assert found[0][0] == ("count", "at least 7 within 55ms", "6")


def test_the_closest_of_many_entries_are_the_latest_that_differ_least(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verification, "_RANKED_AT_ONCE", 5)
    made = world_journal(*[(at, "StartJob" if at in (3, 40) else "CommitJob") for at in range(50)])
    closest = asyncio.run(closest_entries(made, Expectation.model_validate({"operation": "StartJob"})))
    assert [number for number, _ in closest] == [41, 4, 50]


def test_a_call_takes_no_longer_for_those_who_wait_for_other_worlds() -> None:
    journal, names = Journal(budget=10**7), [f"w{number}" for number in range(50)]
    asked: list[str] = []

    class Journals(OrderedDict[str, WorldJournal]):
        def get(self, name: str, default: Any = None) -> Any:
            asked.append(name)
            return super().get(name, default)

    template = journal.template("w0", call(0), EMPTY)
    journal._world_journals = Journals(journal._world_journals)
    with ExitStack() as waiting:
        for name in names:
            waiting.enter_context(journal.watched(name, lambda: None))
        journal.write(template, "", 0)
    assert asked == ["w0"]


@pytest.mark.parametrize("timeout", ["301s", "1h", 10**9])
def test_nobody_waits_for_ever(api: Api, timeout: str | int) -> None:
    status, document = verify(api, operation="GetInstance", timeout=timeout)
    assert status == 400
    assert "timeout" in document["hint"]


def test_a_verification_ends_when_its_client_has_left(api: Api) -> None:
    body = json.dumps({"operation": "StartJob", "timeout": "300s"}).encode()
    path = "/_emulator/worlds/default/journal/verify"
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"content-length", b"%d" % len(body))],
    }
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if messages:
            return messages.pop()
        await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        pass

    asyncio.run(asyncio.wait_for(api.app(scope, receive, send), 200))


@pytest.mark.usefixtures("every_slice_ends_at_once")
def test_others_are_served_while_the_steps_are_checked() -> None:
    steps = Expectation.model_validate({"in_order": ["StartJob"] * 50})
    yields = _Yields()
    asyncio.run(yields.during(steps.check_scope(OPERATIONS)))
    assert yields.count > 50


def test_verifications_that_are_under_way_share_a_budget(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "MOST_VERIFYING", 3_000_000)

    async def test() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://localhost") as client:
            expected = {"in_order": ["StartJob"] * 1000, "timeout": "1m"}
            both = [asyncio.create_task(client.post(f"{JOURNAL}/verify", json=expected)) for _ in range(2)]
            (refused,), (waiting,) = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            assert refused.result().status_code == 503
            assert refused.result().json()["hint"] == "Ask again when others are done, or choose shorter timeouts."
            waiting.cancel()

    asyncio.run(test())
    assert verify(api, in_order=["StartJob"])[0] == 422
