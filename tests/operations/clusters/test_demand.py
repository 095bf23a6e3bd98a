"""The resources that instances of a cluster use are summed plan by plan, and other calls are served meanwhile."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from foas_emulator.blink.plan import Plan
from foas_emulator.blink.planner import running_plan
from foas_emulator.operations.instances import engine, rows
from foas_emulator.operations.instances.rows import Instance
from foas_emulator.world import slices
from foas_emulator.world.store import Store
from tests.api import Api
from tests.operations import building

JOBS = 4
UNREADABLE = "{nodes: 1}"


@pytest.fixture
def cluster_id(api: Api, monkeypatch: pytest.MonkeyPatch) -> str:
    """A cluster that runs jobs with plans of their own, none of which is known; others get their turn after each."""
    cluster_id = building.project_with_queue(api)
    for number in range(JOBS):
        building.online_job(api, f"j{number}", code=f"blink.main.class=Main{number}", planJson=UNREADABLE)
        api.ok("StartJob", projectName="p", jobName=f"j{number}")
    api.world.cache.clear()
    monkeypatch.setattr(slices, "SLICE_NS", -1)
    return cluster_id


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The code of each plan that is made for an instance."""
    codes: list[str] = []

    def counted(plan_json: str, code: str, **options: Any) -> Plan:
        codes.append(code)
        return running_plan(plan_json, code, **options)

    monkeypatch.setattr(engine, "running_plan", counted)
    return codes


def call(api: Api, url: str, between: Callable[[], Any]) -> httpx.Response:
    """Call, and do something whenever others get their turn."""

    async def run() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://emulator") as client:
            answered = asyncio.create_task(client.get(url, headers={"accept": "application/json"}))
            while not answered.done():
                between()
                await asyncio.sleep(0)
            return answered.result()

    return asyncio.run(run())


@pytest.mark.parametrize("kind", ["resource", "queueinfo"])
def test_others_are_served_between_two_plans(api: Api, cluster_id: str, planned: list[str], kind: str) -> None:
    made: list[int] = []
    response = call(api, f"/api/v2/clusters/{cluster_id}/{kind}", lambda: made.append(len(planned)))
    assert len(set(planned)) == JOBS
    assert made[:JOBS] == [*range(JOBS)]
    assert "planJson cannot be read" in response.headers["x-emulator-warning"]
    assert not api.world.is_in_use


def test_a_call_that_is_served_meanwhile_takes_no_warning_away(api: Api, cluster_id: str, planned: list[str]) -> None:
    def take() -> None:
        if planned:
            assert api.world.take_notes() == []

    warning = call(api, f"/api/v2/clusters/{cluster_id}/resource", take).headers["x-emulator-warning"]
    assert warning.startswith("planJson cannot be read")


def test_an_instance_that_is_deleted_meanwhile_takes_nothing(api: Api, cluster_id: str, planned: list[str]) -> None:
    def delete() -> None:
        if len(planned) == 1:
            with api.world.transaction():
                api.world.store._raw.execute("DELETE FROM instances WHERE job_name > 'j0'")

    before = api.ok("GetClusterResource", clusterId=cluster_id)["Resource"]["AllocatedMB"]
    api.world.cache.clear()
    planned.clear()
    response = call(api, f"/api/v2/clusters/{cluster_id}/resource", delete)
    assert response.json()["Resource"]["AllocatedMB"] * JOBS == before > 0


def test_instances_are_read_a_few_at_a_time(
    api: Api, cluster_id: str, planned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "_AT_ONCE", 2)
    read: list[int] = []
    fetch = Store.fetch

    def noted(store: Store, model: Any, *arguments: Any) -> list[Any]:
        found = fetch(store, model, *arguments)
        if model is Instance:
            read.append(len(found))
        return found

    monkeypatch.setattr(Store, "fetch", noted)
    assert api.ok("GetClusterResource", clusterId=cluster_id)["Resource"]["AllocatedMB"] > 0
    assert read == [2, 2, 0]
    assert len(planned) == JOBS


def test_texts_are_read_and_plans_made_once_and_each_call_gets_the_warning(
    api: Api, cluster_id: str, planned: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = api.call("GetClusterResource", clusterId=cluster_id)
    assert len(planned) == JOBS
    monkeypatch.setattr(rows, "find_instance", lambda *_: pytest.fail("the texts of an instance are read again"))
    again = api.call("GetClusterResource", clusterId=cluster_id)
    assert again.members == first.members
    assert again.headers["x-emulator-warning"] == first.headers["x-emulator-warning"]
    assert len(planned) == JOBS


@pytest.mark.parametrize("end", [lambda api: api.registry.drop("default"), lambda api: api.registry.reset("default")])
def test_a_world_that_ends_meanwhile_is_reported(
    api: Api, cluster_id: str, planned: list[str], end: Callable[[Api], Any]
) -> None:
    response = call(api, f"/api/v2/clusters/{cluster_id}/resource", lambda: end(api) if len(planned) == 1 else None)
    assert (response.status_code, response.json()["Code"]) == (503, "ServiceUnavailable")
    assert "meanwhile; ask again." in response.headers["x-emulator-hint"]
