"""Large worlds take over a database, or files, that were staged outside the event loop."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from threading import current_thread
from typing import Any

import httpx
import pytest

from foas_emulator.control import documents, images, merging, resetting, staging
from foas_emulator.faults.rules import ArmedRule, Window, rules_of
from foas_emulator.seeds.applying import apply
from foas_emulator.seeds.document import SeedDocument
from foas_emulator.world import copying, pending
from foas_emulator.world.connections import Connections
from foas_emulator.world.copying import image_of_world
from foas_emulator.world.file_errors import WorldFileError
from foas_emulator.world.file_registry import FileRegistry
from foas_emulator.world.pending import PendingChange, postpone
from foas_emulator.world.registry import Registry
from foas_emulator.world.staging import StagedImage
from foas_emulator.world.store import Store
from foas_emulator.world.world import World
from tests.api import open_api
from tests.control.conftest import Control
from tests.renewing import renewed

DEFAULT = "/worlds/default"


@pytest.fixture(autouse=True)
def every_image_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (copying, documents, images, resetting, staging):
        monkeypatch.setattr(module, "LARGE", 1)


@pytest.fixture
def control(data_dir: Path | None) -> Iterator[Control]:
    with open_api(data_dir=data_dir) as api:
        yield Control(api)
        if data_dir is not None:
            assert not list(data_dir.glob("*.new"))


def add(control: Control, name: str) -> None:
    control.ok("POST", f"{DEFAULT}/seed", {"projects": [{"Name": name}]}, status=204)


def dump(control: Control, world: str = "default") -> bytes:
    return control.send("GET", f"/worlds/{world}/snapshot").content


def test_a_fork_is_what_it_was_forked_from_and_goes_its_own_way(control: Control) -> None:
    add(control, "mine")
    control.ok("PUT", "/worlds/fork", {"fork": "default"}, status=201)
    forked = dump(control, "fork")
    assert b'"mine"' in forked
    add(control, "later")
    assert dump(control, "fork") == forked
    control.ok("PUT", "/worlds/fork", {"fork": "default"})
    assert b'"later"' in dump(control, "fork")


def test_a_reset_returns_to_the_beginning_and_a_snapshot_is_restored(control: Control) -> None:
    control.ok("PUT", DEFAULT, {"fork": "default"})
    before = dump(control)
    add(control, "mine")
    changed = dump(control)
    control.ok("POST", f"{DEFAULT}/reset")
    assert dump(control) == before
    control.ok("PUT", f"{DEFAULT}/snapshot", changed, status=204)
    assert dump(control) == changed
    control.ok("POST", f"{DEFAULT}/reset")
    assert dump(control) == before


def test_a_large_seed_is_merged_and_request_ids_go_on(control: Control) -> None:
    first = control.get_instance("default").headers["x-acs-request-id"]
    jobs = [{"JobName": f"job{number}", "Code": "x" * 100} for number in range(50)]
    control.ok("POST", f"{DEFAULT}/seed", {"projects": [{"Name": "p", "jobs": jobs}]}, status=204)
    second = control.get_instance("default").headers["x-acs-request-id"]
    assert first != second
    assert b'"job49"' in dump(control)


@pytest.mark.parametrize("padding", ["", "x" * 5000], ids=["small", "large"])
def test_merging_a_seed_leaves_rate_limits_and_stale_reads_as_they_are(control: Control, padding: str) -> None:
    for effect in ({"rate_limit": {"calls": 2, "per": "1h"}}, {"stale": True}):
        rule = {"match": {"operation": "ListProject"}, "effect": effect}
        control.ok("POST", f"{DEFAULT}/faults", rule, status=201)
    control.api.ok("CreateFolder", projectName="project1", path="/a")
    before = control.api.ok("ListProject")["TotalCount"]
    control.ok("POST", f"{DEFAULT}/seed", {"projects": [{"Name": "p", "Description": padding}]}, status=204)
    assert control.api.ok("ListProject")["TotalCount"] == before
    assert control.api.call("ListProject").code == "Throttling.User"


@pytest.mark.parametrize("what", ["snapshot", "seed"])
def test_a_world_that_cannot_become_what_it_is_created_for_is_not_created(
    control: Control, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """It would be left with what every new world holds."""

    def refuse(*_: object) -> None:
        raise WorldFileError(Path("alice.db"), "No space left on device")

    body = dump(control) if what == "snapshot" else {"projects": [{"Name": "p", "Description": "x" * 5000}]}
    with monkeypatch.context() as patch:
        patch.setattr(control.api.registry, "exchange", refuse)
        control.refused("PUT" if what == "snapshot" else "POST", f"/worlds/alice/{what}", body, status=503)
        assert control.api.registry.names() == ["default"]
    control.ok("PUT" if what == "snapshot" else "POST", f"/worlds/alice/{what}", body, status=204)


def test_trying_an_advance_on_a_copy_leaves_the_world_as_it_is(control: Control) -> None:
    before = dump(control)
    tried = control.ok("POST", f"{DEFAULT}/clock/advance?dry_run=true", {"by": "1h"})
    assert dump(control) == before
    control.ok("PUT", f"{DEFAULT}/clock", {"mode": "frozen"})
    now = control.ok("GET", f"{DEFAULT}/clock")["now"]
    assert control.ok("POST", f"{DEFAULT}/clock/advance?dry_run=true", {"by": "1h"})["now"] != now
    assert control.ok("GET", f"{DEFAULT}/clock")["now"] == now
    assert tried["changes"] == []


def test_a_database_that_no_world_has_moved_into_is_closed(control: Control) -> None:
    assert "cannot name a world" in control.refused("PUT", "/worlds/NO", {"fork": "default"})
    with open_api(image_bytes=1) as api:
        small = Control(api)
        assert "no room" in small.refused("PUT", "/worlds/fork", {"fork": "default"}, status=503)
        assert [each["name"] for each in small.ok("GET", "/worlds")["worlds"]] == ["default"]


@pytest.mark.parametrize("ends", [False, True])
def test_a_reset_returns_to_the_beginning_that_the_world_has_by_then(
    control: Control, monkeypatch: pytest.MonkeyPatch, *, ends: bool
) -> None:
    registry = control.api.registry
    add(control, "other")
    control.ok("PUT", "/worlds/mine", {"seed": "empty"}, status=201)
    other = control.api.world.store.image()

    async def change_meanwhile(registry: Registry, name: str) -> bytes:
        origin = await images.origin_of_world(registry, name)
        if ends:
            registry.drop(name)
        else:
            registry.create_or_replace(name, other)
        return origin

    monkeypatch.setattr(resetting, "origin_of_world", change_meanwhile)
    control.ok("POST", "/worlds/mine/reset")
    assert (b'"other"' in dump(control, "mine")) is not ends
    assert registry.origin("mine") == (registry.image if ends else other)


def test_a_world_that_is_dropped_before_its_beginning_is_read_is_reset_to_the_default_seed(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.ok("PUT", "/worlds/mine", {"seed": "empty"}, status=201)

    async def drop_before(registry: Registry, name: str) -> bytes:
        registry.drop(name)
        return await images.origin_of_world(registry, name)

    monkeypatch.setattr(resetting, "origin_of_world", drop_before)
    control.ok("POST", "/worlds/mine/reset")
    assert b'"project1"' in dump(control, "mine")


@pytest.mark.parametrize("ends", [False, True])
def test_all_worlds_are_reset_but_none_that_ends_meanwhile(
    control: Control, monkeypatch: pytest.MonkeyPatch, *, ends: bool
) -> None:
    before = dump(control)
    control.ok("PUT", "/worlds/mine", {"fork": "default"}, status=201)
    add(control, "added")

    async def drop_meanwhile(registry: Registry, name: str) -> bytes:
        if ends and name == "mine":
            registry.drop(name)
        return await images.origin_of_world(registry, name)

    monkeypatch.setattr(resetting, "origin_of_world", drop_meanwhile)
    assert control.ok("POST", "/reset")["worlds"] == (["default"] if ends else ["default", "mine"])
    assert dump(control) == before


def test_a_fault_rule_that_is_used_up_during_a_merge_stays_used_up(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = {"match": {"operation": "GetInstance"}, "effect": {"error": "Throttling.User"}, "times": 1}
    armed = control.ok("POST", f"{DEFAULT}/faults", rule, status=201)["id"]

    async def strike_meanwhile(world: World) -> bytes:
        image = await image_of_world(world)
        (row,) = [each for each in rules_of(world) if each.id == armed]
        if row.is_armed():
            assert ArmedRule(row, window=Window()).count_match(world)
        return image

    monkeypatch.setattr(merging, "image_of_world", strike_meanwhile)
    jobs = [{"JobName": f"job{number}", "Code": "x" * 100} for number in range(50)]
    control.ok("POST", f"{DEFAULT}/seed", {"projects": [{"Name": "p", "jobs": jobs}]}, status=204)
    (found,) = control.ok("GET", f"{DEFAULT}/faults")["faults"]
    assert (found["hits"], found["armed"]) == (1, False)
    assert b'"job49"' in dump(control)


def test_a_reset_returns_to_the_default_seed_that_there_is_by_then(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = control.api.registry
    for name in ("first", "second"):
        registry.open_or_create(name)
    control.ok("PUT", "/worlds/other", {"seed": {"projects": [{"Name": "newer"}]}}, status=201)
    replacing = renewed(registry, registry.origin("other"))
    registry.drop("other")

    async def change_seed_meanwhile(registry: Registry, name: str) -> bytes:
        origin = await images.origin_of_world(registry, name)
        assert next(replacing) == "default"
        return origin

    monkeypatch.setattr(resetting, "origin_of_world", change_seed_meanwhile)
    control.ok("POST", "/worlds/second/reset")
    list(replacing)
    assert b'"newer"' in dump(control, "first")
    assert b'"newer"' in dump(control, "second")


def test_whether_a_world_was_made_of_the_seed_before_is_found_out_beside_the_loop(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = control.api.registry
    if isinstance(registry, FileRegistry):
        begins_from, threads = registry.files.begins_from, []

        def noted(name: str, image: bytes) -> bool:
            threads.append(current_thread())
            return begins_from(name, image)

        monkeypatch.setattr(registry.files, "begins_from", noted)
        control.ok("PUT", "/worlds/other", {"seed": {"projects": [{"Name": "newer"}]}}, status=201)
        names = asyncio.run(resetting.start_over(registry, registry.origin("other")))
        assert names == ["default"]
        assert threads
        assert current_thread() not in threads


def test_a_closed_world_in_a_file_is_reset_beside_the_loop_too(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.ok("PUT", "/worlds/mine", {"fork": "default"}, status=201)
    before = dump(control, "mine")
    control.ok("PUT", "/worlds/mine/settings", {"start_delay": "1h"})
    registry = control.api.registry
    if isinstance(registry, FileRegistry):
        registry._shut("mine")
    loaded: list[str] = []
    monkeypatch.setattr(FileRegistry, "_reset_in_one_piece", lambda *given: loaded.append(given[1]))
    control.ok("POST", "/worlds/mine/reset")
    assert loaded == []
    assert dump(control, "mine") == before


@pytest.mark.parametrize("store_kind", ["file"])
@pytest.mark.parametrize("is_lost", [False, True])
def test_a_damaged_world_is_reset_beside_the_loop_unless_its_beginning_is_lost(
    control: Control, monkeypatch: pytest.MonkeyPatch, *, is_lost: bool
) -> None:
    control.ok("PUT", "/worlds/mine", {"seed": {"projects": [{"Name": "mine"}]}}, status=201)
    before = dump(control, "mine")
    registry = control.api.registry
    assert isinstance(registry, FileRegistry)
    registry._shut("mine")
    registry.files.database("mine").write_bytes(b"no database" * 1000)
    if is_lost:
        registry.files.database("mine").with_suffix(".origin").unlink()
    control.refused("GET", "/worlds/mine/snapshot", status=503)
    loaded: list[str] = []
    in_one_piece = FileRegistry._reset_in_one_piece

    def noted(registry: FileRegistry, name: str, world: World | None) -> None:
        loaded.append(name)
        in_one_piece(registry, name, world)

    monkeypatch.setattr(FileRegistry, "_reset_in_one_piece", noted)
    control.ok("POST", "/worlds/mine/reset")
    assert loaded == ["mine"] * is_lost
    assert (dump(control, "mine") == before) is not is_lost


@pytest.mark.parametrize("store_kind", ["file"])
@pytest.mark.parametrize("meanwhile", ["nothing", "dropped", "replaced", "opened"])
def test_a_closed_world_has_a_whole_file_again_after_all_are_reset(
    control: Control, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    """Opening it would else write its file on the loop."""
    registry = control.api.registry
    control.ok("PUT", "/worlds/mine", {"fork": "default"}, status=201)
    before = dump(control, "mine")
    control.ok("PUT", "/worlds/mine/settings", {"start_delay": "1h"})
    registry._shut("mine")

    async def change_meanwhile(registry: Registry, name: str) -> bytes:
        origin = await images.origin_of_world(registry, name)
        if name == "mine" and meanwhile == "dropped":
            registry.drop(name)
        elif name == "mine" and meanwhile == "replaced":
            registry.create_or_replace(name)
            registry._shut(name)
        elif name == "mine" and meanwhile == "opened":
            registry.open_existing(name)
        return origin

    monkeypatch.setattr(resetting, "origin_of_world", change_meanwhile)
    control.ok("POST", "/reset")
    if meanwhile == "dropped":
        assert not registry.exists("mine")
        return
    if meanwhile == "nothing":
        assert registry.peek("mine") is None
        assert isinstance(registry, FileRegistry)
        assert registry.files.database("mine").exists()
    assert (dump(control, "mine") == before) is (meanwhile != "replaced")


def test_the_end_of_a_state_of_pact_resets_beside_the_loop_too(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    control.ok("PUT", "/worlds/mine", {"fork": "default"}, status=201)
    before = dump(control, "mine")
    control.ok("PUT", "/worlds/mine/settings", {"start_delay": "1h"})
    made: list[str] = []

    async def noting(registry: Registry, name: str) -> bytes:
        made.append(name)
        return await images.origin_of_world(registry, name)

    monkeypatch.setattr(resetting, "origin_of_world", noting)
    control.ok("POST", "/worlds/mine/pact-states", {"state": "any", "action": "teardown"}, status=204)
    assert made == ["mine"]
    assert dump(control, "mine") == before


def test_those_who_keep_changing_a_world_wait_in_the_end_until_a_large_seed_is_merged(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[asyncio.Task[httpx.Response]] = []
    threads: set[str] = set()

    def applying(world: World, seed: SeedDocument) -> None:
        threads.add(current_thread().name)
        apply(world, seed)

    async def both() -> list[int]:
        transport = httpx.ASGITransport(control.api.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost/_emulator") as client:

            async def change_meanwhile(world: World) -> bytes:
                image = await image_of_world(world)
                changing = asyncio.create_task(client.put(f"{DEFAULT}/settings", json={"start_delay": "1s"}))
                starting = asyncio.create_task(client.get("http://localhost/api/v2/projects/p/jobs/job49"))
                waiting.extend((changing, starting))
                if not world.is_held:
                    await asyncio.gather(*waiting)
                else:
                    for _ in range(50):
                        await asyncio.sleep(0)
                    assert not changing.done()
                    assert not starting.done()
                return image

            monkeypatch.setattr(merging, "image_of_world", change_meanwhile)
            monkeypatch.setattr(merging, "apply", applying)
            jobs = [{"JobName": f"job{number}", "Code": "x" * 100} for number in range(50)]
            merged = await client.post(f"{DEFAULT}/seed", json={"projects": [{"Name": "p", "jobs": jobs}]})
            return [merged.status_code, *[(await each).status_code for each in waiting]]

    assert asyncio.run(both()) == [204, 200, 404, 200, 404, 200, 200]
    assert threads == {"small documents"}


def test_what_a_large_template_has_planned_is_postponed_beside_the_loop(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every row is written, which takes long if there are many."""
    threads: list[str] = []

    def postponing(store: Store, *, by: int) -> None:
        threads.append(current_thread().name)
        postpone(store, by=by)

    monkeypatch.setattr(pending, "postpone", postponing)
    ends = [{"after": "1h", "ActualState": "FAILED"}]
    jobs = [{"JobName": "j", "instances": [{"ActualState": "RUNNING", "timeline": ends}]}]
    seed = {"projects": [{"Name": "p", "Description": "x" * 5000, "jobs": jobs}]}
    registry = control.api.registry
    beginnings = ("PUT", "", {"seed": seed}, 201), ("PUT", "", {"seed": seed}, 200), ("POST", "/reset", None, 200)
    for method, path, body, status in beginnings:
        control.ok(method, f"/worlds/planned{path}", body, status=status)
        world = registry.peek("planned")
        assert world is not None
        with closing(Store(Connections(), image=registry.origin("planned"))) as origin:
            assert world.postponed_by == (world.next_due or 0) - (origin.least(PendingChange.at) or 0)
    control.ok("POST", "/reset")
    world = registry.peek("planned")
    assert world is not None
    assert 3_000_000 < (world.next_due or 0) - world.clock.peek() <= 3_600_000
    assert "No difference." in control.api.request("GET", "/_emulator/console/w/planned/compare").text
    if isinstance(registry, FileRegistry):
        registry._shut("planned")
        control.ok("POST", "/reset")
        registry.open_existing("planned")
    assert len(threads) >= 5
    assert set(threads) == {"small documents"}


def test_an_image_that_is_no_template_is_staged_as_it_is(control: Control) -> None:
    """A copy takes as much memory once more, and room for a temporary file."""
    control.get_instance("begun")
    world = control.api.registry.peek("begun")
    assert world is not None
    for image, is_same in ((world.store.image(), True), (control.api.registry.origin("begun"), False)):
        begun, _ = staging._begun(image, control.api.registry.connections, "begun")
        assert (begun is image) is is_same


def test_a_large_seed_for_a_new_world_is_merged_into_the_default_seed_of_the_moment(
    control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, staged_image = control.api.registry, staging.staged_image
    control.ok("PUT", "/worlds/other", {"seed": {"projects": [{"Name": "later"}]}}, status=201)
    later = registry.origin("other")

    @asynccontextmanager
    async def staged_while_that_changes(*given: Any, **options: Any) -> AsyncIterator[StagedImage]:
        async with staged_image(*given, **options) as staged:
            list(renewed(registry, later))
            yield staged

    monkeypatch.setattr(merging, "staged_image", staged_while_that_changes)
    control.ok("POST", "/worlds/fresh/seed", {"projects": [{"Name": "mine", "Description": "x" * 5000}]}, status=204)
    tables = control.send("GET", "/worlds/fresh/snapshot").json()["tables"]
    assert {project["name"] for project in tables["projects"]} == {"later", "mine"}
