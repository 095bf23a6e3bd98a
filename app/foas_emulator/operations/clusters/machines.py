"""The machines of a cluster: which models there are, what they give, and how each is told from the others."""

import json
import re
from dataclasses import dataclass

from foas_emulator.operations.clusters.resource import Resource
from foas_emulator.operations.clusters.rows import Cluster
from foas_emulator.world.ids import token

MODELS = (
    "Ecs_4c16g",
    "Ecs_4c8g",
    "Ecs_8c16g",
    "Ecs_8c32g",
    "Ecs_16c64g",
    "Ecs_24c96g",
    "Ecs_32c128g",
    "Ecs_56c224g",
    "Ecs_64c256g",
)
"""The models of the documentation and of its samples; a name says the cores and the GB of memory."""

_SIZE = re.compile(r"Ecs_([0-9]+)c([0-9]+)g")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A machine: its id, its network interface, its address, its model."""

    instance_id: str
    eni_id: str
    ip: str
    model: str


def capacity(cluster: Cluster) -> Resource:
    """What a cluster has for jobs.

    Each slave keeps one core and 4 GB for itself. Inferred: so the smallest cluster, two slaves of Ecs_4c16g, has the
    600 vcore and 24576 MB of the documented answer to GetClusterResource.
    """
    size = _SIZE.fullmatch(cluster.slave_spec)
    if size is None:
        return Resource()
    cores, gigabytes = int(size[1]) - 1, int(size[2]) - 4
    return Resource(v_core=cluster.slave_num * cores * 100, mem=cluster.slave_num * gigabytes * 1024)


def masters(seed: int, cluster: Cluster) -> list[Machine]:
    """The masters; the same for the same seed of the world."""
    return [
        _machine(seed, cluster, "master", number, cluster.master_spec) for number in range(1, cluster.master_num + 1)
    ]


def slaves(seed: int, cluster: Cluster) -> dict[int, Machine]:
    """The slaves by their numbers. A number is not given twice, so no machine takes the place of another."""
    removed = removed_numbers(cluster)
    numbers = (number for number in range(1, cluster.slave_num + len(removed) + 1) if number not in removed)
    return {number: _machine(seed, cluster, "slave", number, cluster.slave_spec) for number in numbers}


def removed_numbers(cluster: Cluster) -> set[int]:
    """The numbers of the slaves that a cluster had and has no longer."""
    return {int(number) for number in cluster.removed_slaves.split(",") if number}


def instance_infos(seed: int, cluster: Cluster) -> str:
    """The machines as the JSON text that GetClusterDetails shows. Its inner names are inferred."""
    shown = {
        "masters": [_members(machine) for machine in masters(seed, cluster)],
        "slaves": [_members(machine) for machine in slaves(seed, cluster).values()],
    }
    return json.dumps(shown, separators=(",", ":"))


def _members(machine: Machine) -> dict[str, str]:
    return {
        "instanceId": machine.instance_id,
        "eniId": machine.eni_id,
        "ip": machine.ip,
        "model": machine.model,
    }


def _machine(seed: int, cluster: Cluster, role: str, number: int, model: str) -> Machine:
    def identifier(kind: str) -> str:
        return f"{kind}-{token(seed, f'{kind}/{cluster.cluster_id}/{role}', number, length=20)}"

    network = 0 if role == "master" else 1 + number // 250
    return Machine(
        instance_id=identifier("i"), eni_id=identifier("eni"), ip=f"192.168.{network}.{number % 250 + 1}", model=model
    )
