import asyncio
import gc
import json
import threading
import weakref
from typing import Any
from unittest.mock import patch

import pytest

from foas_emulator.control import merging
from foas_emulator.control.images import one_large_at_a_time
from foas_emulator.control.off_loop import LARGE, SMALL, _Worker, off_loop
from foas_emulator.garbage import MANY, in_steps
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.operations.jobs.rows import PlanSession
from foas_emulator.operations.projects.rows import Project
from foas_emulator.seeds import applying, image
from foas_emulator.seeds.document import SeedDocument
from foas_emulator.world.world import World
from tests.api import open_api


def test_what_is_small_is_done_at_once_and_what_is_not_by_another_thread() -> None:
    async def threads() -> list[str]:
        return [await off_loop(size, lambda: threading.current_thread().name) for size in (SMALL, SMALL + 1, LARGE + 1)]

    assert asyncio.run(threads()) == [threading.current_thread().name, "small documents", "large documents"]


def test_what_refused_work_held_is_freed_without_the_collector() -> None:
    class Document:
        def read(self) -> None:
            raise ValueError("unreadable")

    freed = threading.Event()

    async def refused() -> None:
        document = Document()
        weakref.finalize(document, freed.set)
        with pytest.raises(ValueError, match="unreadable"):
            await off_loop(SMALL + 1, document.read)

    gc.disable()
    try:
        asyncio.run(refused())
        assert freed.wait(60)  # the thread may still be about to leave its frame
    finally:
        gc.enable()


def test_a_small_document_does_not_wait_for_a_large_one() -> None:
    may_end = threading.Event()

    async def small_beside_large() -> tuple[str, bool]:
        large = asyncio.ensure_future(off_loop(LARGE + 1, lambda: may_end.wait(60)))
        small = await off_loop(SMALL + 1, lambda: "small")
        is_waiting = not large.done()
        may_end.set()
        assert await large
        return small, is_waiting

    assert asyncio.run(small_beside_large()) == ("small", True)


def test_what_it_raises_is_raised_where_it_is_waited_for_and_it_goes_on() -> None:
    def fail() -> None:
        raise LookupError("gone")

    async def fail_then_work() -> str:
        with pytest.raises(LookupError, match="gone"):
            await off_loop(SMALL + 1, fail)
        return await off_loop(SMALL + 1, lambda: "done")

    assert asyncio.run(fail_then_work()) == "done"


def test_the_objects_that_work_made_are_frozen_before_the_collector_goes_on_if_it_collects_in_steps() -> None:
    def make_many() -> list[list[None]]:
        return [[] for _ in range(2 * MANY)]

    frozen: list[bool] = []
    with patch("gc.freeze", side_effect=lambda: frozen.append(gc.isenabled())):
        asyncio.run(off_loop(SMALL + 1, make_many))
        assert not frozen  # the process is a test's, too
        with in_steps():
            frozen.clear()
            asyncio.run(off_loop(SMALL + 1, make_many))
            assert frozen[0] is False


def test_work_that_finds_no_thread_is_refused_and_the_next_one_asks_for_one_again() -> None:
    worker = _Worker("of this test")
    refused = patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start new thread"))
    with refused, pytest.raises(RuntimeError):
        worker.submit(lambda: "refused")
    assert worker.submit(lambda: "done").result(timeout=60) == "done"


def test_the_collector_rests_while_any_is_at_work_and_goes_on_afterwards() -> None:
    def is_collecting() -> bool:
        return gc.isenabled()

    async def both() -> list[bool]:
        return list(await asyncio.gather(off_loop(SMALL + 1, is_collecting), off_loop(LARGE + 1, is_collecting)))

    assert gc.isenabled()
    assert asyncio.run(both()) == [False, False]
    assert gc.isenabled()


def test_no_thread_of_it_keeps_a_process_alive() -> None:
    asyncio.run(off_loop(LARGE + 1, lambda: None))
    assert [thread.daemon for thread in threading.enumerate() if "documents" in thread.name] != []
    assert all(thread.daemon for thread in threading.enumerate() if "documents" in thread.name)


def test_a_small_seed_is_applied_to_a_new_world_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of what it is made of, taken on the loop, held all others for 0.35 seconds where that is large."""
    monkeypatch.setattr(merging, "_merged", lambda *_, **__: pytest.fail("it was copied"))
    with open_api(seed=("empty",)) as api:
        answer = api.request("POST", "/_emulator/worlds/mine/seed", json={"projects": [{"Name": "one"}]})
        assert answer.status_code == 204, answer.text
        assert api.registry.open_or_create("mine").store.count(Project) == 1


def test_large_seeds_for_new_worlds_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def noting(size: int) -> Any:
        sizes.append(size)
        return one_large_at_a_time(size)

    monkeypatch.setattr(merging, "one_large_at_a_time", noting)
    with open_api(seed=("empty",)) as api:
        seed = json.dumps({"projects": [{"Name": "one"}]}) + " " * SMALL
        answer = api.request("POST", "/_emulator/worlds/mine/seed", content=seed)
        assert answer.status_code == 204, answer.text
        assert sizes == [max(len(seed), len(api.registry.image))]


RUNS = "x-runs: &runs [{}, {}]"
PROJECTS = "projects: [{Name: one, jobs: &jobs [{JobName: a, instances: *runs}]}, {Name: two, jobs: *jobs}]"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/worlds/mine", f"seed:\n  {RUNS}\n  {PROJECTS}"),
        ("POST", "/worlds/mine/seed", f"{RUNS}\n{PROJECTS}"),
    ],
)
def test_a_short_document_that_repeats_itself_is_worked_on_by_another_thread(method: str, path: str, body: str) -> None:
    threads: set[str] = set()

    def noting(world: World, document: SeedDocument) -> None:
        threads.add(threading.current_thread().name)
        applying.apply(world, document)

    with open_api(seed=("empty",)) as api, patch.object(merging, "apply", noting), patch.object(image, "apply", noting):
        answer = api.request(method, f"/_emulator{path}", content=body, headers={"content-type": "application/yaml"})
        assert answer.status_code in (201, 204), answer.text
        assert api.registry.open_or_create("mine").store.count(Instance) == 4
    assert threads == {"small documents"}


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the threads that merged a seed into a copy."""
    names: list[str] = []
    merged = merging._merged

    def noting(*given: Any, **options: Any) -> bytes:
        names.append(threading.current_thread().name)
        return merged(*given, **options)

    monkeypatch.setattr(merging, "_merged", noting)
    return names


def test_a_short_seed_that_replaces_thousands_of_rows_is_merged_beside_the_loop(copied: list[str]) -> None:
    with open_api(seed=("empty",)) as api:

        def merge(name: str, jobs: int) -> None:
            project = {"Name": name, "jobs": [{"JobName": f"j{number}"} for number in range(jobs)]}
            answer = api.request("POST", "/_emulator/worlds/default/seed", json={"projects": [project]})
            assert answer.status_code == 204, answer.text

        merge("many", 1100)
        copied.clear()
        merge("other", 0)
        assert copied == []
        merge("many", 0)
        assert copied == ["small documents"]

        merge("planned", 1)
        world = api.registry.open_or_create("default")
        with world.transaction():
            for number in range(1100):
                world.store.insert(
                    PlanSession.model_construct(
                        session_id=f"s{number}", project_name="planned", job_name="j0", status="success"
                    )
                )
        copied.clear()
        merge("planned", 0)
        assert copied == ["small documents"]


def test_what_a_large_seed_replaces_is_not_counted_on_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are several counts for each of its projects."""
    counted: list[int] = []

    def counting(_: World, seed: SeedDocument) -> int:
        counted.append(len(seed.projects))
        return 0

    monkeypatch.setattr(merging, "_replaced", counting)
    with open_api(seed=("empty",)) as api:
        for number in (2, 200):
            projects = [{"Name": f"p{each}"} for each in range(number)]
            answer = api.request("POST", "/_emulator/worlds/default/seed", json={"projects": projects})
            assert answer.status_code == 204, answer.text
    assert counted == [2]


def test_a_short_seed_is_merged_beside_the_loop_into_a_new_world_that_is_made_of_a_large_one(
    copied: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_api(seed=("empty",)) as api:
        monkeypatch.setattr(merging, "LARGE", len(api.registry.image) - 1)
        answer = api.request("POST", "/_emulator/worlds/new/seed", json={"projects": [{"Name": "other"}]})
        assert answer.status_code == 204, answer.text
        assert api.registry.open_or_create("new").store.count(Project) == 1
    assert copied == ["small documents"]
