"""A row that a call creates is written in one statement."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api import Api
from tests.operations import building


@pytest.fixture
def writes(api: Api) -> Callable[..., list[str]]:
    """The statements by which a call writes a table."""
    building.project_with_queue(api)
    building.online_job(api)

    def of(table: str, call: Callable[..., Any], *args: Any, **given: Any) -> list[str]:
        statements: list[str] = []
        api.world.store._raw.set_trace_callback(statements.append)
        call(*args, **given)
        api.world.store._raw.set_trace_callback(None)
        return [" ".join(each.split()[:3]) for each in statements if f" {table} " in each.replace("(", " (")[:40]]

    return of


def test_start_writes_its_instance_once(api: Api, writes: Callable[..., list[str]]) -> None:
    written = writes("instances", api.ok, "StartJob", projectName="p", jobName="j")
    assert written == ["INSERT INTO instances"]


def test_stop_changes_its_instance_once(api: Api, writes: Callable[..., list[str]]) -> None:
    given = {"projectName": "p", "jobName": "j", "instanceId": -1, "expectState": "TERMINATED"}
    api.ok("StartJob", projectName="p", jobName="j")
    assert writes("instances", api.ok, "ModifyInstanceState", **given) == ["UPDATE instances SET"]


def test_cluster_is_written_once(api: Api, writes: Callable[..., list[str]]) -> None:
    assert writes("clusters", building.cluster, api) == ["INSERT INTO clusters"]


def test_cluster_is_changed_once(api: Api, writes: Callable[..., list[str]]) -> None:
    cluster_id = building.cluster(api)
    assert writes("clusters", api.ok, "ExpandCluster", clusterId=cluster_id, count=3) == ["UPDATE clusters SET"]


def test_plan_session_is_written_once(api: Api, writes: Callable[..., list[str]]) -> None:
    written = writes("plan_sessions", api.ok, "GetRawPlanJson", projectName="p", jobName="j")
    assert written == ["INSERT INTO plan_sessions"]
