"""The execution plan of a job, in the form of planJson.

Two dialects are read into one model. The documentation's (GetRefPackageJob's answer, the tuning page) has edges inside
the nodes, `predecessors`, and `core`; the engine's own files (public test resources of Blink's launcher) have edges in
a list beside the nodes, `links`, and `vcore`, with further kinds of memory.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from foas_emulator.blink import lenient_json
from foas_emulator.blink.errors import UnreadablePlanError
from foas_emulator.blink.resource import MB_PER_GB

SOURCE = "Data Source"
OPERATOR = "Operator"
SINK = "Data Sink"

# Defaults of the tuning page. CalcPlanJsonResource's documented answers, 1.2 cores with 3 GB and 5 with 12.5, are
# exactly 12 and 50 subtasks with these values.
DEFAULT_CORE = 0.1
DEFAULT_HEAP_MEMORY = 256
MOST_NODES = 1000
MOST_EDGES = 2500
"""The most operators, and connections between them, of a plan: some twenty milliseconds' work to read or show."""
_MOST = 10**9
_PACTS = {"Source": SOURCE, "Sink": SINK}
_CORES = ("core", "vcore")
_OTHER_MEMORY = ("native", "direct", "managed", "floating_managed")
"""Kinds of memory besides the heap, each with or without the suffix `_memory`."""
MAX_PARALLELISM = 32_768  # Flink's own upper bound
_NUMERAL = re.compile(r"[0-9eE.+-]+")
_PARALLELISM = re.compile('"parallelism": [0-9]+')


@dataclass(frozen=True, slots=True)
class Edge:
    """An input of a node: the id of the node before it, and the way of its records (FORWARD, KEY-GROUP)."""

    id: int
    ship_strategy: str = "FORWARD"


@dataclass(frozen=True, slots=True)
class Resources:
    """The resources of each subtask of a node in an SQL plan: cores, memory in MB, and whether it has state (1 or 0).

    `other_memory` is the sum of native, direct and managed memory. That all of it counts is inferred.
    """

    core: float = DEFAULT_CORE
    heap_memory: int = DEFAULT_HEAP_MEMORY
    state_size: int = 0
    chaining_strategy: str = "ALWAYS"
    other_memory: int = 0


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
    """The operators of a job, each after those from which it reads."""

    nodes: tuple[Node, ...]

    def to_json(self) -> str:
        """Return the plan in the documented form and layout (GetRefPackageJob's answer).

        The tuning page describes core, heap_memory, state_size and chainingStrategy but does not show them; their place
        among the members is inferred.
        """
        return json.dumps({"nodes": [_members(node) for node in self.nodes]}, indent=2, ensure_ascii=False)


def plan_from_json(text: str) -> Plan | None:
    """Return the plan in a text, as far as the engine uses it; None if there is none, as in `` and the page's `{a:b}`.

    Nodes are identified by `id`, or by `uid` if they have no id, and are sorted so that each follows those from which
    it reads. Edges to missing nodes are left out; numbers that are missing or invalid get their defaults. Raise
    `UnreadablePlanError` for a text that is not a JSON object and for nodes without `id` and `uid`.
    """
    if not text.strip():
        return None
    try:
        content = lenient_json.parse(text)
    except ValueError as error:
        raise UnreadablePlanError(f"it is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise UnreadablePlanError("it is not a JSON object")
    entries = content.get("nodes")
    if not entries:
        return None
    if not isinstance(entries, list):
        raise UnreadablePlanError("its nodes are not a list")
    if len(entries) > MOST_NODES:
        raise UnreadablePlanError(f"it has over {MOST_NODES} nodes")
    if sum(len(edges) for edges in _edge_lists(content, entries)) > MOST_EDGES:
        raise UnreadablePlanError(f"it has over {MOST_EDGES} links")
    return _plan(_Names(entries), content)


def _edge_lists(content: Mapping[str, Any], entries: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield every list in which a plan has edges."""
    given = (content.get("links"), *(entry.get("predecessors") for entry in entries if isinstance(entry, dict)))
    return (edges for edges in given if isinstance(edges, list))


def same_operators(one: str, other: str) -> bool:
    """Whether two plans, as texts that `Plan.to_json` made, differ in nothing but their parallelism."""
    return _PARALLELISM.sub("", one) == _PARALLELISM.sub("", other)


def resources(plan: Plan) -> tuple[float, float]:
    """Return the cores and GB of memory of all subtasks: the sum over all nodes of resources times parallelism."""
    cores = memory = 0.0
    for node in plan.nodes:
        given = node.resources or Resources()
        cores += node.parallelism * given.core
        memory += node.parallelism * (given.heap_memory + given.other_memory) / MB_PER_GB
    return round(cores, 4), round(memory, 4)


class _Names:
    """The entries of `nodes` by the ids that they get here, and the names by which edges refer to them."""

    def __init__(self, entries: list[Any]) -> None:
        self.entries: dict[int, Mapping[str, Any]] = {}
        self._ids: dict[str, int] = {}
        unnumbered = []
        for position, entry in enumerate(entries, 1):
            if not isinstance(entry, dict):
                raise UnreadablePlanError(f"its node {position} is not an object")
            number = _whole(entry.get("id"))
            if number is not None:
                self._add(number, entry)
            elif not isinstance(entry.get("uid"), str | int) or entry["uid"] == "":
                raise UnreadablePlanError(f"its node {position} has neither id nor uid")
            else:
                unnumbered.append(entry)
        self._number(unnumbered)

    def find(self, name: Any) -> int | None:
        """Return the id of the node that an edge names, by its id or by its uid; None if there is none."""
        number = _whole(name)
        return number if number in self.entries else self._ids.get(str(name))

    def _number(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Give an id to nodes that have only a uid: the uid if it is an unused number, else the next number."""
        following = max(self.entries, default=0)
        for entry in entries:
            if str(entry["uid"]) in self._ids:
                continue
            number = _whole(entry["uid"])
            if number is None or number in self.entries:
                number = following + 1
            following = max(following, number)
            self._add(number, entry)

    def _add(self, number: int, entry: Mapping[str, Any]) -> None:
        if number not in self.entries:
            self.entries[number] = entry
            self._ids.setdefault(str(entry.get("uid", number)), number)


def _plan(names: _Names, content: Mapping[str, Any]) -> Plan:
    linked: defaultdict[int, list[Edge]] = defaultdict(list)
    for link in _objects(content.get("links")):
        source, target = names.find(link.get("source")), names.find(link.get("target"))
        if source is not None and target is not None:
            linked[target].append(_edge(source, link))
    nodes = {}
    for number, entry in names.entries.items():
        own = [
            _edge(source, edge)
            for edge in _objects(entry.get("predecessors"))
            if (source := names.find(edge.get("id"))) is not None
        ]
        nodes[number] = _node(number, entry, (*own, *linked[number]))
    return Plan(tuple(_sorted(nodes)))


def _sorted(nodes: Mapping[int, Node]) -> Iterator[Node]:
    """Yield each node after those from which it reads; in the given order if that does so already, or with cycles."""
    positions = {number: position for position, number in enumerate(nodes)}
    if all(positions[edge.id] < positions[node.id] for node in nodes.values() for edge in node.predecessors):
        yield from nodes.values()
        return
    sorter = TopologicalSorter({number: [edge.id for edge in node.predecessors] for number, node in nodes.items()})
    try:
        yield from [nodes[number] for number in sorter.static_order()]
    except CycleError:
        yield from nodes.values()


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
        if node.resources.other_memory:
            members["native_memory"] = node.resources.other_memory
    if node.predecessors:
        members["predecessors"] = [
            {"id": edge.id, "ship_strategy": edge.ship_strategy, "side": "second"} for edge in node.predecessors
        ]
    return members


def _node(identity: int, entry: Mapping[str, Any], predecessors: tuple[Edge, ...]) -> Node:
    pact = str(entry.get("pact") or OPERATOR)
    return Node(
        identity,
        type=str(entry.get("type") or entry.get("name") or entry.get("contents") or OPERATOR),
        pact=_PACTS.get(pact, pact),
        parallelism=min(max(_whole(entry.get("parallelism")) or 1, 1), MAX_PARALLELISM),
        predecessors=predecessors,
        resources=_resources(entry),
    )


def _edge(source: int, entry: Mapping[str, Any]) -> Edge:
    return Edge(source, str(entry.get("ship_strategy") or "FORWARD"))


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    return (entry for entry in value if isinstance(entry, dict)) if isinstance(value, list) else iter(())


def _resources(entry: Mapping[str, Any]) -> Resources | None:
    memory = [entry.get(f"{kind}_memory", entry.get(kind)) for kind in _OTHER_MEMORY]
    if memory.count(None) == len(memory) and not entry.keys() & {
        *_CORES,
        "heap_memory",
        "state_size",
        "chainingStrategy",
    }:
        return None
    core = next((number for name in _CORES if (number := _number(entry.get(name))) is not None), DEFAULT_CORE)
    heap_memory = _whole(entry.get("heap_memory"))
    return Resources(
        core=core,
        heap_memory=DEFAULT_HEAP_MEMORY if heap_memory is None else heap_memory,
        state_size=_whole(entry.get("state_size")) or 0,
        chaining_strategy=str(entry.get("chainingStrategy") or "ALWAYS"),
        other_memory=min(sum(_whole(number) or 0 for number in memory), _MOST),
    )


def _number(value: Any) -> float | None:
    if isinstance(value, str) and not _NUMERAL.fullmatch(value):
        return None  # as 1_0, which Python takes for 10
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number <= _MOST else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return None if number is None else int(number)
