"""A running job: its identity and the data that flows through it, which all payloads of Flink show."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from foas_emulator.blink import chance
from foas_emulator.blink.chance import Part
from foas_emulator.blink.plan import Node, Plan
from foas_emulator.blink.properties import Properties

_DAY = 86_400_000
_MAX_HOSTS = 32
_MOST = 2**53  # every JSON number up to this is exact; counts of a plan whose paths fan out and meet again grow fast


@dataclass(frozen=True)
class Run:
    """A running instance at the instant `now`; an instant before the start counts as the start.

    Times are milliseconds since the epoch; failures, each a time and a message, are in order of time.
    """

    seed: Part
    instance_id: int
    job_name: str
    start_time: int
    now: int
    plan: Plan
    properties: Properties
    failures: tuple[tuple[int, str], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "now", max(self.now, self.start_time))

    @cached_property
    def job_id(self) -> str:
        return job_id(self.seed, self.instance_id)

    @cached_property
    def past_failures(self) -> tuple[tuple[int, str], ...]:
        """The failures so far since the start of the instance."""
        return tuple(failure for failure in self.failures if self.start_time <= failure[0] <= self.now)

    @cached_property
    def running_since(self) -> int:
        """The time at which the vertices last began to run: shortly after the start, or after the latest failure."""
        begun = self.past_failures[-1][0] if self.past_failures else self.start_time
        return min(self.now, begun + chance.between(200, 900, self.seed, self.instance_id, "deploy", begun))

    @cached_property
    def hosts(self) -> tuple[str, ...]:
        """The machines that run task managers: one for each slot of the widest vertex, at most `_MAX_HOSTS`."""
        widest = max((node.parallelism for node in self.plan.nodes), default=1)
        return tuple(self._host(number) for number in range(min(widest, _MAX_HOSTS)))

    @cached_property
    def flows(self) -> Mapping[int, "Flow"]:
        """The data that each node, by id, has read and written since the vertices began to run.

        Each source reads at a constant rate of its own, and every operator passes on each record.
        """
        read_from = {edge.id for node in self.plan.nodes for edge in node.predecessors}
        flows: dict[int, Flow] = {}
        for node in self.plan.nodes:
            read = [flows[edge.id] for edge in node.predecessors if edge.id in flows]
            records = min(sum(flow.write_records for flow in read), _MOST)
            written = (self._emitted(node) if not read else records) if node.id in read_from else 0
            flows[node.id] = Flow(
                read_bytes=min(sum(flow.write_bytes for flow in read), _MOST),
                read_records=records,
                write_bytes=written * chance.between(60, 400, self.seed, self.instance_id, "width", node.id),
                write_records=written,
            )
        return flows

    def vertex_id(self, node_id: int) -> str:
        """Return the id of a vertex: 32 hexadecimal digits, the same in all payloads of the instance."""
        known = self._vertex_ids  # a plan may have thousands of edges to the same nodes
        if node_id not in known:
            known[node_id] = chance.digits(self.job_id, "vertex", node_id)
        return known[node_id]

    @cached_property
    def _vertex_ids(self) -> dict[int, str]:
        return {}

    def _emitted(self, source: Node) -> int:
        per_second = chance.between(100, 2000, self.seed, self.instance_id, "rate", source.id)
        return (self.now - self.running_since) * per_second // 1000

    def _host(self, number: int) -> str:
        address = chance.below(1 << 16, self.seed, self.instance_id, "host", number)
        port = chance.between(32768, 60999, self.seed, self.instance_id, "port", number)
        return f"ip-10-0-{address >> 8}-{address & 255}:{port}"


@dataclass(frozen=True, slots=True)
class Flow:
    """The counts of a vertex, or of its subtasks on one host."""

    read_bytes: int
    read_records: int
    write_bytes: int
    write_records: int

    def share(self, number: int, of: int) -> "Flow":
        """Return one of `of` equal shares; all shares add up to the whole."""
        return Flow(
            *(
                total // of + (number < total % of)
                for total in (self.read_bytes, self.read_records, self.write_bytes, self.write_records)
            )
        )


def job_id(seed: Part, instance_id: int) -> str:
    """Return Flink's id of an instance: 32 hexadecimal digits."""
    return chance.digits(seed, "job", instance_id)


def application_id(seed: Part, instance_id: int, start_time: int) -> str:
    """Return YARN's id of an instance: `application_`, the start time of the resource manager, a four-digit count.

    The form is documented (EngineJobHandler is this id, a bar and Flink's id); in the example the resource manager had
    been up for 24 days, hence up to 30 here.
    """
    uptime = chance.below(30 * _DAY, seed, "resource manager", instance_id)
    count = chance.between(1, 9999, seed, "application", instance_id)
    return f"application_{max(start_time - uptime, 0):013d}_{count:04d}"
