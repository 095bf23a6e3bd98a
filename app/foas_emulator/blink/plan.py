"""The execution plan of a job, as planJson holds it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foas_emulator.blink import lenient_json

SOURCE = "Data Source"
OPERATOR = "Operator"
SINK = "Data Sink"

# Defaults of the tuning page. CalcPlanJsonResource's documented answers, 1.2 cores with 3 GB and 5 with 12.5, are
# 12 and 50 subtasks of just these.
DEFAULT_CORE = 0.1
DEFAULT_HEAP_MEMORY = 256
_MB_PER_GB = 1024
_MOST = 10**9
MAX_PARALLELISM = 32_768  # Flink's own upper bound


@dataclass(frozen=True, slots=True)
class Edge:
    """What a node reads: the id of the node before it and how records get there (FORWARD, KEY-GROUP)."""

    id: int
    ship_strategy: str = "FORWARD"


@dataclass(frozen=True, slots=True)
class Resources:
    """What each subtask of a node of an SQL plan is given: cores, heap in MB, whether it keeps state (1) or not (0)."""

    core: float = DEFAULT_CORE
    heap_memory: int = DEFAULT_HEAP_MEMORY
    state_size: int = 0
    chaining_strategy: str = "ALWAYS"


@dataclass(frozen=True, slots=True)
class Node:
    """An operator; `pact` is Data Source, Operator or Data Sink. Plans of DATASTREAM jobs show no resources."""

    id: int
    type: str
    pact: str
    parallelism: int = 1
    predecessors: tuple[Edge, ...] = ()
    resources: Resources | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The operators of a job, each after those it reads from."""

    nodes: tuple[Node, ...]

    def to_json(self) -> str:
        """The plan in the documented form and layout (GetRefPackageJob's answer).

        core, heap_memory, state_size and chainingStrategy are described by the tuning page and never shown; their
        place among the members is inferred.
        """
        return json.dumps({"nodes": [_members(node) for node in self.nodes]}, indent=2, ensure_ascii=False)


def plan_from_json(text: str) -> Plan | None:
    """The plan a text describes, as far as the engine needs it; None for one without nodes, as `` and `{a:b}`.

    Numbers that are missing or make no sense become their defaults.
    """
    try:
        content = lenient_json.parse(text)
    except ValueError:
        return None
    entries = content.get("nodes") if isinstance(content, dict) else None
    nodes: dict[int, Node] = {}
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and (identity := _whole(entry.get("id"))) is not None:
            nodes.setdefault(identity, _node(identity, entry))
    return Plan(tuple(nodes.values())) if nodes else None


def resources(plan: Plan) -> tuple[float, float]:
    """Cores and GB of memory of all subtasks together: what each is given times the parallelism, summed up."""
    cores = memory = 0.0
    for node in plan.nodes:
        given = node.resources or Resources()
        cores += node.parallelism * given.core
        memory += node.parallelism * given.heap_memory / _MB_PER_GB
    return round(cores, 4), round(memory, 4)


def _members(node: Node) -> dict[str, Any]:
    members: dict[str, Any] = {
        "id": node.id,
        "type": node.type,
        "pact": node.pact,
        "contents": node.type,
        "parallelism": node.parallelism,
    }
    if node.resources:
        members["core"] = node.resources.core
        members["heap_memory"] = node.resources.heap_memory
        members["state_size"] = node.resources.state_size
        members["chainingStrategy"] = node.resources.chaining_strategy
    if node.predecessors:
        members["predecessors"] = [
            {"id": edge.id, "ship_strategy": edge.ship_strategy, "side": "second"} for edge in node.predecessors
        ]
    return members


def _node(identity: int, entry: Mapping[str, Any]) -> Node:
    edges = entry.get("predecessors")
    return Node(
        identity,
        type=str(entry.get("type") or entry.get("name") or entry.get("contents") or OPERATOR),
        pact=str(entry.get("pact") or OPERATOR),
        parallelism=min(max(_whole(entry.get("parallelism")) or 1, 1), MAX_PARALLELISM),
        predecessors=tuple(
            Edge(source, str(edge.get("ship_strategy") or "FORWARD"))
            for edge in (edges if isinstance(edges, list) else [])
            if isinstance(edge, dict) and (source := _whole(edge.get("id"))) is not None
        ),
        resources=_resources(entry),
    )


def _resources(entry: Mapping[str, Any]) -> Resources | None:
    if not entry.keys() & {"core", "heap_memory", "state_size", "chainingStrategy"}:
        return None
    core, heap_memory = _number(entry.get("core")), _whole(entry.get("heap_memory"))
    return Resources(
        core=DEFAULT_CORE if core is None else core,
        heap_memory=DEFAULT_HEAP_MEMORY if heap_memory is None else heap_memory,
        state_size=_whole(entry.get("state_size")) or 0,
        chaining_strategy=str(entry.get("chainingStrategy") or "ALWAYS"),
    )


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= _MOST else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)
