"""Worlds built up by calls of the API, for tests that begin where something exists already."""

from typing import Any

from tests.api import Api


def stand_still(api: Api) -> None:
    """Stop the clock, so that what is made from now on is of one age and lists show it by name."""
    api.advance("0s")


MACHINES: dict[str, Any] = {
    "payModel": "post",
    "region": "cn-hangzhou",
    "masterSpec": "Ecs_4c16g",
    "masterNum": 1,
    "slaveSpec": "Ecs_4c16g",
    "slaveNum": 2,
}


def order(api: Api, **more: Any) -> str:
    """Machines that a cluster can be made of: the id of the order."""
    return str(api.ok("CreateCellClusterOrder", **MACHINES | more)["OrderId"])


CLUSTER: dict[str, Any] = {
    "zoneId": "cn-hangzhou-f",
    "displayName": "demo",
    "description": "a cluster",
    "userOssBucket": "bucket",
    "userVpcId": "vpc-1",
    "userVSwitch": "vsw-1",
}


def cluster(api: Api, **more: Any) -> str:
    """A cluster, paid as it is used, of two slaves with 600 vcore and 24576 MB together unless ordered otherwise."""
    created = api.ok("CreateCluster", orderId=order(api, **more), **CLUSTER)
    return str(created["ClusterId"])


def cluster_details(api: Api, cluster_id: str) -> dict[str, Any]:
    """A cluster as it is now."""
    found: dict[str, Any] = api.ok("GetClusterDetails", clusterId=cluster_id)["Details"]
    return found


def project(api: Api, name: str = "p", *, cluster_id: str | None = None) -> str:
    """A project without a queue; answers the id of its cluster."""
    cluster_id = cluster_id or cluster(api)
    api.ok("CreateProject", name=name, deployType="cell", clusterId=cluster_id)
    return cluster_id


def queue(api: Api, cluster_id: str, name: str = "root.p", *, vcore: int = 300, mem: int = 12288) -> None:
    """A queue, half of the smallest cluster unless asked otherwise."""
    api.ok("CreateQueue", clusterId=cluster_id, queueName=name, maxVcore=vcore, maxMemMB=mem)


def project_with_queue(api: Api, name: str = "p") -> str:
    """A project that can have jobs; answers the id of its cluster. The queue is named after the project."""
    cluster_id = project(api, name)
    queue(api, cluster_id, f"root.{name}")
    api.ok("BindQueue", projectName=name, clusterId=cluster_id, queueName=f"root.{name}")
    return cluster_id


def job(api: Api, name: str = "j", *, project_name: str = "p", **more: Any) -> None:
    """A stream job that is not online; the project has a queue."""
    given = {"jobType": "FLINK_STREAM", "apiType": "DATASTREAM", "code": "blink.main.class=Main"} | more
    api.ok("CreateJob", projectName=project_name, jobName=name, **given)


def online_job(api: Api, name: str = "j", *, project_name: str = "p", **more: Any) -> None:
    """A stream job that is online and was never started."""
    job(api, name, project_name=project_name, **more)
    api.ok("CommitJob", projectName=project_name, jobName=name)


def run_summary(api: Api, instance_id: int = -1) -> dict[str, Any]:
    """The state of an instance of the job `j` in the project `p`."""
    answer = api.ok("GetInstanceRunSummary", projectName="p", jobName="j", instanceId=instance_id)
    found: dict[str, Any] = answer["RunSummary"]
    return found
