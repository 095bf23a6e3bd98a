"""Make the plan of a job from its code.

The way in which the engine divides a query into operators is documented nowhere; the names are those in its consoles
and logs, and the order is the usual one. Inferred.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from foas_emulator.blink import properties, sql
from foas_emulator.blink.errors import SqlError, UnreadablePlanError
from foas_emulator.blink.kinds import BATCH, SQL
from foas_emulator.blink.plan import (
    MAX_PARALLELISM,
    MOST_EDGES,
    MOST_NODES,
    OPERATOR,
    SINK,
    SOURCE,
    Edge,
    Node,
    Plan,
    Resources,
    plan_from_json,
    resources,
)
from foas_emulator.blink.references import Query, Reference
from foas_emulator.blink.statements import Insert, View

Note = Callable[[str], object]
"""A function that passes one sentence on to the sender of the plan."""

_WINDOWS = frozenset({"TUMBLE", "HOP", "SESSION"})
_RANKS = frozenset({"ROW_NUMBER", "RANK", "DENSE_RANK"})
_LONGEST_TYPE = 256
"""The most characters of an operator's name: a long name of a function would stand in every operator that calls it."""


@dataclass(frozen=True, slots=True)
class _Step:
    """An operator of a query; a stateful one keeps state per key and receives its records by key."""

    type: str
    stateful: bool = False


def raw_plan(
    code: str, *, api_type: str, job_type: str, expected_core: float | None = None, expected_gb: float | None = None
) -> Plan:
    """Return the plan that GetRawPlanJson makes for the code. Raise `SqlError` for SQL that is definitely wrong, and
    for a plan that could not be read back: of more than `MOST_NODES` operators or `MOST_EDGES` links.

    All nodes get the same parallelism: 1, or the largest that stays within both expectations, cores and GB (the service
    requires both or neither).
    """
    if api_type.upper() == SQL:
        plan = _SqlPlan(sql.read(code), streaming=job_type.upper() != BATCH).plan()
    else:
        plan = _datastream_plan(code)
    if expected_core is None or expected_gb is None or not plan.nodes:
        return plan
    cores, memory = resources(plan)
    # The small addition makes up for rounding errors: 1.2 cores have room for twelve subtasks of 0.1.
    parallelism = int(max(1, min(MAX_PARALLELISM, expected_core / cores + 1e-9, expected_gb / memory + 1e-9)))
    return Plan(tuple(replace(node, parallelism=parallelism) for node in plan.nodes))


def given_plan(plan_json: str, *, note: Note) -> Plan | None:
    """Return the plan in a job's planJson; None if it is empty or cannot be used, so that the code decides.

    If it cannot be used, pass the reason to `note`.
    """
    try:
        plan = plan_from_json(plan_json)
    except UnreadablePlanError as error:
        note(f"planJson cannot be read, {error}; a plan made by the emulator is used instead.")
        return None
    if plan is None and plan_json.strip():
        note("planJson has no nodes; a plan made by the emulator is used instead.")
    return plan


def running_plan(plan_json: str, code: str, *, api_type: str, job_type: str, note: Note) -> Plan:
    """Return the plan that a started job runs: the given one, else one made from its code.

    It is empty if neither can be read. `note` is called with the reason why a given plan cannot be used.
    """
    given = given_plan(plan_json, note=note)
    if given is not None:
        return given
    try:
        return raw_plan(code, api_type=api_type, job_type=job_type)
    except SqlError:
        return Plan(())


def _datastream_plan(code: str) -> Plan:
    """Return the smallest plan in the documented form, with the main class in place of the program's operators."""
    main_class = properties.read(code).values.get("blink.main.class", "")
    return Plan(
        (
            Node(1, "Source: Custom Source", SOURCE),
            Node(2, "Timestamps/Watermarks", OPERATOR, predecessors=(Edge(1),)),
            Node(
                3,
                main_class.rpartition(".")[2][:_LONGEST_TYPE] or "Process",
                OPERATOR,
                predecessors=(Edge(2, "KEY-GROUP"),),
            ),
            Node(4, "Sink: Unnamed", SINK, predecessors=(Edge(3),)),
        )
    )


class _SqlPlan:
    """A builder that walks a script in order; a table or view becomes operators once, when it is first read."""

    def __init__(self, script: sql.Script, *, streaming: bool) -> None:
        self._script = script
        self._streaming = streaming
        self._nodes: list[Node] = []
        self._edges = 0
        self._tables = {table.key: table for table in script.tables}
        self._functions = {function.name.casefold(): function for function in script.functions}
        self._ends: dict[str, int] = {}

    def plan(self) -> Plan:
        for statement in self._script.statements:
            if isinstance(statement, View):
                self._ends[statement.name.casefold()] = self._add_query(statement)
            elif isinstance(statement, Insert):
                self._add(f"Sink: {statement.target}", SINK, (Edge(self._add_query(statement)),))
        return Plan(tuple(self._nodes))

    def _add_query(self, statement: View | Insert) -> int:
        streams = list(self._streams(statement.query))
        edges = tuple(Edge(end) for end in dict.fromkeys(streams)) or (Edge(self._add("Source: Values", SOURCE)),)
        for step in self._steps(statement, len(streams)):
            strategy = "KEY-GROUP" if step.stateful else "FORWARD"
            edges = tuple(replace(edge, ship_strategy=strategy) for edge in edges)
            edges = (Edge(self._add(step.type, OPERATOR, edges, stateful=step.stateful)),)
        return edges[0].id

    def _streams(self, query: Query) -> Iterator[int]:
        """Yield the last node of each relation that the query reads as a stream."""
        for reference in query.references:
            key = reference.name.casefold()
            if reference.function or key in query.common_tables or self._is_looked_up(reference):
                continue
            if key not in self._ends and (key in self._tables or reference.qualified):
                self._ends[key] = self._add_source(reference.name)
            if key in self._ends:
                yield self._ends[key]

    def _is_looked_up(self, reference: Reference) -> bool:
        table = self._tables.get(reference.name.casefold())
        return reference.temporal or (table is not None and table.dimension)

    def _add_source(self, name: str) -> int:
        table = self._tables.get(name.casefold())
        end = self._add(f"Source: {name}", SOURCE)
        if table and table.computed:
            end = self._add(f"Calc({', '.join(table.computed)})", OPERATOR, (Edge(end),))
        if table and table.watermark:
            end = self._add("Timestamps/Watermarks", OPERATOR, (Edge(end),))
        return end

    def _steps(self, statement: View | Insert, streams: int) -> Iterator[_Step]:
        words = statement.words
        if streams > 1:
            united = words.count("UNION") >= streams - 1
            yield _Step("Union") if united else _Step("Join", stateful=True)
        for reference in statement.query.references:
            if reference.function:
                function = self._functions.get(reference.name.casefold())
                yield _Step(f"Correlate({function.class_name if function else reference.name})")
            elif self._is_looked_up(reference):
                yield _Step(f"JoinTable({reference.name})")
        if "MATCH_RECOGNIZE" in words:
            yield _Step("Match", stateful=True)
        if "GROUP" in words:
            yield _Step("GroupWindowAggregate" if _WINDOWS & set(words) else "GroupAggregate", stateful=True)
        if "OVER" in words:
            yield _Step("Rank" if _RANKS & set(words) else "OverAggregate", stateful=True)
        yield _Step("Calc")

    def _add(self, type_: str, pact: str, predecessors: tuple[Edge, ...] = (), *, stateful: bool = False) -> int:
        identity = len(self._nodes) + 1
        if identity > MOST_NODES:
            raise SqlError(f"The plan would have over {MOST_NODES} operators", line=1, column=1)
        self._edges += len(predecessors)
        if self._edges > MOST_EDGES:
            raise SqlError(f"The plan would have over {MOST_EDGES} links", line=1, column=1)
        given = Resources(
            # By the tuning page, stateful operators must declare that, and an aggregate never joins a chain.
            state_size=int(stateful and self._streaming),
            chaining_strategy="HEAD" if stateful or pact == SOURCE else "ALWAYS",
        )
        shown = type_ if len(type_) <= _LONGEST_TYPE else f"{type_[:_LONGEST_TYPE]}..."
        self._nodes.append(Node(identity, shown, pact, predecessors=predecessors, resources=given))
        return identity
