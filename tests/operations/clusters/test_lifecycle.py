"""The states of a cluster: every state with every event, over the API."""

import json
from itertools import product
from typing import Any, get_args

import pytest

from foas_emulator.operations.clusters.lifecycle import SERVING, STATES, TRANSITIONS, Event
from foas_emulator.operations.clusters.rows import Cluster, masters, slaves
from foas_emulator.operations.columns import ACCOUNT
from foas_emulator.world.tables import assign, equal
from tests.api import Api
from tests.operations import building

REQUESTS: dict[str, Any] = {
    "expand": ("ExpandCluster", {"count": 4}),
    "shrink": ("ShrinkCluster", {"modelTargetCount": "2"}),
    "change_master": ("ModifyMasterSpec", {"masterTargetModel": "Ecs_8c32g"}),
    "destroy": ("DestroyCluster", {}),
}
LEADS_TO: dict[str, Any] = {
    "expand": "EXPANDING",
    "shrink": "REDUCING",
    "change_master": "UPGRADING",
    "destroy": "DESTROYING",
}
SETTLES_AS: dict[str, Any] = {
    "STARTING": "RUNNING",
    "EXPANDING": "RUNNING",
    "REDUCING": "RUNNING",
    "UPGRADING": "RUNNING",
    "DESTROYING": "DESTROYED",
}


def state_of(api: Api, cluster_id: str) -> str:
    (cluster,) = api.ok("ListCluster", clusterId=cluster_id)["Clusters"]["Cluster"]
    found: str = cluster["State"]
    return found


def put(api: Api, cluster_id: str, state: str) -> None:
    with api.world.transaction():
        api.world.store.update(Cluster, assign(Cluster.state, state), where=[equal(Cluster.cluster_id, cluster_id)])


@pytest.mark.parametrize(("state", "event"), [*product(STATES, REQUESTS)])
def test_a_cluster_is_changed_while_it_is_running_and_in_no_other_state(api: Api, state: str, event: str) -> None:
    cluster_id = building.cluster(api, slaveNum=3)
    api.world.set({"cluster_delay": "10s"})
    put(api, cluster_id, state)
    operation, given = REQUESTS[event]
    if state == "RUNNING":
        api.ok(operation, clusterId=cluster_id, **given)
        assert state_of(api, cluster_id) == LEADS_TO[event]
    else:
        refusal = api.refused(operation, clusterId=cluster_id, **given, code="InvalidCluster.NotRunning")
        assert state in refusal.hint


def test_every_passing_state_ends_and_no_other_does() -> None:
    assert {state: TRANSITIONS[state, "finish"] for state in STATES if (state, "finish") in TRANSITIONS} == SETTLES_AS
    assert {event for _, event in TRANSITIONS} == set(get_args(Event))
    assert set(STATES) - SERVING == {"STARTING", "MAINTAINING", "DESTROYING", "DESTROYED"}


@pytest.mark.parametrize("event", REQUESTS)
def test_a_change_takes_as_long_as_the_setting_says(api: Api, event: str) -> None:
    cluster_id = building.cluster(api, slaveNum=3)
    api.world.set({"cluster_delay": "10s"})
    operation, given = REQUESTS[event]
    api.advance("0s")
    api.ok(operation, clusterId=cluster_id, **given)
    assert api.advance("9s") == []
    assert state_of(api, cluster_id) == LEADS_TO[event]
    (change,) = api.advance("1s")
    assert change.subject == f"cluster:{cluster_id}"
    assert state_of(api, cluster_id) == SETTLES_AS[LEADS_TO[event]]


@pytest.mark.parametrize("event", REQUESTS)
def test_without_a_delay_a_change_is_over_when_the_call_returns(api: Api, event: str) -> None:
    cluster_id = building.cluster(api, slaveNum=3)
    operation, given = REQUESTS[event]
    api.ok(operation, clusterId=cluster_id, **given)
    assert state_of(api, cluster_id) == SETTLES_AS[LEADS_TO[event]]


def test_a_change_shows_when_it_is_finished_and_is_stamped_with_that_instant(api: Api) -> None:
    cluster_id = building.cluster(api)
    api.world.set({"cluster_delay": "10s"})
    api.advance("0s")
    begun = api.world.second()
    api.ok("ExpandCluster", clusterId=cluster_id, count=3)
    before = building.cluster_details(api, cluster_id)
    assert (before["GmtModified"], len(json.loads(before["InstanceInfos"])["slaves"])) == (begun, 2)
    api.advance("1h")
    after = building.cluster_details(api, cluster_id)
    assert (after["GmtModified"], len(json.loads(after["InstanceInfos"])["slaves"])) == (begun + 10_000, 3)


def test_a_cluster_that_is_starting_has_no_machines_and_no_security_group_to_show(api: Api) -> None:
    api.world.set({"cluster_delay": "10s"})
    cluster_id = building.cluster(api)
    starting = building.cluster_details(api, cluster_id)
    assert starting["State"] == "STARTING"
    assert not {"InstanceInfos", "UserSGId"} & starting.keys()
    api.advance("10s")
    running = building.cluster_details(api, cluster_id)
    assert running["State"] == "RUNNING"
    assert running["UserSGId"].startswith("sg-")
    infos = json.loads(running["InstanceInfos"])
    assert (len(infos["masters"]), len(infos["slaves"])) == (1, 2)


def test_machines_are_the_same_at_every_look_and_different_from_one_another(api: Api) -> None:
    cluster = api.world.store.get(Cluster, equal(Cluster.cluster_id, building.cluster(api, masterNum=3, slaveNum=300)))
    assert cluster is not None
    machines = [*masters(7, cluster), *slaves(7, cluster).values()]
    assert machines == [*masters(7, cluster), *slaves(7, cluster).values()]
    for member in ("instance_id", "eni_id", "ip"):
        assert len({getattr(machine, member) for machine in machines}) == 303
    assert masters(8, cluster) != masters(7, cluster)


@pytest.mark.parametrize("delay", ["0s", "10s"])
def test_who_changed_a_cluster_and_when_is_reported_from_the_beginning(api: Api, delay: str) -> None:
    cluster_id = building.cluster(api)
    with api.world.transaction():
        stranger = assign(Cluster.operator, "stranger"), assign(Cluster.gmt_modified, 1)
        api.world.store.update(Cluster, *stranger, where=[equal(Cluster.cluster_id, cluster_id)])
    api.world.set({"cluster_delay": delay})
    api.advance("0s")
    api.ok("ExpandCluster", clusterId=cluster_id, count=3)
    shown = building.cluster_details(api, cluster_id)
    assert (shown["Operator"], shown["GmtModified"]) == (ACCOUNT, api.world.second())


def test_a_cluster_whose_masters_change_keeps_its_slaves(api: Api) -> None:
    cluster_id = building.cluster(api)
    api.world.set({"cluster_delay": "10s"})
    api.ok("ModifyMasterSpec", clusterId=cluster_id, masterTargetModel="Ecs_8c32g")
    building.queue(api, cluster_id, "root.all", vcore=600, mem=24576)


def test_machines_that_a_seed_told_are_told_anew_after_they_are_fewer(api: Api) -> None:
    cluster_id = building.cluster(api, slaveNum=4)
    with api.world.transaction():
        told = assign(Cluster.instance_infos, "of a seed")
        api.world.store.update(Cluster, told, where=[equal(Cluster.cluster_id, cluster_id)])
    assert building.cluster_details(api, cluster_id)["InstanceInfos"] == "of a seed"
    api.ok("ShrinkCluster", clusterId=cluster_id, modelTargetCount="2")
    assert len(json.loads(building.cluster_details(api, cluster_id)["InstanceInfos"])["slaves"]) == 2
