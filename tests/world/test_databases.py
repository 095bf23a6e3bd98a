"""All worlds in memory share a number of bytes, within which each grows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from foas_emulator.world import databases
from foas_emulator.world.file_errors import WorldFullError
from foas_emulator.world.memory_registry import MemoryRegistry
from tests.api import Api, open_api
from tests.control.conftest import Control
from tests.operations import building

LIMIT = 4 * 1024 * 1024
JOB: dict[str, Any] = {"projectName": "p", "jobType": "FLINK_STREAM", "apiType": "SQL"}


@contextmanager
def small() -> Iterator[tuple[Api, Control]]:
    """An emulator whose worlds may have a few mebibytes; in the end, no byte is counted that no world has."""
    with open_api(world_bytes=LIMIT) as api:
        building.project_with_queue(api)
        yield api, Control(api)
        assert held(api) == api.registry.databases.size
        for name in api.registry.names():
            api.registry.drop(name)
        assert api.registry.databases.size == 0


def held(api: Api) -> int:
    assert isinstance(api.registry, MemoryRegistry)
    return sum(world.store.size for world in api.registry._worlds.values())


def fill(api: Api, most: int = 20) -> int:
    """Create jobs of 400 kB until one is refused; return the number of those that there are."""
    for number in range(most):
        answer = api.call("CreateJob", **JOB, jobName=f"j{number}", code="x" * 400_000)
        if answer.status != 200:
            assert (answer.status, answer.code) == (503, "ServiceUnavailable")
            assert answer.hint.startswith("The world is full: all those in memory hold ")
            assert answer.hint.endswith(
                f"together and may hold {LIMIT}; drop some, serve with --data-dir, or allow more with the setting "
                "world_bytes."
            )
            return number
    raise AssertionError("nothing was refused")


def test_a_world_grows_until_all_together_have_their_bytes_and_goes_on_after_a_deletion() -> None:
    with small() as (api, _):
        count = fill(api)
        assert LIMIT - 500_000 < api.registry.databases.size <= LIMIT
        api.ok("UpdateJob", projectName="p", jobName="j0", code="SELECT 1")
        api.ok("CreateJob", **JOB, jobName=f"j{count}", code="x" * 300_000)
        api.ok("ListJob", projectName="p")


def test_worlds_are_refused_while_there_is_no_room_and_made_again_once_one_is_dropped() -> None:
    with small() as (api, control):
        control.ok("PUT", "/worlds/large", {"fork": "default"}, status=201)
        fill(api)
        held_before = api.registry.databases.size
        refused = control.send("PUT", "/worlds/fork", {"fork": "default"})
        assert (refused.status_code, refused.json()["error"]) == (503, "The world is full.")
        assert "world_bytes" in refused.json()["hint"]
        assert "world_bytes" in control.send("PUT", "/worlds/large", {"fork": "default"}).json()["hint"]
        assert api.registry.databases.size == held_before
        assert api.registry.names() == ["default", "large"]
        control.ok("POST", "/worlds/default/reset")
        control.ok("PUT", "/worlds/fork", {"fork": "default"}, status=201)


def test_a_reset_to_less_needs_no_room() -> None:
    with open_api(world_bytes=LIMIT) as api:
        control = Control(api)
        building.project_with_queue(api)
        fill(api)

        control.ok("POST", "/worlds/default/reset")
        assert held(api) == api.registry.databases.size < LIMIT // 2


def test_what_replaces_a_world_is_counted_in_its_place() -> None:
    with small() as (api, control):
        before = api.registry.databases.size
        for call in (
            ("PUT", "/worlds/default", {"fork": "default"}),
            ("POST", "/worlds/default/seed", {"projects": [{"Name": "another"}]}),
            ("PUT", "/worlds/default/snapshot", control.ok("GET", "/worlds/default/snapshot")),
            ("POST", "/worlds/default/reset", None),
            ("PUT", "/worlds/default", {"seed": "empty"}),
        ):
            assert control.send(*call).status_code < 300
            assert held(api) == api.registry.databases.size
        assert api.registry.databases.size < before


def test_a_world_is_limited_no_longer_once_there_is_room_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with small() as (api, _):
        share = api.world.store._share
        assert share is not None
        fill(api)
        assert share.is_limited
        monkeypatch.setattr(databases, "_LONGEST_GROWTH", 1_000_000)
        api.registry.databases.limit *= 2
        api.ok("CreateJob", **JOB, jobName="large", code="x" * 3_000_000)
        assert not share.is_limited


def test_nothing_larger_takes_the_place_of_a_world_while_there_is_no_room() -> None:
    with small() as (api, control):
        for number in range(2):
            api.ok("CreateJob", **JOB, jobName=f"large{number}", code="x" * 400_000)
        large = control.ok("GET", "/worlds/default/snapshot")
        control.ok("PUT", "/worlds/wide", {"fork": "default"}, status=201)
        control.ok("PUT", "/worlds/narrow", {"seed": "empty"}, status=201)
        control.ok("PUT", "/worlds/wide/snapshot", control.ok("GET", "/worlds/narrow/snapshot"), status=204)
        fill(api)
        size, before = api.registry.databases.size, control.ok("GET", "/worlds/wide/snapshot")
        projects = [{"Name": f"p{number}", "ClusterId": f"c{number % 3}"} for number in range(900)]
        wide = {"clusters": [{"ClusterId": f"c{number}"} for number in range(3)], "projects": projects}
        for call in (
            ("PUT", "/worlds/narrow/snapshot", large),
            ("POST", "/worlds/narrow/seed", wide),
            ("POST", "/worlds/wide/reset", None),
        ):
            refused = control.send(*call)
            assert (refused.status_code, refused.json()["error"]) == (503, "The world is full."), call
            assert api.registry.databases.size == held(api) <= max(size, LIMIT), call
        assert control.ok("GET", "/worlds/wide/snapshot") == before


def test_changes_that_are_due_happen_in_a_full_world_so_that_deletions_go_on() -> None:
    with small() as (api, control):
        control.ok("PUT", "/worlds/default/settings", {"start_delay": "1h"})
        for number in range(60):
            building.online_job(api, f"due{number}")
            api.ok("StartJob", projectName="p", jobName=f"due{number}")
        fill(api)
        moved = control.ok("POST", "/worlds/default/clock/advance", {"by": "2h"})
        assert moved["changes_total"] == 60
        api.ok("DeleteJob", projectName="p", jobName="j0")
        assert api.registry.databases.size < LIMIT


def test_the_last_number_of_a_counter_is_no_lack_of_room() -> None:
    with small() as (api, _):
        fill(api)
        with pytest.raises(WorldFullError, match="has given out the last number"), api.world.transaction():
            raise WorldFullError("its counter 'x' has given out the last number", "reset or drop it")
