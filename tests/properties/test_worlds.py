"""Whatever happened in a world: its snapshot is all of it, and a copy is a world of its own."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foas_emulator.world.advance import advance_by, set_clock
from foas_emulator.world.snapshot import read_snapshot, write_snapshot
from foas_emulator.world.world import World
from tests.api import Api, open_api
from tests.snapshots import take_snapshot

NEW_YEAR = 1_767_225_600_000
PROJECT = "/api/v2/projects/demo"

texts = st.text(st.characters(codec="utf-8"), max_size=8)
names = st.sampled_from(["a", "b", "running-stream", "committed-never-started", "running-batch", "draft"])
spans = st.integers(0, 90_000)


def call(method: str, path: str, /, **form: Any) -> st.SearchStrategy[tuple[str, str, str]]:
    """Calls of one operation; `{name}` in the path is a job."""
    members = {key: value if isinstance(value, st.SearchStrategy) else st.just(value) for key, value in form.items()}
    return st.builds(
        lambda name, values: (method, PROJECT + path.replace("{name}", name), urlencode(values)),
        names,
        st.fixed_dictionaries(members),
    )


calls = st.one_of(
    call("POST", "/jobs", jobName=names, jobType="FLINK_STREAM", apiType="DATASTREAM", code=texts),
    call("PUT", "/jobs/{name}", code=texts, description=texts),
    call("GET", "/jobs/{name}/planjson"),
    call("PUT", "/jobs/{name}/commit"),
    call("POST", "/jobs/{name}/instance"),
    call(
        "PUT", "/jobs/{name}/instances/-1/expectstate", expectState=st.sampled_from(["RUNNING", "PAUSED", "TERMINATED"])
    ),
    call("PUT", "/jobs/{name}/offline"),
    call("DELETE", "/jobs/{name}"),
    call("POST", "/folders", path=st.sampled_from(["/x", "/x/y"])),
    call("POST", "/packages", packageName=names, type="JAR", ossPath=texts),
    call("GET", "/jobs/{name}"),
    call("GET", "/jobs/{name}/instances/-1"),
    call("GET", "/jobs/{name}/instances/-1/runsummary"),
    call("GET", "/jobs/{name}/instances/-1/details"),
    call("GET", "/jobs/{name}/instances/-1/checkpoints"),
    call("GET", "/instances?jobType=FLINK_STREAM"),
)
steps = st.lists(calls | spans, max_size=12)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    with open_api(start_delay=20_000, stop_delay=10_000) as opened:
        yield opened


def live(api: Api, world: World, life: list[Any]) -> list[tuple[int, bytes]]:
    """Make calls in a world and move its clock on between them; answers what the calls were answered."""
    answers = []
    for step in life:
        if isinstance(step, int):
            asyncio.run(advance_by(world, step))
            continue
        method, path, form = step
        headers = {"x-emulator-world": world.name, "content-type": "application/x-www-form-urlencoded"}
        response = api.request(method, path, content=form, headers=headers)
        assert response.status_code < 500, response.text
        answers.append((response.status_code, response.content))
    return answers


def begin(api: Api, name: str) -> World:
    world = api.registry.create_or_replace(name)
    asyncio.run(set_clock(world, mode="frozen", now=NEW_YEAR))
    return world


def restore(api: Api, name: str, document: Any) -> World:
    image = read_snapshot(document, connections=api.registry.connections, kinds=api.registry.handlers)
    return api.registry.create_or_replace(name, image)


some = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@some
@given(steps)
def test_a_snapshot_restored_is_the_same_snapshot(api: Api, life: list[Any]) -> None:
    world = begin(api, "lived")
    live(api, world, life)
    text = write_snapshot(take_snapshot(world))
    assert write_snapshot(take_snapshot(restore(api, "restored", json.loads(text)))) == text


@some
@given(steps, steps, steps)
def test_a_fork_that_goes_its_own_way_leaves_the_other_untouched(
    api: Api, common: list[Any], own: list[Any], others: list[Any]
) -> None:
    world = begin(api, "lived")
    live(api, world, common)
    fork = api.registry.create_or_replace("fork", world.store.image())
    before = take_snapshot(world)
    assert take_snapshot(fork) == before
    live(api, fork, own)
    assert take_snapshot(world) == before
    after = take_snapshot(fork)
    live(api, world, others)
    assert take_snapshot(fork) == after


@some
@given(steps, steps)
def test_two_restores_of_one_snapshot_answer_the_same_calls_with_the_same_bytes(
    api: Api, before: list[Any], after: list[Any]
) -> None:
    world = begin(api, "lived")
    live(api, world, before)
    document = take_snapshot(world)
    one, other = (restore(api, name, document) for name in ("one", "other"))
    assert live(api, one, after) == live(api, other, after)
    assert take_snapshot(one) == take_snapshot(other)


@some
@given(steps, steps)
def test_a_restored_world_goes_on_as_the_one_it_was_taken_from(api: Api, before: list[Any], after: list[Any]) -> None:
    world = begin(api, "lived")
    live(api, world, before)
    restored = restore(api, "restored", take_snapshot(world))
    world.load(world.store.image())
    assert live(api, restored, after) == live(api, world, after)


@some
@given(steps)
def test_a_reset_forgets_all_of_it(api: Api, life: list[Any]) -> None:
    world = begin(api, "lived")
    api.registry.reset("lived")
    before = take_snapshot(world)
    asyncio.run(set_clock(world, mode="frozen", now=NEW_YEAR))
    live(api, world, life)
    api.registry.reset("lived")
    assert take_snapshot(world) == before
