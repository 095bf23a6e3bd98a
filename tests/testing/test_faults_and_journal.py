"""The handles of a world's faults and journal that a test has."""

import errno
import json
import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from foas_emulator.testing import Emulator, EmulatorError, World, client, journal
from foas_emulator.testing.artifacts import load_artifact, save_artifact

DOCUMENTED = {"projectName": "project1", "jobName": "job1", "instanceId": "412536"}
INSTANCE = "/api/v2/projects/project1/jobs/job1/instances"


@pytest.fixture
def world(emulator: Emulator) -> Iterator[World]:
    world = emulator.world()
    world.create()
    yield world
    world.drop()


def read(world: World, path: str) -> str:
    with build_opener(ProxyHandler({})).open(f"{world.endpoint}{path}") as response:
        text: str = response.read().decode()
        return text


def get(world: World, instance_id: int = 412536) -> int:
    """Ask for an instance; answers the status, 0 for none."""
    request = Request(f"{world.endpoint}{INSTANCE}/{instance_id}", headers=world.headers)
    try:
        with build_opener(ProxyHandler({})).open(request) as response:
            return int(response.status)
    except HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def test_a_rule_is_armed_counted_and_disarmed(world: World) -> None:
    rule = world.faults.arm({"error": "Forbidden"}, operation="Get*", params={"instanceId": 412536}, skip=1, times=2)
    assert [get(world) for _ in range(2)] == [200, 403]
    assert world.faults.hits(rule) == 1
    assert [(each["id"], each["seen"], each["hits"]) for each in world.faults.rules()] == [(rule, 2, 1)]
    world.faults.disarm(rule)
    assert get(world) == 200
    assert world.faults.rules() == []


def test_all_rules_are_disarmed_at_once(world: World) -> None:
    for _ in range(2):
        world.faults.arm({"drop": True}, after_commit=True, probability=1, ttl="1m")
    assert get(world) == 0
    world.faults.disarm()
    assert get(world) == 200


def test_a_rule_that_could_never_strike_is_refused(world: World) -> None:
    with pytest.raises(EmulatorError, match="the nearest is 'StartJob'") as refusal:
        world.faults.arm({"drop": True}, operation="StrtJob")
    assert refusal.value.status == 400


def test_what_was_called_can_be_read(world: World) -> None:
    assert [get(world), get(world, 1)] == [200, 404]
    entries = world.journal.entries()
    assert [entry["status"] for entry in entries] == [200, 404]
    assert world.journal.entries(code="*NotFound", operation="Get*") == entries[1:]
    found = world.journal.entry(entries[0]["request_id"])
    assert entries[0].items() <= found.items()
    assert json.loads(found["answer"]["body"])["RequestId"] == entries[0]["request_id"]
    world.journal.clear()
    assert world.journal.entries() == []


def test_of_several_calls_with_one_id_the_latest_is_found_or_the_one_with_a_number(
    world: World, tmp_path: Path
) -> None:
    before = world.snapshot()
    for instance_id in (412536, 1):
        world.restore(before)
        get(world, instance_id)
    first, second = world.journal.entries()
    assert (first["status"], second["status"]) == (200, 404)
    request_id = first["request_id"]
    assert second["request_id"] == request_id
    assert world.journal.entry(request_id)["number"] == 2
    assert [world.journal.entry(request_id, number=each)["number"] for each in (1, 2)] == [1, 2]
    with pytest.raises(EmulatorError, match="has no request"):
        world.journal.entry(request_id, number=3)
    save_artifact(tmp_path, world, test="a test", report="")
    assert [call["status"] for call in load_artifact(tmp_path).calls] == [200, 404]


@pytest.mark.parametrize("nth", [1, 2, 3, 4])
def test_a_disk_that_is_full_leaves_each_file_of_an_older_artifact_whole(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    save_artifact(tmp_path, world, test="a test", report="older")
    before, synced = {file: file.read_bytes() for file in tmp_path.iterdir()}, count(1)
    get(world, 412536)

    def refuse(_: int) -> None:
        if next(synced) == nth:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        save_artifact(tmp_path, world, test="a test", report="newer")
    after = {file: file.read_bytes() for file in tmp_path.iterdir()}
    kept = ("snapshot.json", "journal.json", "report.txt", "README.md")[nth - 1 :]
    assert after.keys() == before.keys()
    assert all(after[tmp_path / name] == before[tmp_path / name] for name in kept)


def test_the_console_leads_from_each_of_several_calls_with_one_id_to_itself(world: World) -> None:
    before = world.snapshot()
    for instance_id in (412536, 1):
        world.restore(before)
        get(world, instance_id)
    journal_page = read(world, f"/_emulator/console/w/{world.name}/journal")
    links = re.findall('data-number="([12])".*?href="([^"]+/journal/[^"]+)"', journal_page, re.DOTALL)
    refused = {number: "InvalidInstance.NotFound" in read(world, link).split("<footer")[0] for number, link in links}
    assert refused == {"1": False, "2": True}


def test_a_long_journal_is_read_as_a_whole(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_PAGE", 2)
    for _ in range(5):
        get(world)
    assert [entry["number"] for entry in world.journal.entries()] == [1, 2, 3, 4, 5]
    for last in range(1, 8):
        assert [entry["number"] for entry in world.journal.entries(last=last)] == [1, 2, 3, 4, 5][-last:]
        assert [entry["number"] for entry in world.journal.entries(last=last, failed=False)] == [1, 2, 3, 4, 5][-last:]
    assert world.journal.entries(last=5, operation="StartJob") == []
    assert [entry["number"] for entry in world.journal.entries(after=1, before=5)] == [2, 3, 4]
    assert [entry["number"] for entry in world.journal.entries(after=1, before=5, last=2)] == [3, 4]


@pytest.mark.parametrize("last", [0, -1])
def test_no_last_entries_cannot_be_asked_for(world: World, last: int) -> None:
    with pytest.raises(EmulatorError, match="last: ") as refusal:
        world.journal.entries(last=last)
    assert refusal.value.status == 400


def test_what_was_called_is_asserted(world: World) -> None:
    get(world)
    get(world, 1)
    world.journal.assert_called("GetInstance", params={"jobName": "job?"}, exactly=2, within="10s")
    world.journal.assert_called("GetInstance", status=404, at_least=1, at_most=1)
    world.journal.assert_called("GetInstance", min_gap="0ms", growth=1)
    world.journal.assert_not_called("StartJob")
    world.journal.assert_in_order(["GetInstance", {"operation": "GetInstance", "status": 404}])


def test_a_failed_assertion_tells_what_came_near(world: World) -> None:
    get(world, 1)
    with pytest.raises(AssertionError) as failure:
        world.journal.assert_called("GetInstance", params={"instanceId": 2}, status=200, timeout="10ms")
    assert str(failure.value).splitlines() == [
        f"World {world.name} was not called as expected.",
        "count: expected at least 1, got 0",
        "The nearest calls:",
        f"  #1 GetInstance {json.dumps(DOCUMENTED | {'instanceId': '1'})} -> 404 InvalidInstance.NotFound",
        "    params.instanceId: expected 2, got 1",
        "    status: expected 200, got 404",
    ]


def test_a_failed_assertion_about_a_world_nobody_called_says_so(world: World) -> None:
    with pytest.raises(
        AssertionError, match=r"in_order\[0\]: expected GetInstance, got nothing\nIt was not called at all"
    ):
        world.journal.assert_in_order(["GetInstance"])


def test_a_call_that_must_not_have_been_made_is_shown(world: World) -> None:
    get(world)
    with pytest.raises(AssertionError, match="#1 GetInstance"):
        world.journal.assert_not_called("Get*")


def test_an_assertion_waits_longer_than_any_other_request(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TIMEOUT", 0.05)
    with pytest.raises(AssertionError, match="was not called as expected"):
        world.journal.assert_called("StartJob", timeout="500ms")


def test_an_assertion_about_what_nobody_can_call_is_refused(world: World) -> None:
    with pytest.raises(EmulatorError, match="StrtJob"):
        world.journal.assert_not_called("StrtJob")


def test_the_journal_never_guesses_about_what_it_has_lost() -> None:
    with Emulator(journal_bytes=2000) as emulator:
        world = emulator.world("w")
        for _ in range(10):
            get(world)
        with pytest.raises(EmulatorError, match="has lost the first") as refusal:
            world.journal.assert_not_called("StartJob")
    assert refusal.value.status == 409


def test_what_was_exercised_can_be_read(emulator: Emulator, world: World) -> None:
    get(world)
    assert emulator.coverage()["worlds"][world.name]["operations"]["GetInstance"]["calls"] == 1
