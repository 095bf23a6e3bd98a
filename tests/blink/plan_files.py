"""Plan files in the form that Blink itself writes, made up for these tests, with what they say."""

from dataclasses import dataclass
from pathlib import Path

PLANS = Path(__file__).parent / "plans"

Edge = tuple[str, str, str]
"""Names of the source and the target, and how records get from one to the other."""


@dataclass(frozen=True)
class PlanFile:
    """A file with its sums over all subtasks, counted by hand: cores, MB of heap, MB of all other memory."""

    name: str
    cores: float
    heap: int
    other: int
    edges: frozenset[Edge]

    @property
    def text(self) -> str:
        return (PLANS / f"{self.name}.json").read_text("utf-8")


def _file(name: str, cores: float, heap: int, other: int, *edges: Edge) -> PlanFile:
    return PlanFile(name, cores, heap, other, frozenset(edges))


PLAN_FILES = [
    _file(
        *("click_counts", 2.75, 2560, 256),
        ("Source: clicks", "Calc(page, at)", "FORWARD"),
        ("Calc(page, at)", "GroupAggregate(page)", "HASH"),
        ("GroupAggregate(page)", "Sink: page_counts", "REBALANCE"),
    ),
    _file("comment_lines", 2.0, 2048, 0, ("Source: orders", "Sink: http://archive/orders", "FORWARD")),
    _file("uids_alone", 1.0, 800, 0, ("Source: orders", "Map", "FORWARD"), ("Map", "Sink: orders", "FORWARD")),
    _file("numbered_uids", 2.0, 1200, 0, ("Read", "Write", "REBALANCE")),
    _file("some_uids_alone", 2.0, 512, 0, ("Source: a", "Union", "FORWARD"), ("Union", "Sink: c", "FORWARD")),
    _file(
        *("join_of_two_streams", 6.8, 6656, 8192),
        ("Source: users", "Join(user)", "HASH"),
        ("Source: visits", "Join(user)", "HASH"),
        ("Join(user)", "Sink: profiles", "FORWARD"),
    ),
    _file(
        *("one_source_two_sinks", 1.75, 1792, 0),
        ("Source: events", "Calc", "FORWARD"),
        ("Calc", "Sink: hot", "FORWARD"),
        ("Source: events", "Sink: cold", "REBALANCE"),
    ),
    _file("backwards", 0.3, 300, 0, ("Source: a", "Calc", "FORWARD"), ("Calc", "Sink: z", "FORWARD")),
    _file("all_kinds_of_memory", 2.5, 2560, 748, ("Source: a", "Sort", "RANGE"), ("Sort", "Sink: b", "FORWARD")),
    _file(
        *("tuned", 9.0, 10752, 2048),
        ("Source: metrics", "HopWindow", "HASH"),
        ("HopWindow", "Sink: dashboard", "REBALANCE"),
    ),
    _file("edges_to_nowhere", 2.0, 1024, 0, ("Source: a", "Sink: b", "HASH")),
    _file(
        *("both_dialects", 2.25, 1280, 0),
        ("Source: Custom Source", "Process", "KEY-GROUP"),
        ("Process", "Sink: Unnamed", "REBALANCE"),
    ),
    _file("no_links", 0.1, 320, 0),
]
